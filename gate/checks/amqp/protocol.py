"""AMQP 0-9-1 as far as a check needs it: methods in frames, and refusals in words."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.wire.stream import phrase
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.stream import Conversation

Method = tuple[int, int]

START, START_OK = (10, 10), (10, 11)
TUNE, TUNE_OK = (10, 30), (10, 31)
OPEN, OPEN_OK = (10, 40), (10, 41)
CLOSE, CLOSE_OK = (10, 50), (10, 51)
CHANNEL_OPEN, CHANNEL_OPEN_OK = (20, 10), (20, 11)
CHANNEL_CLOSE = (20, 40)
DECLARE, DECLARE_OK = (50, 10), (50, 11)
NEVER = (0, 0)
"""What no broker sends."""

PROTOCOL = b"AMQP\x00\x00\x09\x01"
_FRAME = struct.Struct(">BHI")
_METHOD, _FRAME_END = 1, b"\xce"
_FRAME_KINDS = frozenset({1, 2, 3, 8})
_MOST_FRAMES = 32
_NO_REASON = struct.pack(">HBHH", 200, 0, 0, 0)
_NOT_AMQP = "not AMQP 0-9-1 on this port"


class Refusal(CheckFailed):
    """The broker has closed the connection or the channel, with a code and a text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Methods:
    """The methods of one connection, sent and awaited."""

    talk: Conversation
    is_closed: bool = False
    """Whether the broker has closed the connection, not only the channel."""

    def send(self, method: Method, arguments: bytes = b"", *, channel: int = 0) -> None:
        """Send *method*."""
        payload = struct.pack(">HH", *method) + arguments
        head = _FRAME.pack(_METHOD, channel, len(payload))
        self.talk.send(head + payload + _FRAME_END)

    async def expect(self, wanted: Method) -> bytes:
        """Return the arguments of the *wanted* method; raises `Refusal`, else `CheckFailed`."""
        for _ in range(_MOST_FRAMES):
            method, arguments = await self._next()
            if method == wanted:
                return arguments
            if method in {CLOSE, CHANNEL_CLOSE}:
                self.is_closed = method == CLOSE
                raise _refusal(arguments)
        raise CheckFailed(_NOT_AMQP)

    async def close(self) -> None:
        """Close the connection as the protocol demands."""
        if self.is_closed:
            self.send(CLOSE_OK)
            return
        # Also for a channel that the broker has closed: it may log an error about two closings at
        # once.
        self.send(CLOSE, _NO_REASON)
        await self.expect(CLOSE_OK)

    async def _next(self) -> tuple[Method | None, bytes]:
        """Return the next method, None for another frame."""
        head = await self.talk.exactly(_FRAME.size)
        kind, _, size = _FRAME.unpack(head)
        if kind not in _FRAME_KINDS:
            raise CheckFailed(_NOT_AMQP)
        payload = await self.talk.exactly(size + 1)
        if payload[-1:] != _FRAME_END:
            raise CheckFailed(_NOT_AMQP)
        if kind != _METHOD or size < 4:  # noqa: PLR2004 -- two numbers of two bytes
            return None, b""
        return struct.unpack_from(">HH", payload), payload[4:-1]


def mechanisms(start: bytes) -> list[bytes]:
    """Return the ways to log in that the arguments of START offer."""
    place = 2  # behind the version; first the properties, as long as four bytes say
    place += 4 + int.from_bytes(start[place : place + 4], "big")
    size = int.from_bytes(start[place : place + 4], "big")
    return start[place + 4 :][:size].split()


def short_text(text: str) -> bytes:
    """Return *text*, at most 255 bytes, as AMQP writes it."""
    raw = text.encode(errors="surrogateescape")
    return struct.pack("B", len(raw)) + raw


def long_text(raw: bytes) -> bytes:
    """Return *raw* as AMQP writes longer texts and tables."""
    return struct.pack(">I", len(raw)) + raw


def _refusal(arguments: bytes) -> Refusal:
    """Return the refusal that a closing method carries: code and text, `NOT_FOUND - no queue …`."""
    code = int.from_bytes(arguments[:2], "big")
    size = arguments[2] if len(arguments) > 2 else 0  # noqa: PLR2004 -- behind the code
    text = phrase(arguments[3 : 3 + size]) or f"closed with code {code}"
    return Refusal(code, text)
