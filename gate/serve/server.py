"""The server: endpoints on a socket, with bounded connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from gate.serve import answers, connections
from gate.serve.connections import Connections
from gate.serve.endpoints import Endpoints

if TYPE_CHECKING:
    import socket

    from gate.runtime.board import Board
    from gate.serve.answers import Answers

_GOODBYE = 0.1
"""Seconds for held requests to get their answer: gate ends within 200 ms of SIGTERM."""
_TURNS = 8
"""Of the loop: accepting, a task and a callback take three."""
_LINGERING = 2.0
"""Seconds for which the body of a request, which nobody wants, is read and thrown away."""


class _Handler(web.RequestHandler):
    """Answers what is no request, too, without telling what gate is made with."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the answer to a request that cannot be read, or that a fault has ended."""
        response = super().handle_error(request, status, exc, message)
        response.headers.update(answers.HEADERS)
        return response


class Server:
    """Answers over HTTP, as *answers* says; to be made in a running loop."""

    def __init__(self, board: Board, answers: Answers) -> None:
        self._connections: Connections | None = None
        self._endpoints = Endpoints(board, answers, self._hold)
        self._http = web.Server(
            self._respond,
            access_log=None,
            handler_cancellation=True,
            keepalive_timeout=connections.IDLE_SECONDS,
            lingering_time=_LINGERING,
        )
        self._server: asyncio.Server | None = None
        self._sock: socket.socket | None = None

    async def start(self, sock: socket.socket) -> None:
        """Answer on the listening *sock*."""
        self._connections = Connections(self._protocol, connections.most())
        # asyncio closes the one it accepts on when it stops; the queue of both is the same.
        self._sock = sock.dup()
        self._server = await connections.accept(sock, self._connections)

    def _protocol(self) -> asyncio.Protocol:
        made = self._http()
        # aiohttp has no place to say which class is to be made.
        made.__class__ = _Handler
        return made

    async def let_answer(self) -> None:
        """Let those answer whom a change has just woken, and those be taken in who have come.

        From now on each answer closes its connection, as `hand_over` waits for those that are open.
        """
        assert self._connections  # noqa: S101 -- started
        self._connections.is_closing = True
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def hand_over(self) -> tuple[int, list[tuple[int, bytes]]]:
        """Stop answering; return the listening descriptor, and the connections without a request.

        Requests under way are answered first. What comes meanwhile waits in the kernel's queue.
        """
        assert self._connections and self._server and self._sock  # noqa: S101, PT018 -- started
        await self._connections.drain()
        # Not by closing the server: asyncio then drops what it has just accepted, which becomes a
        # connection only in one of the loop's next turns.
        asyncio.get_running_loop().remove_reader(self._server.sockets[0].fileno())
        await self.let_answer()
        return self._sock.fileno(), await self._connections.finish()

    def stay(self) -> None:
        """Keep connections open again after their answers: nobody is to take over."""
        assert self._connections  # noqa: S101 -- started
        self._connections.is_closing = False

    async def take_back(self) -> None:
        """Answer again, where nobody could take over."""
        assert self._connections and self._server and self._sock  # noqa: S101, PT018 -- started
        self._server.close()
        self._server = await connections.accept(self._sock.dup(), self._connections)
        self._connections.go_on()

    async def close(self) -> None:
        """Stop accepting, and end what is open once it has got its answer."""
        if self._server is not None:
            self._server.close()
        # What has just come begins to be answered.
        await asyncio.sleep(0)
        self._http.pre_shutdown()
        await self._http.shutdown(_GOODBYE)
        if self._sock is not None:
            self._sock.close()

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await self._endpoints.respond(request)
        if self._connections is not None and self._connections.is_closing:
            response.force_close()
        return response

    def _hold(self, request: web.BaseRequest, *, is_held: bool) -> bool:
        return self._connections is not None and self._connections.hold(
            request.transport, is_held=is_held
        )
