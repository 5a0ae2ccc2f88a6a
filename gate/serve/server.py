"""The server: endpoints on a socket, with bounded connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from gate.serve import connections
from gate.serve.connections import Connections
from gate.serve.endpoints import make_app

if TYPE_CHECKING:
    import asyncio
    import socket

    from gate.runtime.board import Board
    from gate.serve.answers import Answers

_GOODBYE = 0.1
"""Seconds for held requests to get their answer: gate ends within 200 ms of SIGTERM."""
_LINGERING = 2.0
"""Seconds for which the body of a request, which nobody wants, is read and thrown away."""


class Server:
    """Answers over HTTP, as *answers* says."""

    def __init__(self, board: Board, answers: Answers) -> None:
        self._connections: Connections | None = None
        app = make_app(board, answers, self._hold)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_GOODBYE,
            keepalive_timeout=connections.IDLE_SECONDS,
            lingering_time=_LINGERING,
        )
        self._server: asyncio.Server | None = None

    async def start(self, sock: socket.socket) -> None:
        """Answer on the listening *sock*."""
        await self._runner.setup()
        make_protocol = self._runner.server
        assert make_protocol is not None  # noqa: S101 -- it is there after setup
        self._connections = Connections(make_protocol, connections.most())
        self._server = await connections.accept(sock, self._connections)

    async def close(self) -> None:
        """Stop accepting, and end what is open once it has got its answer."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    def _hold(self, request: web.Request, *, is_held: bool) -> bool:
        return self._connections is not None and self._connections.hold(
            request.transport, is_held=is_held
        )
