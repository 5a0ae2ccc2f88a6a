"""One gRPC call on a fresh HTTP/2 connection; needs the package h2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError

from gate.checks.wire.http2_frames import GracefulEnd
from gate.checks.wire.reasons import reason_of
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gate.checks.wire.dial import Stream

_FRAME_HEAD = 5
_NOT_HTTP2 = "not HTTP/2 on this port"
_MOST_READ = 256 * 1024
"""Bytes of an answer; the body alone is bounded by the stream's window, 64 KiB."""


@dataclass(slots=True)
class Answer:
    """What came back; texts are empty where the server did not send them."""

    http_status: str = ""
    content_type: str = ""
    grpc_status: str = ""
    grpc_message: str = ""
    body: bytes = b""
    is_complete: bool = False

    @property
    def has_message(self) -> bool:
        """Whether a whole message has come."""
        size = int.from_bytes(self.body[1:5], "big")
        return len(self.body) >= _FRAME_HEAD and len(self.body) >= _FRAME_HEAD + size

    def take(self, headers: Iterable[tuple[Any, Any]]) -> None:
        """Note what counts of *headers*; without a body all stand in the first frame."""
        found = {_text(name): _text(value) for name, value in headers}
        self.http_status = found.get(":status", self.http_status)
        self.content_type = found.get("content-type", self.content_type)
        self.grpc_status = found.get("grpc-status", self.grpc_status)
        self.grpc_message = found.get("grpc-message", self.grpc_message)


def _text(field: bytes) -> str:
    return bytes(field).decode(errors="replace")


async def call(
    stream: Stream, *, headers: list[tuple[str, str]], body: bytes, is_stream: bool = False
) -> Answer:
    """Return the answer to the one request; raises `CheckFailed` where none can be read.

    One that *is_stream* may have no end: it is left after its first message. The caller closes the
    stream of bytes.
    """
    connection = H2Connection(H2Configuration(client_side=True, header_encoding=None))
    connection.initiate_connection()
    connection.send_headers(1, headers)
    connection.send_data(1, body, end_stream=True)
    stream[1].write(connection.data_to_send())
    try:
        answer = await _read(connection, stream, is_stream=is_stream)
        connection.close_connection()
    except ProtocolError as exc:
        raise CheckFailed(_NOT_HTTP2) from exc
    except OSError as exc:
        raise CheckFailed(reason_of(exc)) from exc
    stream[1].write(connection.data_to_send())
    return answer


async def _read(connection: H2Connection, stream: Stream, *, is_stream: bool) -> Answer:
    reader, writer = stream
    answer, read, frames = Answer(), 0, GracefulEnd()
    while not (answer.is_complete or (is_stream and answer.has_message)):
        data = await reader.read(65536)
        if not data:
            why = "connection closed"
            raise CheckFailed(why if read else f"{why}: perhaps not HTTP/2 on this port")
        if not read and data[0]:
            # The first frame, SETTINGS, is short. h2 would wait for what it takes for a long one.
            raise CheckFailed(_NOT_HTTP2)
        read += len(data)
        if read > _MOST_READ:
            msg = "the answer is too long"
            raise CheckFailed(msg)
        for event in connection.receive_data(frames.without(data)):
            _take(answer, event)
        # Acknowledgements of settings and pings.
        writer.write(connection.data_to_send())
    return answer


def _take(answer: Answer, event: events.Event) -> None:
    if isinstance(event, events.ResponseReceived | events.TrailersReceived):
        answer.take(event.headers or ())
    elif isinstance(event, events.DataReceived):
        answer.body += event.data
    elif isinstance(event, events.StreamEnded):
        answer.is_complete = True
    elif isinstance(event, events.StreamReset):
        msg = f"the server broke the call off (HTTP/2 error {int(event.error_code)})"
        raise CheckFailed(msg)
    elif isinstance(event, events.ConnectionTerminated) and event.error_code:
        msg = f"the server ended the connection (HTTP/2 error {int(event.error_code)})"
        raise CheckFailed(msg)
