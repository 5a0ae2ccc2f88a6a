"""What `serve` and `wait` report alike: the log, the termination message, the reminder."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate import record, wording
from gate.board import Board
from gate.latch import Latch
from gate.logs import LogObserver
from gate.model import Phase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from structlog.typing import FilteringBoundLogger

    from gate.board import Observer
    from gate.config import Settings
    from gate.runner import Watch

REMINDER = 15.0
"""Seconds between two lines that say what is still waited for."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be waited for, and how."""

    settings: Settings
    watches: Sequence[Watch]
    logger: FilteringBoundLogger
    is_shown: bool = False
    """Something else shows what changes: the log is for the rest."""

    def reminders(self, board: Board) -> list[Awaitable[None]]:
        """Return the task that logs every 15 s what is pending; none where that is shown."""
        return [] if self.is_shown else [_remind(self.logger, board)]

    def complain(self, event: str, path: str | None, exc: OSError) -> None:
        """Warn of a file that cannot be used; nothing is worth failing for it."""
        self.logger.warning(event, path=path, reason=(exc.strerror or str(exc)).lower())


def make_board(
    job: Job,
    *,
    timeout: float | None,
    open_on_timeout: bool = False,
    observers: Iterable[Observer] = (),
) -> Board:
    """Return the board for *job*, logging and keeping the termination message."""
    watching: list[Observer] = [*observers]
    path = record.termination_path(job.settings.termination_log)
    if path is not None:
        message = record.TerminationMessage(
            path, lambda exc: job.complain("termination_log.unwritable", path, exc)
        )
        watching.append(message.observe)
    # The log last: who reads of the opening there finds the files written.
    if not job.is_shown:
        watching.append(LogObserver(job.logger).observe)
    latch = Latch(
        [watch.dependency for watch in job.watches],
        now=asyncio.get_running_loop().time(),
        freshness=job.settings.freshness,
        timeout=timeout,
        open_on_timeout=open_on_timeout,
    )
    return Board(latch, watching)


async def _remind(logger: FilteringBoundLogger, board: Board) -> None:
    while not board.latch.is_open:
        await board.until(lambda: board.latch.is_open, REMINDER)
        snapshot = board.snapshot()
        if not snapshot.is_open:
            is_late = snapshot.phase is Phase.OVERDUE
            logger.info(
                "gate.overdue" if is_late else "gate.waiting",
                seconds=round(snapshot.elapsed),
                waiting_for=wording.pending(snapshot),
            )
