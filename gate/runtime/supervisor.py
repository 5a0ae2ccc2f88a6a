"""Runs the checks and other tasks until a signal, or the outcome, ends them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gate.runtime import orphans, unused_pages
from gate.runtime.runner import DependencyCheck, run_checks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from gate.runtime.board import Board

_SETTLED = 2.0
"""Seconds after which what remains to be done has been done once: the start is over."""


async def run_until_exit(
    dependency_checks: Iterable[DependencyCheck],
    board: Board,
    exit_code: asyncio.Future[int],
    *others: Awaitable[None],
) -> int:
    """Run the checks and *others* until *exit_code* is set; then cancel what still runs."""
    tasks = [
        asyncio.ensure_future(run_checks(dependency_checks, board)),
        asyncio.ensure_future(orphans.clear_away()),
        asyncio.ensure_future(_give_back()),
        *(asyncio.ensure_future(other) for other in others),
    ]
    for task in tasks:
        task.add_done_callback(lambda done: _end_on_fault(done, exit_code))
    try:
        return await exit_code
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _give_back() -> None:
    await asyncio.sleep(_SETTLED)
    unused_pages.give_back()


def _end_on_fault(done: asyncio.Future[None], exit_code: asyncio.Future[int]) -> None:
    """End the process on a fault of its own: without that task it would wait for ever."""
    if done.cancelled() or exit_code.done():
        return
    fault = done.exception()
    if fault is not None:
        exit_code.set_exception(fault)
