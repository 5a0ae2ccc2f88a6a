"""Runs the checks and other tasks until a signal, or the outcome, ends them."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from gate.runtime import orphans
from gate.runtime.runner import DependencyCheck, run_checks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping

    from gate.runtime.board import Board


PATIENCE = 1.0
"""Seconds that the loop has to heed a signal."""


def exit_code_on_signal(codes: Mapping[signal.Signals, int]) -> asyncio.Future[int]:
    """Return a future that the signals of *codes* settle with their exit codes.

    A check of another package may block the loop, against the contract. The process then leaves
    without it, as the pod would otherwise take its whole grace period to end.
    """
    loop = asyncio.get_running_loop()
    exit_code: asyncio.Future[int] = loop.create_future()
    for number, code in codes.items():
        loop.add_signal_handler(number, settle, exit_code, code)
        # The loop is woken by the signal itself; the handler it has set does nothing.
        signal.signal(number, lambda *_, code=code: _leave_if_blocked(exit_code, code))
        signal.siginterrupt(number, False)
    return exit_code


def _leave_if_blocked(exit_code: asyncio.Future[int], code: int) -> None:
    signal.signal(signal.SIGALRM, lambda *_: exit_code.done() or os._exit(code))
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)


def settle(exit_code: asyncio.Future[int], code: int) -> None:
    """Settle *exit_code* with *code*, unless something else came first."""
    if not exit_code.done():
        exit_code.set_result(code)


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
