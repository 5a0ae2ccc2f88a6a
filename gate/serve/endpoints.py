"""The endpoints: handlers that wait for the board where they are told to, and then answer.

Status lines are held back, never bodies: a probe whose headers have come and whose body has not is
an error that the kubelet throws away, counted neither as success nor as failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aiohttp import HttpVersion10, HttpVersion11, web

from gate.core import durations
from gate.serve import answers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gate.runtime.board import Board
    from gate.serve.answers import Answer, Answers

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_KUBELET = "kube-probe/"


class Hold(Protocol):
    """Takes note that a request is held; False: too many are, so it is answered at once."""

    def __call__(self, request: web.Request, *, is_held: bool) -> bool: ...  # noqa: D102 -- the class says it


def make_app(board: Board, made: Answers, hold: Hold) -> web.Application:
    """Return the application that answers as *made* says, and waits for *board*."""
    endpoints = Endpoints(board, made, hold)
    app = web.Application(middlewares=[_refuse])
    app.on_response_prepare.append(_add_headers)
    # A GET route answers HEAD too.
    app.router.add_get("/startupz", endpoints.startup)
    app.router.add_get("/startupz/{part}", endpoints.part)
    app.router.add_get("/readyz", endpoints.readiness)
    app.router.add_get("/livez", endpoints.liveness)
    app.router.add_get("/healthz", endpoints.liveness)
    app.router.add_get("/status", endpoints.status)
    app.router.add_get("/metrics", endpoints.metrics)
    app.router.add_get("/", endpoints.page)
    app.router.add_route("*", "/{path:.*}", endpoints.unknown)
    return app


class Endpoints:
    """The handlers."""

    def __init__(self, board: Board, made: Answers, hold: Hold) -> None:
        self._board = board
        self._answers = made
        self._note_hold = hold

    async def startup(self, request: web.Request) -> web.Response:
        """Answer whether the gate is open; `hold` waits for the opening."""
        await self._hold(request, lambda: self._board.latch.is_open)
        return _response(self._answers.startup(**_asked(request)))

    async def part(self, request: web.Request) -> web.Response:
        """Answer whether a part is open; `hold` waits for its opening."""
        name = request.match_info["part"]
        if self._board.part(name) is not None:
            await self._hold(request, lambda: self._is_open(name))
        return _response(self._answers.part(name, **_asked(request)))

    async def readiness(self, _request: web.Request) -> web.Response:
        """Answer whether the pod should be in its Services."""
        return _response(self._answers.readiness())

    async def liveness(self, _request: web.Request) -> web.Response:
        """Answer that this process answers."""
        return _response(self._answers.liveness())

    async def status(self, request: web.Request) -> web.Response:
        """Answer everything; `hold` and `seen` wait for another revision than that."""
        seen = request.query.get("seen", "")
        await self._hold(request, lambda: str(self._board.latch.revision) != seen)
        return _response(self._answers.status())

    async def metrics(self, request: web.Request) -> web.Response:
        """Answer a scraper."""
        return _response(self._answers.metrics(request.headers.get("Accept", "")))

    async def page(self, _request: web.Request) -> web.Response:
        """Answer a browser."""
        return _response(self._answers.page())

    async def unknown(self, request: web.Request) -> web.Response:
        """Answer that there is no such thing."""
        return _response(answers.unknown(request.path))

    def _is_open(self, name: str) -> bool:
        snapshot = self._board.part(name)
        return snapshot is not None and snapshot.is_open

    async def _hold(self, request: web.Request, is_so: Callable[[], bool]) -> None:
        """Wait until *is_so* or the gate stops, as long as `hold` says."""
        seconds = _seconds_held(request)
        if not seconds or not self._note_hold(request, is_held=True):
            return
        try:
            await self._board.until(lambda: is_so() or self._board.is_stopping, seconds)
        finally:
            self._note_hold(request, is_held=False)


def _seconds_held(request: web.Request) -> float:
    """Return what `hold` says, 0 where it is not given."""
    texts = request.query.getall("hold", [])
    if len(texts) > 1:
        msg = "hold: given more than once"
        raise _RefusedError(msg)
    try:
        return durations.parse(texts[0]) if texts and texts[0] else 0.0
    except ValueError as exc:
        msg = f"hold: {exc}"
        raise _RefusedError(msg) from exc


class _RefusedError(Exception):
    """A request that is not answered as it asks."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.answer = answers.bad_request(why)


def _asked(request: web.Request) -> dict[str, bool]:
    """Return which form of a verdict *request* asks for."""
    is_kubelet = request.headers.get("User-Agent", "").startswith(_KUBELET)
    return {"brief": "brief" in request.query, "is_kubelet": is_kubelet}


def _response(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=_headers(answer))


def _headers(answer: Answer) -> dict[str, str]:
    return {**dict(answer.headers), "Content-Type": answer.content_type}


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Add what every answer has, also one that aiohttp makes."""
    response.headers.update(answers.HEADERS)


@web.middleware
async def _refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what is refused: another version, which the answer would have too, or a bad `hold`."""
    if request.version not in {HttpVersion10, HttpVersion11}:
        response = _response(answers.bad_request("HTTP/1.0 or HTTP/1.1, please"))
        response.force_close()
        return response
    try:
        return await handler(request)
    except _RefusedError as exc:
        return _response(exc.answer)
