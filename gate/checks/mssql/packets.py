"""Messages of TDS in packets ([MS-TDS] 2.2.3), and the two by which a client begins."""

from __future__ import annotations

import struct
from typing import Protocol

from gate.checks.wire.stream import LONGEST
from gate.core.errors import CheckFailed

PRELOGIN, LOGIN, ANSWER = 0x12, 0x10, 0x04
ENCRYPTION_OFF, ENCRYPTION_ON, ENCRYPTION_NONE = 0, 1, 2
"""What client and server want; without a login, TLS is never begun."""
NOT_TDS = "not SQL Server on this port"

_HEAD = struct.Struct(">BBHHBB")
_LAST = 0x01
_PAYLOAD = 4096 - _HEAD.size
"""Of one packet, before another size is agreed upon."""
_OPTION = struct.Struct(">BHH")
_VERSION, _ENCRYPTION, _END = 0x00, 0x01, 0xFF
_VERSION_SIZE = 6


class Channel(Protocol):
    """What packets go through: a `Conversation`, or TLS within one."""

    def send(self, data: bytes) -> None:
        """Send *data*, at the latest when an answer is awaited."""

    async def exactly(self, count: int) -> bytes:
        """Return the next *count* bytes; raises `CheckFailed`."""


def send(channel: Channel, kind: int, message: bytes) -> None:
    """Send *message* in as many packets as it takes."""
    for number, start in enumerate(range(0, len(message), _PAYLOAD), 1):
        part = message[start : start + _PAYLOAD]
        status = _LAST if start + _PAYLOAD >= len(message) else 0
        size = _HEAD.size + len(part)
        channel.send(_HEAD.pack(kind, status, size, 0, number & 0xFF, 0) + part)


async def receive(channel: Channel, *kinds: int) -> bytes:
    """Return the next message, which must be of one of *kinds*; raises `CheckFailed`."""
    message = bytearray()
    while len(message) <= LONGEST:
        head = await channel.exactly(_HEAD.size)
        kind, status, size, _, _, _ = _HEAD.unpack(head)
        if kind not in kinds or size < _HEAD.size:
            raise CheckFailed(NOT_TDS)
        message += await channel.exactly(size - _HEAD.size)
        if status & _LAST:
            return bytes(message)
    msg = "the answer is too long"
    raise CheckFailed(msg)


def prelogin(encryption: int) -> bytes:
    """Return the message PRELOGIN: options, where each one's value stands, and the values."""
    values = ((_VERSION, bytes(_VERSION_SIZE)), (_ENCRYPTION, bytes((encryption,))))
    place = _OPTION.size * len(values) + 1
    options, data = b"", b""
    for option, value in values:
        options += _OPTION.pack(option, place + len(data), len(value))
        data += value
    return options + bytes((_END,)) + data


def encryption(answer: bytes) -> int:
    """Return what the server wants, by its *answer* to PRELOGIN; raises `CheckFailed`."""
    found: dict[int, bytes] = {}
    place = 0
    while answer[place : place + 1] not in {b"", bytes((_END,))}:
        if place + _OPTION.size > len(answer):
            raise CheckFailed(NOT_TDS)
        option, start, size = _OPTION.unpack_from(answer, place)
        found[option] = answer[start : start + size]
        place += _OPTION.size
    if len(found.get(_VERSION, b"")) != _VERSION_SIZE:
        raise CheckFailed(NOT_TDS)
    return next(iter(found.get(_ENCRYPTION, b"")), ENCRYPTION_NONE)
