"""Runs the checks and other tasks until a signal, or the outcome, ends them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gate.runtime import orphans
from gate.runtime.runner import DependencyCheck, run_checks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from gate.runtime.board import Board


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


def _end_on_fault(done: asyncio.Future[None], exit_code: asyncio.Future[int]) -> None:
    """End the process on a fault of its own: without that task it would wait for ever."""
    if done.cancelled() or exit_code.done():
        return
    fault = done.exception()
    if fault is not None:
        exit_code.set_exception(fault)
