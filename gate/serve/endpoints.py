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

    Endpoint = Callable[[web.BaseRequest], Awaitable[Answer]]

_KUBELET = "kube-probe/"
_VERSIONS = {HttpVersion10, HttpVersion11}
_METHODS = {"GET", "HEAD"}


class Hold(Protocol):
    """Takes note that a request is held; False: too many are, so it is answered at once."""

    def __call__(self, request: web.BaseRequest, *, is_held: bool) -> bool: ...  # noqa: D102 -- the class says it


class Endpoints:
    """Answers requests as *made* says, and waits for *board*.

    A table of paths does for a handful of them: a router of aiohttp's, with the application around
    it, would be a megabyte.
    """

    def __init__(self, board: Board, made: Answers, hold: Hold) -> None:
        self._board = board
        self._answers = made
        self._note_hold = hold
        self._endpoints: dict[str, Endpoint] = {
            "/startupz": self.startup,
            "/readyz": self.readiness,
            "/livez": self.liveness,
            "/healthz": self.liveness,
            "/status": self.status,
            "/metrics": self.metrics,
            "/": self.page,
        }

    async def respond(self, request: web.BaseRequest) -> web.Response:
        """Return the response to *request*, also to one that is refused."""
        if request.version not in _VERSIONS:
            # Its version would be that of the answer, too.
            response = _response(answers.bad_request("HTTP/1.0 or HTTP/1.1, please"))
            response.force_close()
            return response
        try:
            return _response(await self._endpoint(request)(request))
        except _RefusedError as exc:
            return _response(exc.answer)

    def _endpoint(self, request: web.BaseRequest) -> Endpoint:
        path = request.rel_url.path_safe
        if request.method not in _METHODS:
            return self.unknown
        if path.startswith(answers.PARTS) and path != answers.PARTS:
            return self.part
        return self._endpoints.get(path, self.unknown)

    async def startup(self, request: web.BaseRequest) -> Answer:
        """Answer whether the gate is open; `hold` waits for the opening."""
        await self._hold(request, lambda: self._board.latch.is_open)
        return self._answers.startup(**_asked(request))

    async def part(self, request: web.BaseRequest) -> Answer:
        """Answer whether a part is open; `hold` waits for its opening."""
        name = request.rel_url.path_safe.removeprefix(answers.PARTS)
        if self._board.part(name) is not None:
            await self._hold(request, lambda: self._is_open(name))
        return self._answers.part(name, **_asked(request))

    async def readiness(self, _request: web.BaseRequest) -> Answer:
        """Answer whether the pod should be in its Services."""
        return self._answers.readiness()

    async def liveness(self, _request: web.BaseRequest) -> Answer:
        """Answer that this process answers."""
        return self._answers.liveness()

    async def status(self, request: web.BaseRequest) -> Answer:
        """Answer everything; `hold` and `seen` wait for another revision than that."""
        seen = request.query.get("seen", "")
        await self._hold(request, lambda: str(self._board.latch.revision) != seen)
        return self._answers.status()

    async def metrics(self, request: web.BaseRequest) -> Answer:
        """Answer a scraper."""
        return self._answers.metrics(request.headers.get("Accept", ""))

    async def page(self, _request: web.BaseRequest) -> Answer:
        """Answer a browser."""
        return self._answers.page()

    async def unknown(self, request: web.BaseRequest) -> Answer:
        """Answer that there is no such thing."""
        return answers.unknown(request.path)

    def _is_open(self, name: str) -> bool:
        snapshot = self._board.part(name)
        return snapshot is not None and snapshot.is_open

    async def _hold(self, request: web.BaseRequest, is_so: Callable[[], bool]) -> None:
        """Wait until *is_so* or the gate stops, as long as `hold` says."""
        seconds = _seconds_held(request)
        if not seconds or not self._note_hold(request, is_held=True):
            return
        try:
            await self._board.until(lambda: is_so() or self._board.is_stopping, seconds)
        finally:
            self._note_hold(request, is_held=False)


def _seconds_held(request: web.BaseRequest) -> float:
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


def _asked(request: web.BaseRequest) -> dict[str, bool]:
    """Return which form of a verdict *request* asks for."""
    is_kubelet = request.headers.get("User-Agent", "").startswith(_KUBELET)
    return {"brief": "brief" in request.query, "is_kubelet": is_kubelet}


def _response(answer: Answer) -> web.Response:
    headers = dict((*answers.HEADERS, *answer.headers, ("Content-Type", answer.content_type)))
    return web.Response(status=answer.status, body=answer.body, headers=headers)
