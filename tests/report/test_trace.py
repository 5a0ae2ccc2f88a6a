"""The trace of a wait: what a collector gets, and that nobody waits for it."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.canary import look
from tests.conftest import free_port
from tests.process import GateProcess, listening
from tests.test_architecture import loaded_by


class Collector:
    """As much of one as OTLP over HTTP takes."""

    def __init__(self, port: int, got: threading.Event) -> None:
        self.port = port
        self.got = got
        self.headers: dict[str, str] = {}
        self.request = ExportTraceServiceRequest()

    @property
    def spans(self) -> list[Any]:
        (resource,) = self.request.resource_spans
        return [span for scope in resource.scope_spans for span in scope.spans]

    @property
    def resource(self) -> dict[str, str]:
        return values(self.request.resource_spans[0].resource.attributes)


def values(attributes: Any) -> dict[str, Any]:
    fields = {each.key: each.value for each in attributes}
    return {key: getattr(each, each.WhichOneof("value")) for key, each in fields.items()}


@contextmanager
def collector(status: int = 200) -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            look("a trace", body)
            if self.path == "/v1/traces":
                running.request.ParseFromString(body)
                running.headers = dict(self.headers)
                running.got.set()
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = Collector(server.server_port, threading.Event())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield running
        finally:
            server.shutdown()


def traced(port: int, dependencies: str, **env: str) -> GateProcess:
    endpoint = f"http://127.0.0.1:{port}"
    return GateProcess(
        "serve",
        env={
            "GATE_DEPENDENCIES": dependencies,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "POD_NAME": "shop-1",
            **env,
        },
    )


def test_a_collector_gets_a_span_for_the_gate_and_one_for_each_dependency() -> None:
    port = free_port()
    lines = f"db tcp://127.0.0.1:{port}\ncache tcp://127.0.0.1:{free_port()} optional deadline=1s"
    env = {"OTEL_SERVICE_NAME": "shop", "OTEL_EXPORTER_OTLP_HEADERS": "x-team=sales"}
    with collector() as received, traced(received.port, lines, **env) as gate:
        gate.event("dependency.waiting")
        with listening(port):
            gate.event("gate.opened")
            assert received.got.wait(20)
            gate.signal(signal.SIGTERM)
            gate.end()

    by_name = {span.name: span for span in received.spans}
    whole, db, cache = (by_name[name] for name in ("gate wait", "wait for db", "wait for cache"))
    assert received.resource["service.name"] == "shop"
    assert received.resource["k8s.pod.name"] == "shop-1"
    assert received.headers["x-team"] == "sales"
    assert {db.parent_span_id, cache.parent_span_id} == {whole.span_id}
    assert {span.trace_id for span in received.spans} == {whole.trace_id}
    assert whole.start_time_unix_nano == db.start_time_unix_nano < db.end_time_unix_nano
    assert [event.name for event in db.events] == ["dependency.waiting", "dependency.ready"]
    assert values(db.events[0].attributes) == {"reason": "connection refused"}
    assert values(db.attributes)["gate.dependency.url"] == f"tcp://127.0.0.1:{port}"
    assert (db.status.code, cache.status.code) == (0, 2)
    assert cache.status.message == "connection refused"
    assert whole.status.message == "opened without cache: connection refused"


def test_a_collector_that_is_not_there_is_one_warning_and_delays_nothing() -> None:
    with listening() as port:
        env = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        with traced(free_port(), f"db tcp://127.0.0.1:{port}", **env) as gate:
            gate.event("gate.opened")
            status = gate.ask("/startupz").status
            warning = gate.event("trace.not_sent")
            gate.signal(signal.SIGTERM)
            gate.end()

    assert status == 200
    assert (warning["level"], warning["reason"]) == ("warning", "no answer from the collector")


def test_a_collector_that_refuses_is_told_with_its_status() -> None:
    with (
        collector(403) as refusing,
        listening() as port,
        traced(refusing.port, f"db tcp://127.0.0.1:{port}") as gate,
    ):
        warning = gate.event("trace.not_sent")

    assert warning["reason"] == "the collector answers 403"


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL: gate speaks http/protobuf only, "
                "which collectors take at port 4318"
            ),
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "grpc://u:hunter2@collector:4317"},
            "OTEL_EXPORTER_OTLP_ENDPOINT: not a URL of http or https",
        ),
    ],
)
def test_what_of_the_variables_is_not_for_gate_is_told(env: dict[str, str], reason: str) -> None:
    with listening() as port, traced(free_port(), f"db tcp://127.0.0.1:{port}", **env) as gate:
        assert gate.event("trace.not_sent")["reason"] == reason


@pytest.mark.parametrize(
    "env", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "console"}, {}]
)
def test_it_is_sent_only_where_the_variables_want_it(env: dict[str, str]) -> None:
    with (
        collector() as received,
        listening() as port,
        traced(received.port, f"db tcp://127.0.0.1:{port} monitor interval=50ms", **env) as gate,
    ):
        gate.event("gate.opened")
        is_sent = received.got.wait(20 if not env else 1.5)
        end = time.monotonic() + 20
        while json.loads(gate.ask("/status").body)["dependencies"][0]["attempts"] < 2:
            assert time.monotonic() < end, "checking goes on"

    assert is_sent is not bool(env)


def test_starting_to_serve_does_not_load_opentelemetry() -> None:
    assert not any(
        name.startswith("opentelemetry") for name in loaded_by("import gate.serve.command")
    )
