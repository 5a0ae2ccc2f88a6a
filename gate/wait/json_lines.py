"""`gate wait --output json`: an object a line for each transition, and a last one that sums up.

    {"time": …, "after_seconds": …, "event": "dependency.ready", "dependency": "db", "reason": ""}
    {"event": "summary", "open": true, "elapsed_seconds": …, "dependencies": […], …}

Transitions are those of `/status` (`gate.report.status`), and the summary is the rest of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gate.report import status

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.core.model import Snapshot, Transition
    from gate.runtime.board import Board


def summary(board: Board) -> str:
    """Return the last line: how everything is, and whether that is open."""
    document = status.document(board)
    del document["transitions"]
    return json.dumps({"event": "summary", **document}) + "\n"


class JsonLines:
    """Writes whole lines with *write*, which returns something else than 0 when it cannot."""

    def __init__(self, write: Callable[[str], int]) -> None:
        self._write = write

    def observe(self, transition: Transition, snapshot: Snapshot) -> None:
        """Write *transition*."""
        self._put(json.dumps(status.transition(transition, snapshot)) + "\n")

    async def follow(self, _board: Board) -> None:
        """Write nothing between transitions."""

    def end(self, board: Board) -> None:
        """Write the last line."""
        self._put(summary(board))

    def _put(self, line: str) -> None:
        if self._write(line):
            # The reader has gone away; gate still has to end with the right code.
            self._write = lambda _: 0
