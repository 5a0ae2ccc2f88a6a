"""The open connections: bounded in number, and none stays silent for ever.

Whoever reaches the port could otherwise hold all descriptors with connections that send nothing,
and the kubelet's next probe would not be accepted. So a request's head has 10 s to arrive, a
connection that is kept alive 15 s between two requests, and when there are too many the one that
has been silent longest gives way. Only a request that is held back on purpose is spared.
"""

from __future__ import annotations

import asyncio
import resource
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
_BATCH = 16
"""Connections accepted in one go: so many may be open above the bound for a moment."""
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


class _Connection(asyncio.Protocol):
    """Passes everything on to *inner*, and ends a connection whose head does not come."""

    def __init__(self, connections: Connections, inner: asyncio.Protocol) -> None:
        self._connections = connections
        self._inner = inner
        self._transport: asyncio.Transport | None = None
        self._tail = b""
        self._timer: asyncio.TimerHandle | None = None
        self.is_held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- of a listening socket it is one
        self._transport = transport
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.end)
        self._inner.connection_made(transport)
        self._connections.add(transport, self)

    def data_received(self, data: bytes) -> None:
        if self._timer is not None:
            seen = self._tail + data
            self._tail = seen[-len(_END_OF_HEAD) + 1 :]
            if _END_OF_HEAD in seen:
                self._timer.cancel()
                self._timer = None
        if self._transport is not None:
            self._connections.touch(self._transport)
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._connections.remove(self._transport)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

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
    sock.listen(128)
    return server
