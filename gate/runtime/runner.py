"""Attempts: one at a time for each dependency, all dependencies in parallel."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.core import attempt, backoff, durations
from gate.core.errors import Absent, CheckFailed, NameNotFound
from gate.core.model import Dependency, Result, Until
from gate.core.one_line import one_line
from gate.runtime.lookout import Lookout, Watch
from gate.runtime.time_limit import time_limit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from gate.runtime.board import Board

LONGEST_REASON = 300
"""Longest reason that is kept, in characters: it is shown in logs, pages and events."""
NO_REASON = "not ready"
_ABSENCE = frozenset({Until.DOWN, Until.GONE})
LOOK_AGAIN = 10.0
"""Seconds between attempts at a dependency that is ready while others are waited for."""


@dataclass(frozen=True, slots=True)
class DependencyCheck:
    """A dependency and the check that tells whether it is ready.

    A check may have `async def changed(self)`, which returns when another attempt is worth making.
    It cuts the pause after a failure short.
    """

    dependency: Dependency
    check: Callable[[], Awaitable[None]]


async def make_attempt(dependency_check: DependencyCheck) -> Result:
    """Return the outcome of one attempt, within the dependency's timeout."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    reason = await _why_not(dependency_check)
    return Result(
        name=dependency_check.dependency.name,
        ok=not reason,
        # Removing secrets may leave nothing of a reason; the attempt has failed all the same.
        reason=reason and (_clean(reason) or NO_REASON),
        started=started,
        finished=loop.time(),
    )


async def run_checks(dependency_checks: Iterable[DependencyCheck], board: Board) -> None:
    """Check all dependencies until the gate opens, and the monitored ones for ever.

    The opening ends attempts that are under way. With nothing to wait for, the gate opens at once.
    """
    async with Lookout() as lookout, asyncio.TaskGroup() as group:
        tasks = [
            (each, group.create_task(_keep_checking(each, board, Watch(lookout))))
            for each in dependency_checks
        ]
        # After the checks: a slow start must not give up a dependency that was never tried.
        group.create_task(_keep_time(board))
        await board.opened()
        for dependency_check, task in tasks:
            if not dependency_check.dependency.monitor:
                task.cancel()


async def _keep_checking(dependency_check: DependencyCheck, board: Board, watch: Watch) -> None:
    while not board.latch.is_open or dependency_check.dependency.monitor:
        board.record(await make_attempt(dependency_check))
        await _pause(dependency_check, board, watch)
        await _rest(dependency_check.dependency, board)


async def _rest(dependency: Dependency, board: Board) -> None:
    """Wait while *dependency* is ready and others are not, and look again now and then.

    A dependency that was lost meanwhile would otherwise be shown as ready until the opening.
    """
    if board.rests(dependency.name):
        chance = random.random()  # noqa: S311 -- spreads load, guards nothing
        seconds = backoff.jittered(max(LOOK_AGAIN, dependency.interval), chance=chance)
        await board.until(lambda: not board.rests(dependency.name), seconds)


async def _pause(dependency_check: DependencyCheck, board: Board, watch: Watch) -> None:
    """Sleep until the next attempt is due, or until the gate opens."""
    dependency, latch = dependency_check.dependency, board.latch
    if latch.is_open:
        if dependency.monitor:
            await asyncio.sleep(dependency.interval)
        return
    if board.rests(dependency.name) or board.is_asked(dependency.name):
        watch.note({})
        return
    watch.note(attempt.places())
    failures = latch.failures(dependency.name)
    limit = backoff.longest(dependency.interval, is_local=dependency.is_local, crowd=watch.crowd)
    chance = random.random()  # noqa: S311 -- spreads load, guards nothing
    if dependency.is_local and watch.sees_nothing:
        seconds = watch.until_round(chance)
    elif failures:
        seconds = backoff.pause(failures, pace=watch.pace, limit=limit, chance=chance)
        seconds = min(seconds, backoff.soon(watch.refusals))
    else:
        # A success that others of `successes` must follow, at the full interval.
        seconds = limit
    await _sleep(dependency_check, board, watch, seconds)


async def _sleep(
    dependency_check: DependencyCheck, board: Board, watch: Watch, seconds: float
) -> None:
    """Sleep for *seconds*, or until the gate opens or there is news by a look or of the check."""
    changed = getattr(dependency_check.check, "changed", None)
    if changed is None:
        # The opening cancels this task, or it is monitored and goes on all the same.
        await watch.pause(seconds)
        return
    async with asyncio.TaskGroup() as group:
        worth = asyncio.Event()
        heed = group.create_task(_heed(changed, worth, board))
        # A check that reports a change at every moment would be tried without any pause.
        least = min(seconds, backoff.FIRST)
        await board.until(lambda: board.latch.is_open, least)
        await board.until(lambda: board.latch.is_open or worth.is_set(), seconds - least)
        heed.cancel()


async def _heed(changed: Callable[[], Awaitable[None]], worth: asyncio.Event, board: Board) -> None:
    """Wait until the check reports a change. If that fails, the pause takes its full time."""
    # Any fault: a broken check must not end the others, and the next attempt reports it.
    with suppress(Exception, SystemExit):
        await changed()
        worth.set()
        board.wake()


async def _keep_time(board: Board) -> None:
    """Tick the latch at the start, and whenever a deadline has passed."""
    board.tick()
    while (due := board.latch.next_deadline(board.now())) is not None:
        await board.until(lambda: board.latch.is_open, due - board.now())
        board.tick()


async def _why_not(dependency_check: DependencyCheck) -> str:
    """Return why the dependency is not ready, empty if it is."""
    until = dependency_check.dependency.until
    attempt.begin(dependency_check.dependency.secrets)
    try:
        await _in_time(dependency_check)
    except Absent as exc:
        return _why_absence_is_not_enough(exc, until)
    except CheckFailed as exc:
        return str(exc) or NO_REASON
    except asyncio.CancelledError:
        # Our own cancellation ends the attempt. One that escaped from a library would end the task
        # silently, and the dependency would never be tried again.
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        return "the check is broken: it cancelled itself"
    except (Exception, SystemExit) as exc:  # noqa: BLE001 -- a broken check, perhaps of another package, must not end the others
        return f"the check is broken: {type(exc).__name__}: {exc}"
    return "still there" if until in _ABSENCE else ""


def _why_absence_is_not_enough(exc: Absent, until: Until) -> str:
    """Return why *exc* is not what is waited for, empty if it is."""
    if until not in _ABSENCE:
        return str(exc) or "not there"
    if until is Until.DOWN and isinstance(exc, NameNotFound):
        return f"{exc}: a typo looks like this too; until=gone takes it for absent"
    return ""


async def _in_time(dependency_check: DependencyCheck) -> None:
    """Run the check; raises `CheckFailed` with the stage it hung in when time is up."""
    seconds = dependency_check.dependency.timeout
    limit = time_limit(seconds)
    try:
        async with limit:
            await dependency_check.check()
    except TimeoutError as exc:
        late = f"no answer within {durations.show(seconds)}" if limit.expired() else "timed out"
        doing = attempt.current_stage()
        raise CheckFailed(f"{doing}: {late}" if doing else late) from exc


def _clean(reason: str) -> str:
    """Return *reason* as one short line without secrets."""
    return one_line(attempt.redacted(reason), LONGEST_REASON)
