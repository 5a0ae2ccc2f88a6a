from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2, health_pb2_grpc
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded

from gate.checks.grpc import health
from gate.core.errors import CheckFailed
from tests.checks.servers.grpc import grpc_server
from tests.conftest import free_port, outcome, problems_of, run, why_not

Status = health_pb2.HealthCheckResponse


@pytest.fixture(scope="module")
def servicer() -> Any:
    servicer = grpc_health.HealthServicer()
    servicer.set("shop.Orders", Status.SERVING)
    servicer.set("shop.Stock", Status.NOT_SERVING)
    servicer.set("shop.New", Status.UNKNOWN)
    return servicer


@pytest.fixture(scope="module")
def port(servicer: Any) -> Iterator[int]:
    with grpc_server(servicer) as port:
        yield port


def test_a_serving_server_is_ready(port: int) -> None:
    assert run(why_not(f"grpc://127.0.0.1:{port}")) == ""


def test_a_serving_service_is_ready(port: int) -> None:
    assert run(why_not(f"grpc://127.0.0.1:{port} service=shop.Orders")) == ""


def test_a_service_that_is_not_serving_says_so(port: int) -> None:
    assert run(why_not(f"grpc://127.0.0.1:{port} service=shop.Stock")) == "NOT_SERVING"


def test_a_service_whose_state_is_not_known_is_not_ready(port: int) -> None:
    assert run(why_not(f"grpc://127.0.0.1:{port} service=shop.New")) == "UNKNOWN"


def test_an_unknown_service_is_named(port: int) -> None:
    line = f"grpc://127.0.0.1:{port} service=shop.Nobody"

    assert run(why_not(line)) == "service unknown: shop.Nobody"


def test_an_unknown_service_is_what_until_down_waits_for(port: int) -> None:
    assert run(outcome(f"grpc://127.0.0.1:{port} service=shop.Nobody until=down")).ok


def test_a_long_service_name_is_sent_whole(port: int, servicer: Any) -> None:
    name = "a" * 300
    servicer.set(name, Status.SERVING)

    assert run(why_not(f"grpc://127.0.0.1:{port} service={name}")) == ""


def test_a_server_that_starts_to_serve_becomes_ready() -> None:
    servicer = grpc_health.HealthServicer()
    servicer.set("", Status.NOT_SERVING)

    with grpc_server(servicer) as port:
        before = run(why_not(f"grpc://127.0.0.1:{port}"))
        servicer.set("", Status.SERVING)
        after = run(why_not(f"grpc://127.0.0.1:{port}"))

    assert (before, after) == ("NOT_SERVING", "")


def test_a_server_without_a_health_service_says_so() -> None:
    with grpc_server(False) as port:
        assert run(why_not(f"grpc://127.0.0.1:{port}")) == "no health service (UNIMPLEMENTED)"


class Refusing(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """Refuses every call, with a text that must be percent-encoded on the wire."""

    def Check(self, request: Any, context: Any) -> None:  # noqa: N802 -- as generated
        tenant = dict(context.invocation_metadata()).get("x-tenant", "nobody")
        context.abort(grpc.StatusCode.UNAVAILABLE, f"warming up for {tenant}: 50 % done")


def test_any_other_status_is_told_with_its_message() -> None:
    with grpc_server(Refusing()) as port:
        reason = run(why_not(f"grpc://127.0.0.1:{port}"))

    assert reason == "UNAVAILABLE: warming up for nobody: 50 % done"


def test_metadata_is_sent_and_never_shown() -> None:
    with grpc_server(Refusing()) as port:
        reason = run(why_not(f'grpc://127.0.0.1:{port} header="X-Tenant: s3cret"'))

    assert reason == "UNAVAILABLE: warming up for ***: 50 % done"


def test_a_unix_socket_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"

    with grpc_server(address=f"unix:{path}"):
        assert run(why_not(f"grpc+unix://{path}")) == ""


def test_a_server_over_tls_is_ready(authority: trustme.CA, ca_file: Path) -> None:
    with grpc_server(authority=authority) as port:
        assert run(why_not(f"grpcs://localhost:{port} ca={ca_file}")) == ""


def test_a_certificate_that_is_not_trusted_says_so(authority: trustme.CA) -> None:
    with grpc_server(authority=authority) as port:
        reason = run(why_not(f"grpcs://localhost:{port}"))

    assert reason == "TLS: unable to get local issuer certificate"


def test_insecure_skips_the_certificate(authority: trustme.CA) -> None:
    with grpc_server(authority=authority) as port:
        assert run(why_not(f"grpcs://localhost:{port} insecure")) == ""


def test_a_final_dot_is_not_part_of_the_name_in_the_certificate(
    authority: trustme.CA, ca_file: Path
) -> None:
    with grpc_server(authority=authority) as port:
        assert run(why_not(f"grpcs://localhost.:{port} ca={ca_file}")) == ""


def test_plain_text_to_a_tls_port_is_not_http2(authority: trustme.CA) -> None:
    with grpc_server(authority=authority) as port:
        reason = run(why_not(f"grpc://127.0.0.1:{port}"))

    assert reason == "connection closed: perhaps not HTTP/2 on this port"


def test_a_refused_connection_is_what_until_down_waits_for() -> None:
    line = f"grpc://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Yield the port on which *handler* has each connection, until it has ended with all."""
    handled: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handled.add(task)
        try:
            await handler(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*handled)


def saying(answer: bytes) -> Handler:
    """Something else on the port: sends *answer* to whoever says something, and closes."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)

    return handler


def test_an_http1_server_is_not_http2() -> None:
    async def main() -> str:
        async with served(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
            return await why_not(f"grpc://127.0.0.1:{port}")

    assert run(main()) == "not HTTP/2 on this port"


def test_a_tls_server_without_h2_says_so(server_tls: ssl.SSLContext) -> None:
    async def main() -> str:
        async with served(saying(b""), server_tls) as port:
            return await why_not(f"grpcs://127.0.0.1:{port} insecure")

    assert run(main()) == "not HTTP/2 on this port: TLS works, but h2 is not offered (ALPN)"


def test_a_connection_closed_at_once_says_so() -> None:
    async def main() -> str:
        async with served(saying(b"")) as port:
            return await why_not(f"grpc://127.0.0.1:{port}")

    assert run(main()) == "connection closed: perhaps not HTTP/2 on this port"


def test_a_silent_server_is_told_by_stage() -> None:
    async def main() -> str:
        async with served(_say_nothing) as port:
            return await why_not(f"grpc://127.0.0.1:{port} timeout=50ms")

    assert run(main()) == "response: no answer within 50ms"


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)


Frames = list[tuple[str, Any]]


async def of_h2_server(frames: Frames) -> str:
    """Return the reason against a server that answers with *frames*.

    A proxy's answers, which no grpcio server gives.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, StreamEnded):
                    for name, argument in frames:
                        getattr(connection, name)(1, **argument)
            writer.write(connection.data_to_send())

    async with served(serve) as port:
        return await why_not(f"grpc://127.0.0.1:{port}")


def head(**headers: str) -> tuple[str, Any]:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return ("send_headers", {"headers": [(":status", pairs.pop(0)[1]), *pairs]})


def test_an_http_status_of_a_proxy_is_told() -> None:
    answer: Frames = [head(status="503"), ("end_stream", {})]

    assert run(of_h2_server(answer)) == "status 503"


def test_a_web_page_is_not_grpc() -> None:
    answer: Frames = [head(status="200", content_type="text/html"), ("end_stream", {})]

    assert run(of_h2_server(answer)) == "not gRPC: content type text/html"


def test_an_answer_without_trailers_is_not_believed() -> None:
    answer: Frames = [
        head(status="200", content_type="application/grpc"),
        ("send_data", {"data": b"\0\0\0\0\2\x08\1", "end_stream": True}),
    ]

    assert run(of_h2_server(answer)) == "the answer ends without a grpc-status"


def test_a_stream_that_is_reset_says_so() -> None:
    assert run(of_h2_server([("reset_stream", {"error_code": 7})])) == (
        "the server broke the call off (HTTP/2 error 7)"
    )


@pytest.mark.parametrize("body", [b"", b"\0\0\0\0\2\x08", b"\1\0\0\0\2\x08\1"])
def test_an_answer_without_a_whole_message_is_refused(body: bytes) -> None:
    answer: Frames = [
        head(status="200", content_type="application/grpc"),
        ("send_data", {"data": body}),
        ("send_headers", {"headers": [("grpc-status", "0")], "end_stream": True}),
    ]

    assert run(of_h2_server(answer)) == "the answer holds no whole message"


@pytest.mark.parametrize("message", [b"\x08", b"\x10\1", b"\x08\1\x08\1"])
def test_a_message_of_something_else_is_refused(message: bytes) -> None:
    with pytest.raises(CheckFailed, match="the answer holds no health message"):
        health.read(message)


def test_a_path_is_a_problem() -> None:
    assert problems_of("grpc://db:1/shop.Orders") == [
        "the URL wants no path; write service=NAME for one service"
    ]


def test_a_header_of_grpc_itself_is_a_problem() -> None:
    assert problems_of('grpc://db:1 header="te: s3cret"') == [
        'header: wants "name: value", and no header that gRPC sets itself'
    ]
