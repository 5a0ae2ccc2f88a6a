"""TLS as TDS has it: the handshake travels in packets of TDS, what follows does not.

[MS-TDS] 2.2.6.5. asyncio's own TLS cannot be told that, so records are taken from the conversation
one by one.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from gate.checks.mssql import packets
from gate.checks.wire.reasons import reason_of
from gate.checks.wire.stream import Closed
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.stream import Conversation
    from gate.checks.wire.tls_options import Tls

_RECORD_HEAD, _REST_OF_HEAD = 5, 3
"""Bytes of the head of a record, and how many more that of a packet has."""
_MOST_FLIGHTS = 16


class Encrypted:
    """A channel over TLS within *talk*."""

    def __init__(self, talk: Conversation, context: ssl.SSLContext, name: str) -> None:
        self._talk = talk
        self._read, self._unread = ssl.MemoryBIO(), bytearray()
        self._written = ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(self._read, self._written, server_hostname=name)
        except ValueError as exc:
            msg = f"TLS: {name!r} is not a name that a certificate has"
            raise CheckFailed(msg) from exc

    async def handshake(self) -> None:
        """Agree with the server; raises `CheckFailed`."""
        for _ in range(_MOST_FLIGHTS):
            is_done = self._is_agreed()
            if flight := self._written.read():
                packets.send(self._talk, packets.PRELOGIN, flight)
            if is_done:
                return
            self._read.write(await packets.receive(self._talk, packets.PRELOGIN, packets.ANSWER))
        msg = "TLS: the handshake has no end"
        raise CheckFailed(msg)

    def send(self, data: bytes) -> None:
        """Send *data*, at the latest when an answer is awaited."""
        self._tls.write(data)
        self._talk.send(self._written.read())

    async def exactly(self, count: int) -> bytes:
        """Return the next *count* bytes; raises `CheckFailed`."""
        while len(self._unread) < count:
            self._unread += await self._next(count - len(self._unread))
        found = bytes(self._unread[:count])
        del self._unread[:count]
        return found

    def _is_agreed(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as exc:
            raise CheckFailed(reason_of(exc)) from exc
        return True

    async def _next(self, most: int) -> bytes:
        """Return up to *most* bytes, from another record where none are left."""
        try:
            data = self._tls.read(most)
        except ssl.SSLWantReadError:
            self._read.write(await self._record())
            return b""
        except ssl.SSLError as exc:
            raise CheckFailed(reason_of(exc)) from exc
        if not data:
            msg = "connection closed without an answer"
            raise Closed(msg)
        return data

    async def _record(self) -> bytes:
        head = await self._talk.exactly(_RECORD_HEAD)
        if head[0] == packets.PRELOGIN:
            # TLS 1.3 sends tickets when the handshake is over, which a server may still wrap.
            size = int.from_bytes(head[2:4], "big") - _RECORD_HEAD
            return (await self._talk.exactly(max(size, _REST_OF_HEAD)))[_REST_OF_HEAD:]
        return head + await self._talk.exactly(int.from_bytes(head[3:], "big"))


async def begin(talk: Conversation, tls: Tls, host: str) -> Encrypted:
    """Return a channel over *tls* to the server called *host*, which has agreed to that."""
    context = await tls.context()
    attempt.enter_stage("TLS handshake")
    channel = Encrypted(talk, context, tls.name_for(host))
    await channel.handshake()
    return channel
