"""Presets against the answers that the servers' own documents give.

None of these servers comes as a package that CI could start in seconds, so each answer is the one
of its reference: Elasticsearch "Cluster health", Vault "/sys/health", Consul "Status", etcd
"Monitoring", ClickHouse "HTTP interface", InfluxDB "/health", MinIO "Healthcheck API", Spring Boot
"Kubernetes probes", Quarkus "SmallRye Health", OpenAI "List models", GCE "metadata", RFC 6455.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from gate.checks import presets
from tests.checks.servers.raw_http import Request, serving, status
from tests.conftest import problems_of, run, watch_for, why_not


def ask(scheme: str, answer: bytes, options: str = "") -> tuple[str, Request]:
    async def main() -> tuple[str, Request]:
        async with serving(answer) as server:
            why = await why_not(f"{scheme}://127.0.0.1:{server.port} {options}")
            return why, server.requests[0]

    found: tuple[str, Request] = run(main())
    return found


def said(document: Any, code: int = 200) -> bytes:
    return status(code, "Content-Type: application/json", body=json.dumps(document))


READY = [
    ("elasticsearch", "", said({"status": "yellow"}), "/_cluster/health"),
    ("opensearch", "green", said({"status": "green"}), "/_cluster/health"),
    ("clickhouse", "", status(200, body="Ok.\n"), "/ping"),
    ("clickhouse", "replicas", status(200, body="Ok.\n"), "/replicas_status"),
    ("etcd", "", said({"health": "true", "reason": ""}), "/health"),
    ("consul", "", said("10.1.10.12:8300"), "/v1/status/leader"),
    ("vault", "", said({}), "/v1/sys/health?standbyok=true&perfstandbyok=true"),
    ("vault", "active", said({}), "/v1/sys/health"),
    ("influxdb", "", said({"status": "pass"}), "/health"),
    ("minio", "", status(200), "/minio/health/ready"),
    ("minio", "cluster", status(200), "/minio/health/cluster"),
    ("pulsar", "", status(200, body="ok"), "/admin/v2/brokers/health"),
    ("vllm", "", said({"data": [{"id": "llama"}]}), "/v1/models"),
    ("openai", "model=llama", said({"data": [{"id": "llama"}]}), "/v1/models"),
    ("spring", "", said({"status": "UP"}), "/actuator/health/readiness"),
    ("quarkus", "", said({"status": "UP", "checks": []}), "/q/health/ready"),
    ("microprofile", "", said({"status": "UP", "checks": []}), "/health/ready"),
    (
        "gcp-metadata",
        "",
        said({"access_token": "ya29.x", "expires_in": 3000}),
        "/computeMetadata/v1/instance/service-accounts/default/token",
    ),
]


@pytest.mark.parametrize(("scheme", "options", "answer", "path"), READY)
def test_it_is_asked_where_it_tells_and_ready_when_it_says_so(
    scheme: str, options: str, answer: bytes, path: str
) -> None:
    why, request = ask(scheme, answer, options)

    assert (why, request.target) == ("", path)


WAITING = [
    ("elasticsearch", "", said({"status": "red"}), 'cluster health is "red"'),
    ("opensearch", "green", said({"status": "yellow"}), 'cluster health is "yellow"'),
    ("clickhouse", "replicas", status(503, body="db.t: Absolute delay: 9."), "status 503"),
    ("etcd", "", said({"health": "false"}), 'health is "false"'),
    ("consul", "", said(""), "a leader is known is false"),
    ("vault", "", said({"sealed": True}, 503), "status 503: sealed"),
    ("vault", "", said({"initialized": False}, 501), "status 501: not initialised"),
    ("vault", "active", said({"standby": True}, 429), "status 429: standby"),
    ("influxdb", "", said({"status": "fail"}), 'health is "fail"'),
    ("vllm", "", said({"data": []}), "a model is loaded is false"),
    ("vllm", "model=x", said({"data": [{"id": "y"}]}), "model x is loaded is false"),
    ("pulsar", "", status(200, body="no"), "body: does not match body-regex"),
    (
        "spring",
        "",
        said({"status": "DOWN", "components": {"db": {"status": "DOWN"}}}, 503),
        "status 503: db DOWN",
    ),
    ("gcp-metadata", "", said({"error": "x"}), "a token is given is false"),
]


@pytest.mark.parametrize(("scheme", "options", "answer", "why"), WAITING)
def test_what_it_says_instead_is_the_reason(
    scheme: str, options: str, answer: bytes, why: str
) -> None:
    assert ask(scheme, answer, options)[0] == why


def test_the_metadata_server_is_asked_as_google_wants_it() -> None:
    request = ask("gcp-metadata", said({"access_token": "ya29.x"}))[1]

    assert request.header["metadata-flavor"] == "Google"


def test_the_metadata_server_needs_no_host_in_the_url() -> None:
    assert "metadata.google.internal" in str(watch_for("token gcp-metadata:").check)


def test_a_websocket_is_ready_after_its_handshake() -> None:
    right = status(101, f"Sec-WebSocket-Accept: {presets._ACCEPT}", "Upgrade: websocket")

    why, request = ask("ws", right)
    assert why == ""
    assert request.header["upgrade"] == "websocket"
    assert request.header["connection"] == "Upgrade"
    assert ask("ws", status(101, "Upgrade: websocket"))[0] == (
        "the answer lacks the right header sec-websocket-accept"
    )
    assert ask("ws", status(200))[0] == "status 200"


def test_the_accepted_key_is_that_of_rfc_6455() -> None:
    """`aiohttp`'s server is a real one: it computes the value by itself."""

    async def main() -> str:
        async def handle(request: web.Request) -> web.WebSocketResponse:
            answer = web.WebSocketResponse()
            await answer.prepare(request)
            await answer.close()
            return answer

        app = web.Application()
        app.router.add_get("/socket", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            port = runner.addresses[0][1]
            return await why_not(f"ws://127.0.0.1:{port}/socket")
        finally:
            await runner.cleanup()

    assert run(main()) == ""


def test_a_path_and_an_expression_of_the_users_win() -> None:
    async def main() -> tuple[str, str]:
        async with serving(said({"status": "UP"})) as server:
            there = f"spring://127.0.0.1:{server.port}/manage/health json=\"status=='DOWN'\""
            return await why_not(there), server.requests[0].target

    assert run(main()) == ("json: status=='DOWN' is false", "/manage/health")


def test_without_a_host_the_remedy_is_told() -> None:
    assert problems_of("x vault:") == ["the URL wants a host; write vault://host:8200"]


def test_tls_is_an_option() -> None:
    assert "is_tls=True" in str(watch_for("x vault://v tls").check)
    assert "port=443" in str(watch_for("x wss://v").check)


def test_a_password_in_the_url_logs_in() -> None:
    async def main() -> str:
        async with serving(said({"status": "green"})) as server:
            await why_not(f"elasticsearch://elastic:pw123@127.0.0.1:{server.port}")
            return server.requests[0].header["authorization"]

    assert run(main()).startswith("Basic ")
