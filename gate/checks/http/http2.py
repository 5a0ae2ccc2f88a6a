"""HTTP/2 on a connected stream, behind httpx's transport interface.

Over TLS it is agreed on by ALPN; without TLS it is spoken by prior knowledge (h2c).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import httpx

from gate.checks.wire.http2_frames import GracefulEnd
from gate.checks.wire.reasons import reason_of
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.dial import Stream

_CHUNK = 16 * 1024
_STREAM = 1
_SETTINGS = b"\4"
"""The type of the frame that a server begins with."""
_OF_HTTP1 = frozenset({"connection", "host"})
_NOT_SPOKEN = "the server does not speak HTTP/2 on this port"


class Http2(httpx.AsyncBaseTransport):
    """Sends one request on a stream, which its owner closes; raises `CheckFailed`."""

    def __init__(self, stream: Stream) -> None:
        self._reader, self._writer = stream
        tls = self._writer.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            raise CheckFailed(_NOT_SPOKEN)
        config = h2.config.H2Configuration(client_side=True, header_encoding=None)
        self._connection = h2.connection.H2Connection(config)
        self._connection.local_settings = h2.settings.Settings(
            client=True, initial_values={h2.settings.SettingCodes.ENABLE_PUSH: 0}
        )
        self._events: deque[h2.events.Event] = deque()
        self._frames = GracefulEnd()
        self._unsent = b""
        self._has_spoken = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to *request*, its body not yet read."""
        self._unsent = request.content
        self._connection.initiate_connection()
        self._connection.send_headers(_STREAM, _header(request), end_stream=not self._unsent)
        self._send()
        attempt.enter_stage("response")
        while True:
            event = await self.next_event()
            if isinstance(event, h2.events.ResponseReceived):
                return _response(event, _Body(self), request)

    async def next_event(self) -> h2.events.Event:
        """Return the next thing the server has sent; its end is an error or an event."""
        while not self._events:
            self._receive(await self._read())
            self._send()
        event = self._events.popleft()
        if isinstance(event, h2.events.StreamReset):
            msg = f"the server has reset the request (HTTP/2 error {int(event.error_code or 0)})"
            raise CheckFailed(msg)
        if isinstance(event, h2.events.ConnectionTerminated) and event.error_code:
            msg = f"the server has ended the connection (HTTP/2 error {int(event.error_code)})"
            raise CheckFailed(msg)
        return event

    def make_room(self, size: int | None) -> None:
        """Allow the server to send *size* bytes more, because so many were read."""
        self._connection.acknowledge_received_data(size or 0, _STREAM)
        self._send()

    async def aclose(self) -> None:
        """Say goodbye, so that the server sees a proper end."""
        try:
            self._connection.close_connection()
        except h2.exceptions.ProtocolError:
            return
        self._writer.write(self._connection.data_to_send())

    async def _read(self) -> bytes:
        try:
            data = await self._reader.read(_CHUNK)
        except OSError as exc:
            raise CheckFailed(reason_of(exc)) from exc
        if not data:
            when = "in the middle of" if self._has_spoken else "before"
            msg = f"connection closed {when} the answer"
            raise CheckFailed(msg)
        return data

    def _receive(self, data: bytes) -> None:
        if not self._has_spoken and data[3:4] not in {b"", _SETTINGS}:
            raise CheckFailed(_NOT_SPOKEN)
        try:
            self._events.extend(self._connection.receive_data(self._frames.without(data)))
        except h2.exceptions.ProtocolError as exc:
            msg = "the answer is not valid HTTP/2" if self._has_spoken else _NOT_SPOKEN
            raise CheckFailed(msg) from exc
        self._has_spoken = True

    def _send(self) -> None:
        """Send what is pending, and as much of the body as the server's window allows."""
        try:
            while self._unsent and (room := self._room()):
                part, self._unsent = self._unsent[:room], self._unsent[room:]
                self._connection.send_data(_STREAM, part, end_stream=not self._unsent)
        except h2.exceptions.StreamClosedError:
            # The server has answered without reading all.
            self._unsent = b""
        self._writer.write(self._connection.data_to_send())

    def _room(self) -> int:
        window = self._connection.local_flow_control_window(_STREAM)
        return max(0, min(window, self._connection.max_outbound_frame_size))


class _Body(httpx.AsyncByteStream):
    """The body, piece by piece."""

    def __init__(self, transport: Http2) -> None:
        self._transport = transport

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        while True:
            event = await self._transport.next_event()
            if isinstance(event, h2.events.DataReceived):
                self._transport.make_room(event.flow_controlled_length)
                return event.data or b""
            if isinstance(event, h2.events.StreamEnded):
                raise StopAsyncIteration


def _header(request: httpx.Request) -> list[tuple[bytes, bytes]]:
    url = request.url
    return [
        (b":method", request.method.encode()),
        (b":scheme", url.raw_scheme),
        (b":authority", request.headers["host"].encode()),
        (b":path", url.raw_path),
        *(
            (name.lower(), value)
            for name, value in request.headers.raw
            if name.lower().decode() not in _OF_HTTP1
        ),
    ]


def _response(
    event: h2.events.ResponseReceived, body: _Body, request: httpx.Request
) -> httpx.Response:
    header = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
    try:
        status = int(dict(header)[b":status"])
    except (KeyError, ValueError) as exc:
        msg = "not an HTTP/2 answer: it has no status"
        raise CheckFailed(msg) from exc
    plain = [(name, value) for name, value in header if not name.startswith(b":")]
    return httpx.Response(status, headers=plain, stream=body, request=request)
