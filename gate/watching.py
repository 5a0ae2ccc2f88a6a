"""What `serve` and `wait` have in common: board, signals, the work and its reminder."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate import record, wording
from gate.board import Board
from gate.latch import Latch
from gate.logs import LogObserver
from gate.model import Phase
from gate.runner import Watch, watch_all

if TYPE_CHECKING:
    import signal
    from collections.abc import Awaitable, Iterable, Mapping, Sequence

    from structlog.typing import FilteringBoundLogger

    from gate.board import Observer
    from gate.config import Settings

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


def ended_by(codes: Mapping[signal.Signals, int]) -> asyncio.Future[int]:
    """Return what a signal settles with its exit code; each of *codes* is handled."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    for number, code in codes.items():
        loop.add_signal_handler(number, end, ended, code)
    return ended


def end(ended: asyncio.Future[int], code: int) -> None:
    """Settle *ended* with *code*, unless something else came first."""
    if not ended.done():
        ended.set_result(code)


async def work(job: Job, board: Board, ended: asyncio.Future[int], *others: Awaitable[None]) -> int:
    """Attempt, remind and do *others* until *ended*; then cancel whatever is under way."""
    tasks = [
        asyncio.ensure_future(watch_all(job.watches, board)),
        *([] if job.is_shown else [asyncio.ensure_future(_remind(job.logger, board))]),
        *(asyncio.ensure_future(other) for other in others),
    ]
    for task in tasks:
        task.add_done_callback(lambda done: _end_on_fault(done, ended))
    try:
        return await ended
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


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


def _end_on_fault(done: asyncio.Future[None], ended: asyncio.Future[int]) -> None:
    """Let a fault of gate's own end it: going on unwatched would be waiting for ever."""
    if done.cancelled() or ended.done():
        return
    fault = done.exception()
    if fault is not None:
        ended.set_exception(fault)
