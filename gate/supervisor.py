"""What runs until the process is to end: the checks, other tasks, and the signals that end them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gate.runner import Watch, watch_all

if TYPE_CHECKING:
    import signal
    from collections.abc import Awaitable, Iterable, Mapping

    from gate.board import Board


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


async def work(
    watches: Iterable[Watch],
    board: Board,
    ended: asyncio.Future[int],
    *others: Awaitable[None],
) -> int:
    """Run the checks and *others* until *ended* has the exit code; then cancel what is running."""
    tasks = [
        asyncio.ensure_future(watch_all(watches, board)),
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


def _end_on_fault(done: asyncio.Future[None], ended: asyncio.Future[int]) -> None:
    """Let a fault of gate's own end it: going on unwatched would be waiting for ever."""
    if done.cancelled() or ended.done():
        return
    fault = done.exception()
    if fault is not None:
        ended.set_exception(fault)
