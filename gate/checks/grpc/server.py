"""A gRPC server, and one call to it on a connection of its own, whichever service it has.

One call on HTTP/2, written with the `h2` package on asyncio's streams. grpcio would bring threads
and 10 MB. httpx drops the trailers, in which the health service says NOT_FOUND after an empty
message that reads like the state UNKNOWN.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate import __version__
from gate.checks.wire import tls_options
from gate.checks.wire.dial import dial, dial_unix, wrap
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gate.checks.grpc.call import Answer
    from gate.checks.wire.dial import Stream
    from gate.core.target import Target

    Call = Callable[..., Awaitable[Answer]]

OK = 0
_STATUS = re.compile("[0-9]{1,3}")
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


class Refusal(CheckFailed):
    """The server has ended the call with another status than OK."""

    def __init__(self, code: int, message: str) -> None:
        name = _CODES[code] if code < len(_CODES) else f"grpc-status {code}"
        super().__init__(f"{name}: {message}" if message else name)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcServer:
    """Where a server is and how it is spoken to."""

    call: Call
    host: str = ""
    port: int = 0
    path: str = ""
    """Of a unix socket, instead of host and port."""
    metadata: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tls: tls_options.Tls | None = None

    async def ask(self, method: str, message: bytes, *, is_stream: bool = False) -> bytes:
        """Return the message that *method* answers, the first of a stream.

        Raises `Refusal` where the server refuses, else `CheckFailed`.
        """
        reader, writer = await self._connect()
        try:
            attempt.enter_stage("response")
            answer = await self.call(
                (reader, writer),
                headers=self._headers(method),
                body=_framed(message),
                is_stream=is_stream,
            )
        finally:
            # Closes TLS without waiting for the server's closing, which grpcio never sends.
            writer.close()
            writer.transport.abort()
        _judge(answer, is_stream=is_stream)
        return _unframed(answer.body)

    def _headers(self, method: str) -> list[tuple[str, str]]:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return [
            (":method", "POST"),
            (":scheme", "https" if self.tls else "http"),
            (":path", method),
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


def parse(
    target: Target, *, is_unix: bool = False, is_tls: bool = False, port: int | None = None
) -> GrpcServer:
    """Return the server that *target* names, by a path where it *is_unix*; *port* is the usual.

    Call it after the options are read: it raises `ModuleNotFoundError` as `driver` does.
    """
    host, port = ("", 0) if is_unix else target.host_and_port(port)
    return GrpcServer(
        host=host,
        port=port,
        path=socket_path(target) if is_unix else "",
        metadata=_metadata(target),
        tls=tls_options.parse(target) if is_tls else None,
        call=driver(),
    )


def driver() -> Call:
    """Return how a call is made; raises `ModuleNotFoundError` where the extra is not installed."""
    call: Call = import_module("gate.checks.grpc.call").call
    return call


def _judge(answer: Answer, *, is_stream: bool) -> None:
    """Raise `CheckFailed` unless *answer* is one of gRPC, and says that the call went well."""
    if answer.http_status != "200":
        msg = f"status {answer.http_status}"
        raise CheckFailed(msg)
    if not answer.content_type.startswith("application/grpc"):
        msg = f"not gRPC: content type {answer.content_type or 'missing'}"
        raise CheckFailed(msg)
    if is_stream and not answer.is_complete:
        return
    if not _STATUS.fullmatch(answer.grpc_status):
        msg = "the answer ends without a grpc-status"
        raise CheckFailed(msg)
    code = int(answer.grpc_status)
    if code != OK:
        raise Refusal(code, unquote(answer.grpc_message))


def _framed(message: bytes) -> bytes:
    """Return *message* as gRPC sends it: not compressed, its length, itself."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def _unframed(body: bytes) -> bytes:
    """Return the first message of *body*; raises `CheckFailed` where there is none."""
    size = int.from_bytes(body[1:5], "big")
    if len(body) < 5 + size or len(body) < 5 or body[0] != 0:  # noqa: PLR2004 -- the frame's head
        msg = "the answer holds no whole message"
        raise CheckFailed(msg)
    return body[5 : 5 + size]


def socket_path(target: Target) -> str:
    """Return the path of the unix socket that the URL names."""
    path = unquote(target.url.path)
    if target.url.hosts or not path.startswith("/"):
        target.problem(f"the URL wants an absolute path; write {target.url.scheme}:///run/app.sock")
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
