"""Orphans: PID 1 inherits them when their parents end, and has to clear them away when they end.

The kernel says of a child that has ended whose number it had, not who started it. What gate has
started says so (`own`). A check of another package does not, so what has ended is left for a while
to whoever may still ask for its exit code: one that was taken away would read as 0, as success.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

GRACE = 10.0
"""Seconds for which an ended process is left to whoever has started it."""
_LOOK = os.WEXITED | os.WNOHANG | os.WNOWAIT
_own: set[int] = set()


@contextmanager
def own(pid: int) -> Iterator[None]:
    """Leave the child *pid* alone within the block, in which its exit code is asked for."""
    _own.add(pid)
    try:
        yield
    finally:
        _own.discard(pid)


async def clear_away() -> None:
    """Reap what ends and nobody asks for, until cancelled; nothing to do but for PID 1."""
    if os.getpid() != 1:
        return
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    # Not by the loop's own method, which would take over the pipe of `gate.runtime.signals`.
    signal.signal(signal.SIGCHLD, lambda *_: loop.call_soon_threadsafe(ended.set))
    left: set[int] = set()
    while True:
        left = reap(left)
        if not left:
            await ended.wait()
        ended.clear()
        await asyncio.sleep(GRACE)


def reap(left: set[int]) -> set[int]:
    """Reap those of *left* that are there still; return the others that have ended."""
    zombies = _ended() - _own
    for pid in zombies & left:
        # A thread may have asked for it just now.
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return zombies - left


def _ended() -> set[int]:
    """Return the children that have ended and whose exit code nobody has asked for."""
    try:
        if os.waitid(os.P_ALL, 0, _LOOK) is None:
            return set()
    except ChildProcessError:
        return set()
    # The call above tells of one only, and of the same one again and again.
    return {pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _is_zombie(pid)}  # noqa: PTH208 -- pathlib is dear


def _is_zombie(pid: int) -> bool:
    """Whether *pid* is a child of this process and has ended."""
    try:
        return os.waitid(os.P_PID, pid, _LOOK) is not None
    except ChildProcessError:
        return False
