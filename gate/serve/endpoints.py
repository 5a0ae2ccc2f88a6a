"""The endpoints: handlers that read the board, or wait for it to change, and do nothing else.

Status lines are held back, never bodies: a probe whose headers have come and whose body has
not is an error that the kubelet throws away (fact 3.9). No answer has a `Location`: the
kubelet takes a redirect to another host for success (fact 3.6).
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING

from aiohttp import web

from gate.core import durations
from gate.report import page, plain_text, status

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.report.metrics import Exposition
    from gate.runtime.board import Board

MOST_HELD = 100
"""Requests held at a time; one more is answered at once."""
_HEADERS = {"Cache-Control": "no-store", "Server": "gate"}
_KUBELET = "kube-probe/"
_OVERDUE = 424
_DEGRADED = 300
_PATHS = ("/startupz", "/readyz", "/livez", "/healthz", "/status", "/metrics", "/")


def make_app(board: Board, *, tell_degraded: bool = True) -> web.Application:
    """Return the application that shows *board*.

    *tell_degraded*: answer the kubelet's startup probe so that a degraded opening becomes
    an event of the pod.
    """
    endpoints = Endpoints(board, tell_degraded=tell_degraded)
    app = web.Application()
    # A GET route answers HEAD too.
    app.router.add_get("/startupz", endpoints.startup)
    app.router.add_get("/readyz", endpoints.readiness)
    app.router.add_get("/livez", endpoints.liveness)
    app.router.add_get("/healthz", endpoints.liveness)
    app.router.add_get("/status", endpoints.status)
    app.router.add_get("/metrics", endpoints.metrics)
    app.router.add_get("/", endpoints.page)
    app.router.add_route("*", "/{path:.*}", endpoints.unknown)
    return app


class Endpoints:
    """The handlers, and the count of requests they hold."""

    def __init__(self, board: Board, *, tell_degraded: bool) -> None:
        self._board = board
        self._tell_degraded = tell_degraded
        self._held = 0
        self._exposition: Exposition | None = None

    async def startup(self, request: web.Request) -> web.Response:
        """200 once open, else 503, or 424 when overdue; `hold` waits for the opening."""
        await self._hold(request, lambda: self._board.latch.is_open)
        snapshot = self._board.snapshot()
        if self._board.is_stopping:
            return _text(503, "gate is stopping\n")
        brief = "brief" in request.query
        body = plain_text.brief(snapshot) + "\n" if brief else plain_text.verbose(snapshot)
        if not snapshot.is_open:
            return _text(_OVERDUE if snapshot.phase == "overdue" else 503, body)
        if snapshot.degraded and self._tell_degraded and _is_kubelet(request):
            # Success for the kubelet, and a Warning event with the body (facts 3.6, 3.8).
            return _text(_DEGRADED, plain_text.brief(snapshot) + "\n")
        return _text(200, body)

    async def readiness(self, _request: web.Request) -> web.Response:
        """200 while open, not stopping, and every monitored dependency is fine."""
        snapshot, is_stopping = self._board.snapshot(), self._board.is_stopping
        is_ready = plain_text.is_ready(snapshot, is_stopping=is_stopping)
        body = plain_text.readiness(snapshot, is_stopping=is_stopping)
        return _text(200 if is_ready else 503, body)

    async def liveness(self, _request: web.Request) -> web.Response:
        """200: this process answers, and no more than that."""
        return _text(200, "ok\n")

    async def status(self, request: web.Request) -> web.Response:
        """Everything as JSON; `hold` and `seen` wait for another revision than that."""
        seen = request.query.get("seen", "")
        await self._hold(request, lambda: str(self._board.latch.revision) != seen)
        body = json.dumps(status.document(self._board))
        return web.Response(text=body + "\n", content_type="application/json", headers=_HEADERS)

    async def metrics(self, request: web.Request) -> web.Response:
        """Everything for Prometheus, in the form that `Accept` asks for."""
        if self._exposition is None:
            # By name: prometheus_client is loaded at the first scrape.
            self._exposition = import_module("gate.report.metrics").Exposition(self._board)
        body, content_type = self._exposition.render(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={**_HEADERS, "Content-Type": content_type})

    async def page(self, _request: web.Request) -> web.Response:
        """Show people what `status` tells programs."""
        body, policy = page.load()
        headers = {**_HEADERS, **page.HEADERS, "Content-Security-Policy": policy}
        return web.Response(text=body, content_type="text/html", headers=headers)

    async def unknown(self, request: web.Request) -> web.Response:
        """404, and what there is; 405 for other methods than GET and HEAD."""
        if request.path in _PATHS:
            return _text(405, "only GET and HEAD\n", {"Allow": "GET, HEAD"})
        return _text(404, f"no such path; there are {' '.join(_PATHS)}\n")

    async def _hold(self, request: web.Request, is_so: Callable[[], bool]) -> None:
        """Wait until *is_so* or the gate stops, as long as `hold` says."""
        text = request.query.get("hold", "")
        if not text:
            return
        try:
            seconds = durations.parse(text)
        except ValueError as exc:
            raise web.HTTPBadRequest(text=f"hold: {exc}\n", headers=_HEADERS) from exc
        if self._held >= MOST_HELD:
            return
        self._held += 1
        try:
            await self._board.until(lambda: is_so() or self._board.is_stopping, seconds)
        finally:
            self._held -= 1


def _text(status_code: int, body: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status_code,
        text=body,
        content_type="text/plain",
        headers={**_HEADERS, **(headers or {})},
    )


def _is_kubelet(request: web.Request) -> bool:
    return request.headers.get("User-Agent", "").startswith(_KUBELET)
