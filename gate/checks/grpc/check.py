"""grpc://host:port -- `grpc.health.v1.Health/Check` says SERVING (`grpcs`: over TLS).

One unary call on HTTP/2, written with the `h2` package on asyncio's streams. grpcio would bring
threads and 10 MB. httpx drops the trailers, in which the health service says NOT_FOUND after an
empty message that reads like the state UNKNOWN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate import __version__
from gate.checks.wire import tls_options
from gate.checks.wire.dial import dial, dial_unix, wrap
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gate.checks.grpc.call import Answer
    from gate.checks.wire.dial import Stream
    from gate.core.target import Target

    Call = Callable[..., Awaitable[Answer]]

METHOD = "/grpc.health.v1.Health/Check"
OK, NOT_FOUND, UNIMPLEMENTED = 0, 5, 12
_SERVING = 1
_NO_MESSAGE = "the answer holds no health message"
_STATES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
_OF_GRPC = frozenset(
    {
        "te",
        "content-type",
        "user-agent",
        "grpc-timeout",
        "grpc-encoding",
        "grpc-accept-encoding",
        # Of HTTP/1.1: HTTP/2 has no place for them.
        "host",
        "connection",
        "content-length",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grpc:
    """Asks the health service of a gRPC server for `service`, empty for the whole server."""

    call: Call
    host: str = ""
    port: int = 0
    path: str = ""
    """Of a unix socket, instead of host and port."""
    service: str = ""
    metadata: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tls: tls_options.Tls | None = None

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the answer is SERVING."""
        reader, writer = await self._connect()
        try:
            attempt.enter_stage("response")
            body = frame(request(self.service))
            answer = await self.call((reader, writer), headers=self._headers(), body=body)
        finally:
            # Closes TLS without waiting for the server's closing, which grpcio never sends.
            writer.close()
            writer.transport.abort()
        judge(answer, self.service)

    def _headers(self) -> list[tuple[str, str]]:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [
            (":method", "POST"),
            (":scheme", "https" if self.tls else "http"),
            (":path", METHOD),
            (":authority", f"{host}:{self.port}" if host else "localhost"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", f"gate/{__version__}"),
            *self.metadata,
        ]

    async def _connect(self) -> Stream:
        if self.path:
            return await wrap(await dial_unix(self.path))
        if self.tls is None:
            return await wrap(await dial(self.host, self.port))
        context = await self.tls.context(alpn=("h2",))
        name = self.tls.name_for(self.host)
        stream = await wrap(await dial(self.host, self.port), tls=context, server_name=name)
        if stream[1].get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            stream[1].transport.abort()
            msg = "not HTTP/2 on this port: TLS works, but h2 is not offered (ALPN)"
            raise CheckFailed(msg)
        return stream


def judge(answer: Answer, service: str) -> None:
    """Raise `CheckFailed` unless *answer* says that *service* is serving."""
    if answer.http_status != "200":
        msg = f"status {answer.http_status}"
        raise CheckFailed(msg)
    if not answer.content_type.startswith("application/grpc"):
        msg = f"not gRPC: content type {answer.content_type or 'missing'}"
        raise CheckFailed(msg)
    if not answer.grpc_status.isdigit():
        msg = "the answer ends without a grpc-status"
        raise CheckFailed(msg)
    code = int(answer.grpc_status)
    if code != OK:
        raise _refusal(code, unquote(answer.grpc_message), service)
    state = health(answer.body)
    if state != _SERVING:
        raise CheckFailed(_STATES[state] if state < len(_STATES) else f"health state {state}")


def _refusal(code: int, message: str, service: str) -> CheckFailed:
    if code == NOT_FOUND:
        return Absent(f"service unknown: {service}" if service else "service unknown")
    if code == UNIMPLEMENTED:
        return CheckFailed("no health service (UNIMPLEMENTED)")
    name = _CODES[code] if code < len(_CODES) else f"grpc-status {code}"
    return CheckFailed(f"{name}: {message}" if message else name)


def request(service: str) -> bytes:
    """Return a HealthCheckRequest: field 1, a string."""
    name = service.encode()
    return b"\x0a" + _varint(len(name)) + name if name else b""


def frame(message: bytes) -> bytes:
    """Return *message* as gRPC sends it: not compressed, its length, itself."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def health(body: bytes) -> int:
    """Return the state in a framed HealthCheckResponse; raises `CheckFailed`."""
    message = body[5:]
    if len(body) < 5 or body[0] != 0 or len(message) != int.from_bytes(body[1:5], "big"):  # noqa: PLR2004 -- the frame's head
        raise CheckFailed(_NO_MESSAGE)
    # Field 1, an enum, left out where it is 0; there is no other field.
    if not message:
        return 0
    if len(message) != 2 or message[0] != 0x08:  # noqa: PLR2004 -- key and value
        raise CheckFailed(_NO_MESSAGE)
    return message[1]


def parse(target: Target) -> Grpc:
    """Return the check that *target* describes."""
    scheme = target.url.scheme
    is_unix = scheme.endswith("+unix")
    host, port = ("", 0) if is_unix else target.host_and_port()
    check = Grpc(
        host=host,
        port=port,
        path=_socket(target) if is_unix else "",
        service=target.text("service"),
        metadata=_metadata(target),
        tls=tls_options.parse(target) if scheme == "grpcs" else None,
        call=import_module("gate.checks.grpc.call").call,
    )
    if not is_unix and target.url.path.strip("/"):
        target.problem("the URL wants no path; write service=NAME for one service")
    return check


def _socket(target: Target) -> str:
    path = unquote(target.url.path)
    if target.url.scheme != "grpc+unix" or target.url.hosts or not path.startswith("/"):
        target.problem("the URL wants an absolute path; write grpc+unix:///run/app.sock")
    target.keep_path(path)
    return path


def _metadata(target: Target) -> tuple[tuple[str, str], ...]:
    pairs = []
    for line in target.many("header", secret=True):
        name, colon, value = (part.strip() for part in line.partition(":"))
        name = name.lower()
        if not colon or not is_metadata(name, value):
            target.problem('header: wants "name: value", and no header that gRPC sets itself')
            continue
        target.keep_secret(value)
        pairs.append((name, value))
    return tuple(pairs)


def is_metadata(name: str, value: str) -> bool:
    """Whether *name* and *value* may go beside gRPC's own headers."""
    is_token = bool(name) and _NAME.issuperset(name) and name not in _OF_GRPC
    return is_token and value.isascii() and value.isprintable()


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 -- seven bits in a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
