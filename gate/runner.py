"""Attempts: one at a time for each dependency, all dependencies in parallel."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate import backoff, durations, stage
from gate.errors import Absent, CheckFailed
from gate.model import Dependency, Result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from gate.board import Board

LONGEST_REASON = 300
"""Characters of a reason that are kept: it stands in logs, pages and events."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A dependency and the check that tells whether it is ready.

    A check may have `async def changed(self)`, which returns when another attempt is worth
    making: it then cuts the pause after a failure short.
    """

    dependency: Dependency
    check: Callable[[], Awaitable[None]]


async def attempt(watch: Watch) -> Result:
    """Return the outcome of one attempt, within the dependency's timeout."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    reason = _clean(await _why_not(watch), watch.dependency)
    return Result(
        name=watch.dependency.name,
        ok=not reason,
        reason=reason,
        started=started,
        finished=loop.time(),
    )


async def watch_all(watches: Iterable[Watch], board: Board) -> None:
    """Attempt all until the gate is open, and the monitored ones for ever."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_keep_time(board))
        for watch in watches:
            group.create_task(_watch(watch, board))


async def _watch(watch: Watch, board: Board) -> None:
    name = watch.dependency.name
    while not board.latch.is_open or watch.dependency.monitor:
        board.record(await attempt(watch))
        await _pause(watch, board)
        while board.latch.rests(name):
            await board.changed()


async def _pause(watch: Watch, board: Board) -> None:
    """Sleep until the next attempt is due; the opening ends the sleep."""
    dependency, latch = watch.dependency, board.latch
    if latch.rests(dependency.name):
        return
    if latch.is_open:
        if dependency.monitor:
            await asyncio.sleep(dependency.interval)
        return
    limit = backoff.longest(dependency.interval, is_local=dependency.is_local)
    failures = latch.failures(dependency.name)
    # 0 failures: a success that others of `successes` must follow, at the full interval.
    chance = random.random()  # noqa: S311 -- spreads load, guards nothing
    seconds = backoff.pause(failures, limit=limit, chance=chance) if failures else limit
    await _sleep(watch, board, seconds)


async def _sleep(watch: Watch, board: Board, seconds: float) -> None:
    """Sleep for *seconds*, less if the gate opens or the check says that it is worth it."""
    changed = getattr(watch.check, "changed", None)
    if changed is None:
        await board.until(lambda: board.latch.is_open, seconds)
        return
    worth = asyncio.ensure_future(_heed(changed, board))
    try:
        await board.until(lambda: board.latch.is_open or worth.done(), seconds)
    finally:
        worth.cancel()


async def _heed(changed: Callable[[], Awaitable[None]], board: Board) -> None:
    """Wait for the check's word; what goes wrong there the next attempt will tell."""
    with suppress(CheckFailed):
        await changed()
    board.wake()


async def _keep_time(board: Board) -> None:
    """Tell the latch when a deadline has passed."""
    while (due := board.latch.next_deadline(board.now())) is not None:
        await board.until(lambda: board.latch.is_open, due - board.now())
        board.tick()


async def _why_not(watch: Watch) -> str:
    """Return why the dependency is not ready, empty if it is."""
    dependency = watch.dependency
    stage.begin()
    try:
        async with asyncio.timeout(dependency.timeout):
            await watch.check()
    except Absent as exc:
        return "" if dependency.until_down else str(exc) or "not there"
    except CheckFailed as exc:
        return str(exc) or "not ready"
    except TimeoutError:
        doing = stage.current()
        late = f"no answer within {durations.show(dependency.timeout)}"
        return f"{doing}: {late}" if doing else late
    except Exception as exc:  # noqa: BLE001 -- a broken check, perhaps of another package, must not end the others
        return f"the check is broken: {type(exc).__name__}: {exc}"
    return "still there" if dependency.until_down else ""


def _clean(reason: str, dependency: Dependency) -> str:
    """Return *reason* as one short line without secrets."""
    for secret in (*stage.secrets(), *dependency.secrets):
        reason = reason.replace(secret, "***")
    line = " ".join("".join(char if char.isprintable() else " " for char in reason).split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"
