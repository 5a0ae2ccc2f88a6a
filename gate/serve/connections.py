"""The open connections: bounded in number, and none stays silent for ever.

Whoever reaches the port could otherwise hold all descriptors with connections that send nothing,
and the kubelet's next probe would not be accepted. So a request's head has 10 s to arrive, a
connection that is kept alive 15 s between two requests, and when there are too many the one that
has been silent longest gives way. Only a request that is held back on purpose is spared.
"""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

HEAD_SECONDS = 10.0
IDLE_SECONDS = 15.0
MOST = 512
"""Connections open at a time, where the limit of descriptors allows as many."""
MOST_HELD = 100
"""Requests held at a time; one more is answered at once."""
BACKLOG = 512
"""Length of the kernel's queue: connections wait there while the process is replaced."""
_BATCH = 16
"""Connections accepted in one go: so many may be open above the bound for a moment."""
_LAST_ANSWERS = 2.0
_LONGEST_HEAD = 64 * 1024
_END_OF_HEAD = b"\r\n\r\n"


def most() -> int:
    """Return how many connections may be open: half of the descriptors at most."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(_BATCH, min(MOST, soft // 2))


class Connections:
    """Makes the protocol of each connection, and ends those that must give way."""

    def __init__(self, make_protocol: Callable[[], asyncio.Protocol], limit: int) -> None:
        self._make_protocol = make_protocol
        self._limit = limit
        self._open: dict[asyncio.BaseTransport, _Connection] = {}
        self._most_held = min(MOST_HELD, limit // 2)
        self._held = 0
        self._gone = asyncio.Event()
        self.is_closing = False

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return _Connection(self, self._make_protocol())

    def hold(self, transport: asyncio.BaseTransport | None, *, is_held: bool) -> bool:
        """Spare the connection of *transport* while its request is held; False: too many are."""
        connection = None if transport is None else self._open.get(transport)
        if connection is None or (is_held and self._held >= self._most_held):
            return False
        self._held += is_held - connection.is_held
        connection.is_held = is_held
        return True

    async def drain(self) -> None:
        """Return when every connection that was open is answered and closed, in 16 s at the latest.

        From now on each answer closes its connection (`is_closing`), so that no client sends a
        second request on one that is about to go.
        """
        self.is_closing = True
        before = {transport for transport, each in self._open.items() if each.has_begun}
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS + 1.0):
                while before & set(self._open):
                    await self._left()

    async def finish(self) -> list[tuple[int, bytes]]:
        """Return those on which no request has come yet: descriptor, and what has been read.

        The others get their answers first, within 2 s. The descriptors stay those of the
        connections: a second one for each would be more than the process may have.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_ANSWERS):
                while any(each.has_begun for each in self._open.values()):
                    await self._left()
        return [each.set_aside() for each in self._open.values() if not each.has_begun]

    def go_on(self) -> None:
        """Serve again those that `finish` has returned."""
        self.is_closing = False
        for each in self._open.values():
            each.resume()

    async def _left(self) -> None:
        self._gone.clear()
        await self._gone.wait()

    def add(self, transport: asyncio.Transport, connection: _Connection) -> None:
        """Take a new connection in; one too many ends the one that is silent longest."""
        self._open[transport] = connection
        if len(self._open) > self._limit:
            idle = (each for each in self._open.values() if not each.is_held)
            if oldest := next(idle, None):
                oldest.end()

    def touch(self, transport: asyncio.BaseTransport) -> None:
        """Note that *transport* has said something: it is now the last to give way."""
        if (connection := self._open.pop(transport, None)) is not None:
            self._open[transport] = connection

    def remove(self, transport: asyncio.BaseTransport) -> None:
        """Forget a connection that has ended."""
        connection = self._open.pop(transport, None)
        if connection is not None:
            self._held -= connection.is_held
            self._gone.set()


class _Connection(asyncio.Protocol):
    """Passes everything on to *inner*, and ends a connection whose head does not come."""

    def __init__(self, connections: Connections, inner: asyncio.Protocol) -> None:
        self._connections = connections
        self._inner = inner
        self._transport: asyncio.Transport | None = None
        self._head = b""
        """What has been read of the first request, until it is complete."""
        self._timer: asyncio.TimerHandle | None = None
        self.is_held = False
        self.has_begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- of a listening socket it is one
        self._transport = transport
        self._start_timer()
        self._inner.connection_made(transport)
        self._connections.add(transport, self)

    def data_received(self, data: bytes) -> None:
        if not self.has_begun:
            self._head += data
            # An overlong head is the parser's to refuse.
            if _END_OF_HEAD in self._head or len(self._head) > _LONGEST_HEAD:
                self.has_begun, self._head = True, b""
                self._stop_timer()
        if self._transport is not None:
            self._connections.touch(self._transport)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._transport is not None:
            self._connections.remove(self._transport)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def set_aside(self) -> tuple[int, bytes]:
        """Stop reading; return the descriptor, and what has been read.

        Nothing closes it meanwhile: its number would go to something else.
        """
        assert self._transport is not None  # noqa: S101 -- it is open
        self._stop_timer()
        self._transport.pause_reading()
        return self._transport.get_extra_info("socket").fileno(), self._head

    def resume(self) -> None:
        """Go on reading."""
        if self._transport is not None and not self.has_begun:
            self._start_timer()
            self._transport.resume_reading()

    def _start_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.end)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self) -> None:
        """End it at once; the descriptor is free in the next turn of the loop."""
        if self._transport is not None:
            # Forgotten now: in a flood the next one must not choose the same again.
            self._connections.remove(self._transport)
            self._transport.abort()


async def accept(sock: socket.socket, connections: Connections) -> asyncio.Server:
    """Accept on the listening *sock*; the caller closes the server.

    A few at a time, so that a flood meets the bound before descriptors run out. asyncio takes one
    number for that and for the kernel's queue, so the queue is made long again.
    """
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connections, sock=sock, backlog=_BATCH)
    sock.listen(BACKLOG)
    return server
