"""HTTP/1.1 on a connected stream, behind httpx's transport interface.

httpx's own transport costs twice the CPU for each attempt, has its own words for errors, and keeps
a pool of connections, which a check must not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11
import httpx

from gate.checks.wire.reasons import reason_of
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.dial import Stream

LONGEST_HEAD = 64 * 1024
MOST_INFORMATIONAL = 20
_CHUNK = 16 * 1024
_SWITCHING_PROTOCOLS = 101
_HEADER_TOO_LONG = 431


class Http1(httpx.AsyncBaseTransport):
    """Sends one request on a stream, which its owner closes; raises `CheckFailed`.

    The answer's stream must be read before anything else is done with the connection. The
    request's extension `target` replaces the path, as in httpx.
    """

    def __init__(self, stream: Stream) -> None:
        self._reader, self._writer = stream
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        self._start = b""
        self._is_closed = False
        self._has_head = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to *request*, its body not yet read."""
        self._send(request)
        attempt.enter_stage("response")
        head = await self._head()
        self._has_head = True
        return httpx.Response(
            head.status_code, headers=list(head.headers), stream=_Body(self), request=request
        )

    async def next_event(self) -> Any:  # noqa: ANN401 -- as h11 has it
        """Return the next part of the answer as h11 sees it."""
        try:
            while (event := self._connection.next_event()) is h11.NEED_DATA:
                self._connection.receive_data(await self._receive())
        except h11.RemoteProtocolError as exc:
            raise CheckFailed(self._fault(exc)) from exc
        return event

    def _send(self, request: httpx.Request) -> None:
        """Send everything in one write; the server may answer before it has read all of it."""
        target = request.extensions.get("target", request.url.raw_path)
        events = (
            h11.Request(method=request.method, target=target, headers=request.headers.raw),
            *([h11.Data(data=request.content)] if request.content else []),
            h11.EndOfMessage(),
        )
        self._writer.write(b"".join(self._connection.send(event) or b"" for event in events))

    async def _head(self) -> h11.Response | h11.InformationalResponse:
        """Return the final head; a few informational ones (100, 103) are skipped."""
        for _ in range(MOST_INFORMATIONAL + 1):
            event: h11.Response | h11.InformationalResponse = await self.next_event()
            if isinstance(event, h11.Response) or event.status_code == _SWITCHING_PROTOCOLS:
                return event
        msg = "informational answers without end"
        raise CheckFailed(msg)

    async def _receive(self) -> bytes:
        try:
            data = await self._reader.read(_CHUNK)
        except OSError as exc:
            raise CheckFailed(reason_of(exc)) from exc
        self._start = self._start or data[:5]
        self._is_closed = not data
        return data

    def _fault(self, exc: h11.RemoteProtocolError) -> str:
        """Return what is wrong with the answer."""
        if not self._start:
            return "connection closed before the answer"
        if not self._start.startswith(b"HTTP/"[: len(self._start)]):
            return _other_protocol(self._start)
        if self._is_closed:
            return "connection closed in the middle of the answer"
        if exc.error_status_hint == _HEADER_TOO_LONG:
            return "the header of the answer is too long"
        part = "body" if self._has_head else "header"
        return f"the {part} of the answer is not valid HTTP"


class _Body(httpx.AsyncByteStream):
    """The body, piece by piece; not a generator, which would have to be closed when left."""

    def __init__(self, transport: Http1) -> None:
        self._transport = transport

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        event = await self._transport.next_event()
        if not isinstance(event, h11.Data):
            raise StopAsyncIteration
        return bytes(event.data)


def _other_protocol(start: bytes) -> str:
    """Return what a server seems to speak whose first bytes are *start*."""
    if start.startswith(b"\x15\x03"):
        return "not an HTTP answer: the server speaks TLS on this port; write https"
    if start.startswith(b"\0\0") and start[3:4] == b"\4":
        return "not an HTTP/1.1 answer: the server speaks HTTP/2; add http2"
    return "not an HTTP answer"
