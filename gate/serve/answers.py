"""What each endpoint answers: from what the board knows to status, headers and body.

Nothing here waits, and nothing knows the server: the endpoints hold a request and then ask here,
and the small responder that takes over after the opening sends what was prepared here.

No answer has a `Location`: the kubelet takes a redirect to another host for success.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from gate.core.model import Phase
from gate.report import page, plain_text, status

if TYPE_CHECKING:
    from gate.core.model import Snapshot
    from gate.report.metrics import Exposition
    from gate.runtime.board import Board

HEADERS = (
    ("Cache-Control", "no-store"),
    ("Server", "gate"),
    ("X-Content-Type-Options", "nosniff"),
)
"""Headers of every answer. By `Server` the clients of gate recognise that they reached gate."""
PATHS = ("/startupz", "/readyz", "/livez", "/healthz", "/status", "/metrics", "/")
PARTS = "/startupz/"
_TEXT = "text/plain; charset=utf-8"
_OVERDUE = 424
_DEGRADED = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it goes out, but for its length and the date."""

    status: int
    body: bytes
    content_type: str = _TEXT
    headers: tuple[tuple[str, str], ...] = ()


class Answers:
    """Makes the answers from *board*.

    *tells_degraded*: the kubelet's startup probe is answered so that a degraded opening becomes an
    event of the pod. *shows_all*: False leaves only verdicts, for pods whose port others can reach.
    """

    def __init__(
        self, board: Board, *, tells_degraded: bool = True, shows_all: bool = True
    ) -> None:
        self._board = board
        self._tells_degraded = tells_degraded
        self._shows_all = shows_all
        self._exposition: Exposition | None = None

    def startup(self, *, brief: bool, is_kubelet: bool) -> Answer:
        """200 once open, else 503, or 424 when overdue."""
        return self._verdict(self._board.snapshot(), brief=brief, is_kubelet=is_kubelet)

    def part(self, name: str, *, brief: bool, is_kubelet: bool) -> Answer:
        """Answer the same for the part *name*; 404 where there is none."""
        snapshot = self._board.part(name)
        if snapshot is None:
            known = f"; there are {' '.join(self._board.part_names)}" if self._shows_all else ""
            return text(404, f"no such part{known}\n")
        return self._verdict(snapshot, brief=brief, is_kubelet=is_kubelet)

    def readiness(self) -> Answer:
        """200 while open, not stopping, and every monitored dependency is fine."""
        snapshot, is_stopping = self._board.snapshot(), self._board.is_stopping
        is_ready = plain_text.is_ready(snapshot, is_stopping=is_stopping)
        body = plain_text.readiness(snapshot, is_stopping=is_stopping)
        if not self._shows_all:
            body = f"readyz check {'passed' if is_ready else 'failed'}\n"
        return text(200 if is_ready else 503, body)

    def liveness(self) -> Answer:
        """200: this process answers, and no more than that."""
        return text(200, "ok\n")

    def status(self) -> Answer:
        """Everything as JSON."""
        if not self._shows_all:
            return _not_shown()
        body = json.dumps(status.document(self._board)) + "\n"
        return Answer(200, body.encode(), "application/json; charset=utf-8")

    def metrics(self, accept: str) -> Answer:
        """Everything for Prometheus, in the form that the header *accept* asks for."""
        if not self._shows_all:
            return _not_shown()
        if self._exposition is None:
            # By name: prometheus_client is loaded at the first scrape.
            self._exposition = import_module("gate.report.metrics").Exposition(self._board)
        body, content_type = self._exposition.render(accept)
        return Answer(200, body, content_type)

    def page(self) -> Answer:
        """Show people what `status` tells programs."""
        if not self._shows_all:
            return _not_shown()
        body, policy = page.load()
        headers = (*page.HEADERS.items(), ("Content-Security-Policy", policy))
        return Answer(200, body.encode(), "text/html; charset=utf-8", headers)

    def _verdict(self, snapshot: Snapshot, *, brief: bool, is_kubelet: bool) -> Answer:
        if self._board.is_stopping:
            return text(503, "gate is stopping\n")
        line = plain_text.brief(snapshot) + "\n"
        body = line if brief else plain_text.verbose(snapshot)
        if not self._shows_all:
            line = body = f"{snapshot.phase}\n"
        if not snapshot.is_open:
            return text(_OVERDUE if snapshot.phase is Phase.OVERDUE else 503, body)
        if snapshot.degraded and self._tells_degraded and is_kubelet:
            # Success for the kubelet, which writes a Warning event with the body.
            return text(_DEGRADED, line)
        return text(200, body)


def unknown(path: str) -> Answer:
    """405 for a method other than GET and HEAD, 404 with what there is for another path."""
    part = path.removeprefix(PARTS)
    if path in PATHS or (part and part != path and "/" not in part):
        return text(405, "only GET and HEAD\n", ("Allow", "GET, HEAD"))
    return text(404, f"no such path; there are {' '.join(PATHS)}\n")


def bad_request(why: str) -> Answer:
    """400, and what to write instead."""
    return text(400, f"{why}\n")


def text(status_code: int, body: str, *headers: tuple[str, str]) -> Answer:
    """Return an answer in plain text."""
    return Answer(status_code, body.encode(errors="replace"), _TEXT, headers)


def _not_shown() -> Answer:
    return text(404, "not shown: GATE_STATUS is off\n")
