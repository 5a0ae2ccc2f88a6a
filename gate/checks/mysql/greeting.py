"""The greeting of a MySQL or MariaDB server, read from the bare socket because TLS may follow."""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.mysql import protocol as wire
from gate.checks.wire.reasons import reason_of
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    import socket

_PROTOCOL = 10
_NONCE = 20
_LONGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the server says first; `nonce` is what passwords are scrambled with."""

    capabilities: int
    nonce: bytes
    plugin: str

    @property
    def offers_tls(self) -> bool:
        """Whether the server speaks TLS."""
        return bool(self.capabilities & wire.CLIENT_SSL)


async def greet(sock: socket.socket) -> Greeting:
    """Return the greeting of the server at *sock*, which is closed on failure.

    Raises `Refused` or `CheckFailed`. Nothing beyond the greeting is read: TLS may follow.
    """
    attempt.enter_stage("greeting")
    try:
        length = _length(await _exactly(sock, 4))
        return _greeting(await _exactly(sock, length))
    except BaseException as exc:
        if isinstance(exc, asyncio.CancelledError):
            _answer_unheard(sock)
        sock.close()
        if isinstance(exc, OSError):
            raise CheckFailed(reason_of(exc)) from exc
        raise


def _answer_unheard(sock: socket.socket) -> None:
    """Answer the greeting of a server that hangs, in case it wakes up: see `protocol.py`."""
    with suppress(OSError):
        answer = wire.response("gate", b"", plugin=wire.NATIVE, database="", tls=False)
        sock.send(wire.packet(1, answer))


def _length(header: bytes) -> int:
    length = int.from_bytes(header[:3], "little")
    if not 0 < length <= _LONGEST:
        raise CheckFailed(wire.STRANGER)
    return length


async def _exactly(sock: socket.socket, count: int) -> bytes:
    loop = asyncio.get_running_loop()
    found = b""
    while len(found) < count:
        piece = await loop.sock_recv(sock, count - len(found))
        if not piece:
            msg = "connection closed before the greeting"
            raise CheckFailed(msg)
        found += piece
    return found


def _greeting(body: bytes) -> Greeting:
    """Return *body* in parts; version and thread id, which are of no use here, are skipped."""
    if body[0] == wire.ERROR:
        raise wire.refused(body)
    _, end, rest = body[1:].partition(b"\0")
    if body[0] != _PROTOCOL or not end or len(rest) < 4 + 8 + 1 + 18:
        raise CheckFailed(wire.STRANGER)
    low, high = struct.unpack("<H3xH", rest[13:20])
    capabilities = low | high << 16
    nonce = rest[4:12] + rest[31:]
    plugin = nonce[_NONCE + 1 :].partition(b"\0")[0].decode(errors="replace")
    return Greeting(capabilities, nonce[:_NONCE], plugin or wire.NATIVE)
