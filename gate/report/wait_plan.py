"""What `serve` and `wait` have in common: settings, checks, log, and the reports of a wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gate.core.latch import Latch
from gate.core.model import Phase
from gate.report import hints, plain_text, termination_message
from gate.report.log import LogObserver
from gate.runtime.board import Board

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from structlog.typing import FilteringBoundLogger

    from gate.config import Settings
    from gate.core.model import Dependency, Snapshot
    from gate.runtime.board import Observer
    from gate.runtime.runner import DependencyCheck

REMINDER = 15.0
"""Seconds between two lines that say what is still waited for."""


@dataclass(frozen=True, slots=True)
class WaitPlan:
    """What is to be waited for, and how."""

    settings: Settings
    dependency_checks: Sequence[DependencyCheck]
    logger: FilteringBoundLogger
    log_form: str = "json"
    """`json` or `console`."""
    is_shown: bool = False
    """Whether something else shows the transitions, so that the log leaves them out."""

    def reminders(self, board: Board) -> list[Awaitable[None]]:
        """Return the task that logs every 15 s what is pending, and hints.

        There is none if that is shown elsewhere.
        """
        return [] if self.is_shown else [_remind(self.logger, board)]

    def complain(self, event: str, path: str | None, exc: OSError) -> None:
        """Warn of a file that cannot be used; nothing is worth failing for it."""
        self.logger.warning(event, path=path, reason=(exc.strerror or str(exc)).lower())

    def tell_blocked(self, place: str) -> None:
        """Say that gate leaves without an end in good order; the main thread is at *place*."""
        reason = "a check does not let gate end, or there is hardly any CPU"
        self.logger.error("gate.blocked", place=place, reason=reason)


def make_board(
    plan: WaitPlan,
    *,
    timeout: float | None,
    open_on_timeout: bool = False,
    observers: Iterable[Observer] = (),
) -> Board:
    """Return the board for *plan*, logging and keeping the termination message."""
    watching: list[Observer] = [*observers]
    path = termination_message.termination_path(plan.settings.termination_log)
    if path is not None:
        message = termination_message.TerminationMessage(
            path, lambda exc: plan.complain("termination_log.unwritable", path, exc)
        )
        watching.append(message.observe)
    # The log comes last: whoever reads there that the gate has opened finds the files written.
    if not plan.is_shown:
        watching.append(LogObserver(plan.logger).observe)
    dependencies = [each.dependency for each in plan.dependency_checks]
    parts: dict[str, list[Dependency]] = {}
    for dependency in dependencies:
        if dependency.part:
            parts.setdefault(dependency.part, []).append(dependency)
    make_latch = partial(
        Latch,
        now=asyncio.get_running_loop().time(),
        freshness=plan.settings.freshness,
        timeout=timeout,
        open_on_timeout=open_on_timeout,
    )
    groups = {name: make_latch(members) for name, members in parts.items()}
    return Board(make_latch(dependencies), watching, groups)


async def _remind(logger: FilteringBoundLogger, board: Board) -> None:
    told: set[tuple[str, str]] = set()
    while not board.latch.is_open:
        await board.until(lambda: board.latch.is_open, REMINDER)
        snapshot = board.snapshot()
        if not snapshot.is_open:
            is_late = snapshot.phase is Phase.OVERDUE
            logger.info(
                "gate.overdue" if is_late else "gate.waiting",
                seconds=round(snapshot.elapsed),
                waiting_for=plain_text.pending(snapshot),
            )
            _tell_hints(logger, snapshot, told)


def _tell_hints(
    logger: FilteringBoundLogger, snapshot: Snapshot, told: set[tuple[str, str]]
) -> None:
    """Log what usually causes the reasons that have stood for a minute, each hint once."""
    for view, hint in hints.pending(snapshot):
        name = view.dependency.name
        if (name, hint) not in told:
            told.add((name, hint))
            logger.info("dependency.hint", dependency=name, reason=view.reason, hint=hint)
