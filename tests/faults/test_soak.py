"""A long life leaves nothing behind: a virtual day of the runner, some rounds of `make soak`."""

from __future__ import annotations

import asyncio
import gc
import sys

from gate.core.errors import CheckFailed
from gate.core.history import MOST
from gate.core.latch import Latch
from gate.core.model import Dependency
from gate.runtime.board import Board
from gate.runtime.runner import DependencyCheck, run_checks
from tests.faults.soak import Sample, leaks, soak
from tests.virtual import now, play

HOUR = 3600.0
MOST_GROWN = 1000
"""Blocks of memory; one for each attempt or transition would be thousands."""


def flapping(name: str, period: float, *, monitor: bool = False) -> DependencyCheck:
    """Return a check that is ready for half of each *period*."""

    async def check() -> None:
        if now() % period < period / 2:
            msg = f"down for the {int(now() // period)}. time"
            raise CheckFailed(msg)

    dependency = Dependency(name=name, url=f"tcp://{name}:1", interval=20.0, monitor=monitor)
    return DependencyCheck(dependency, check)


async def never() -> None:
    msg = "connection refused"
    raise CheckFailed(msg)


def grown_in_a_day(*checks: DependencyCheck) -> tuple[int, int, int]:
    """Return the blocks and tasks that a day adds to its second hour, and the transitions."""

    async def main() -> tuple[int, int, int]:
        board = Board(Latch([each.dependency for each in checks], now=now()))
        running = asyncio.create_task(run_checks(checks, board))
        await asyncio.sleep(2 * HOUR)
        before, tasks = _used(), len(asyncio.all_tasks())
        await asyncio.sleep(22 * HOUR)
        grown = _used() - before, len(asyncio.all_tasks()) - tasks
        running.cancel()
        return (*grown, len(board.snapshot().transitions))

    return play(main())


def _used() -> int:
    gc.collect()
    return sys.getallocatedblocks()


def test_a_day_of_waiting_grows_nothing() -> None:
    held = DependencyCheck(Dependency(name="never", url="tcp://never:1", interval=20.0), never)

    grown, tasks, transitions = grown_in_a_day(held, flapping("a", 130.0), flapping("b", 47.0))

    assert tasks == 0
    assert transitions == MOST
    assert grown < MOST_GROWN


def test_a_day_of_monitoring_grows_nothing() -> None:
    grown, tasks, transitions = grown_in_a_day(
        flapping("a", 130.0, monitor=True), flapping("b", 47.0, monitor=True)
    )

    assert tasks == 0
    assert transitions <= 2 * MOST
    assert grown < MOST_GROWN


def test_some_rounds_of_scraping_and_flapping_leave_no_descriptor_and_no_thread() -> None:
    for samples in soak(0).values():
        told = leaks(samples)
        assert [each for each in told if not each.startswith("resident")] == []


def test_a_leak_is_told() -> None:
    growing = [Sample(10_000 + 20 * n, 10 + n, 1 + n) for n in range(90)]

    assert leaks(growing) == [
        "descriptors: 39, then 99",
        "threads: 30, then 90",
        "resident: 10290 KiB, then 11490 KiB",
    ]
