"""The wait as one trace of OpenTelemetry: a span for the gate, one in it for each dependency.

Brings the SDK (`podgate[otel]`), so it is imported by name once there is something to send. The
standard variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`, …) are the SDK's to read.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Status, StatusCode, set_span_in_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Span, Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class _Kept(SpanProcessor):
    """Keeps the spans until they are sent, all together."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep *span*."""
        self.spans.append(span)


def send(status: Mapping[str, Any]) -> str:
    """Send *status*, the document of an open gate, as a trace; return why that failed, or "".

    Blocks for as long as the exporter's own timeout and retries last.
    """
    if refused := _refused():
        return refused
    kept = _Kept()
    own = Resource({"service.name": "gate", "k8s.pod.name": status["pod"]})
    # The user's variables override gate's own attributes.
    resource = Resource.get_empty().merge(own).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(kept)
    _record(provider.get_tracer("gate", status["gate"]), status)
    answers: list[int] = []
    session = requests.Session()
    session.hooks["response"].append(lambda answer, **_: answers.append(answer.status_code))
    exporter = OTLPSpanExporter(session=session)
    try:
        if exporter.export(kept.spans) is SpanExportResult.SUCCESS:
            return ""
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]  # the SDK has no types here
    return f"the collector answers {answers[-1]}" if answers else "no answer from the collector"


def _refused() -> str:
    """Return which variables gate cannot follow, without their values, which may be secrets."""
    for name in _PROTOCOLS[: 1 if _PROTOCOLS[0] in os.environ else 2]:
        if os.environ.get(name, "").startswith("grpc"):
            return f"{name}: gate speaks http/protobuf only, which collectors take at port 4318"
    name = next(name for name in _ENDPOINTS if os.environ.get(name))
    if urlsplit(os.environ[name]).scheme not in {"http", "https"}:
        return f"{name}: not a URL of http or https"
    return ""


def _record(tracer: Tracer, status: Mapping[str, Any]) -> None:
    end = _nanoseconds(status["opened"])
    gate = tracer.start_span(
        "gate wait",
        start_time=_nanoseconds(status["started"]),
        attributes={"gate.version": status["gate"], "gate.degraded": status["degraded"]},
    )
    for dependency in status["dependencies"]:
        _record_dependency(tracer, gate, dependency, status)
    if status["degraded"]:
        gate.set_status(Status(StatusCode.ERROR, status["degraded"]))
    gate.end(end)


def _record_dependency(
    tracer: Tracer, gate: Span, dependency: Mapping[str, Any], status: Mapping[str, Any]
) -> None:
    is_ready = dependency["state"] == "ready"
    span = tracer.start_span(
        f"wait for {dependency['name']}",
        context=set_span_in_context(gate),
        start_time=_nanoseconds(status["started"]),
        attributes={
            "gate.dependency": dependency["name"],
            "gate.dependency.url": dependency["url"],
            "gate.dependency.state": dependency["state"],
            "gate.dependency.attempts": dependency["attempts"],
            "gate.dependency.optional": dependency["options"]["optional"],
        },
    )
    for change in status["transitions"]:
        if change["dependency"] == dependency["name"]:
            reason = {"reason": change["reason"]} if change["reason"] else {}
            span.add_event(change["event"], reason, _nanoseconds(change))
    if not is_ready and dependency["attempts"]:
        span.set_status(Status(StatusCode.ERROR, dependency["reason"]))
    span.end(_nanoseconds(dependency["since"] if is_ready else status["opened"]))


def _nanoseconds(moment: Mapping[str, Any]) -> int:
    """Return *moment* as nanoseconds since 1970."""
    return round(datetime.fromisoformat(moment["time"]).timestamp() * 1e6) * 1000
