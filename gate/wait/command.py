"""`gate wait`: waits without a server, for init containers, scripts and laptops."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from gate.core import durations
from gate.core.errors import NotReady
from gate.core.latch import Latch
from gate.core.model import Phase, State
from gate.report import plain_text
from gate.report.wait_plan import WaitPlan, make_board
from gate.runtime.board import Board
from gate.runtime.runner import DependencyCheck, make_attempt
from gate.runtime.signals import exit_code_on_signal, settle
from gate.runtime.supervisor import run_until_exit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gate.core.model import Snapshot, Transition

TIMEOUT = 300.0
"""Default of `GATE_TIMEOUT` for `wait`, in seconds."""


class Display(Protocol):
    """Shows the wait, beside the log or instead of it."""

    def observe(self, transition: Transition, snapshot: Snapshot) -> None:
        """Show a transition."""

    async def follow(self, board: Board) -> None:
        """Keep what depends on the time up to date, until the opening or until cancelled."""

    def end(self, board: Board) -> None:
        """Show the outcome."""


async def wait(plan: WaitPlan, displays: Sequence[Display] = ()) -> int:
    """Return 0 when all is ready, 128 + number after a signal; raises `NotReady`."""
    if plan.settings.disabled:
        plan.logger.warning("gate.disabled", reason=plan.settings.disabled)
        for display in displays:
            display.end(_disabled(plan.settings.disabled))
        return 0
    observers = [display.observe for display in displays]
    board = make_board(plan, timeout=plan.settings.timeout or TIMEOUT, observers=observers)
    codes = {one: 128 + one for one in (signal.SIGTERM, signal.SIGINT)}
    others = plan.reminders(board) + [display.follow(board) for display in displays]
    try:
        with exit_code_on_signal(codes, plan.tell_blocked) as exit_code:
            code = await run_until_exit(
                plan.dependency_checks, board, exit_code, _settle(board, exit_code), *others
            )
    finally:
        for display in displays:
            display.end(board)
    if code == NotReady.exit_code:
        msg = f"not ready in time: {plain_text.pending(board.snapshot())}"
        raise NotReady(msg)
    return code


async def once(
    dependency_checks: Sequence[DependencyCheck], summary: Callable[[Board], str] | None = None
) -> tuple[str, bool]:
    """Make one attempt each; return *summary* or a table, and whether gate would open."""
    now = asyncio.get_running_loop().time()
    # One attempt must do: no successes in a row, and optional dependencies are given up at once.
    dependencies = [
        replace(one, successes=1, deadline=0.0 if one.optional else None)
        for one in (dependency_check.dependency for dependency_check in dependency_checks)
    ]
    board = Board(Latch(dependencies, now=now, confirms=False))
    results = await asyncio.gather(
        *(make_attempt(dependency_check) for dependency_check in dependency_checks)
    )
    for result in results:
        board.record(result)
    board.tick()
    if summary:
        return summary(board), board.latch.is_open
    took = {result.name: result.finished - result.started for result in results}
    return _table(board.snapshot(), took), board.latch.is_open


def _disabled(reason: str) -> Board:
    latch = Latch((), now=asyncio.get_running_loop().time())
    board = Board(latch)
    board.open(f"opened without checking: disabled: {reason}")
    return board


async def _settle(board: Board, exit_code: asyncio.Future[int]) -> None:
    """End the wait at the opening, or as soon as something required is overdue."""
    while (phase := board.snapshot().phase) is Phase.WAITING:
        await board.changed()
    settle(exit_code, 0 if phase is Phase.OPEN else NotReady.exit_code)


def _table(snapshot: Snapshot, took: dict[str, float]) -> str:
    rows = [("NAME", "STATE", "TOOK", "URL", "REASON")]
    for view in snapshot.dependencies:
        name = view.dependency.name
        state = "ready" if view.state is State.READY else "not ready"
        if view.dependency.optional:
            state += " (optional)"
        rows.append((name, state, durations.show(took[name]), view.dependency.url, view.reason))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "".join(
        "  ".join([*map(str.ljust, row[:4], widths), row[4]]).rstrip() + "\n" for row in rows
    )
