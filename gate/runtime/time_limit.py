"""A limit in time that does not blame a dependency for what gate itself lacks.

With a hundredth of a CPU, or held up for a while, gate looks at an answer long after it has come.
Time in which it could have gone on and was not let is not counted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gate.runtime.loop import Loop

if TYPE_CHECKING:
    from types import TracebackType

MOST = 10
"""How many times its length a limit may last, however little CPU there is."""
_EARLY = 0.001
"""Seconds before the end at which it looks whether that is to be put off."""
_WORTH = 0.1
"""Share of the limit that is worth putting it off for: every timer is a little late."""


class TimeLimit:
    """As `asyncio.timeout`: raises `TimeoutError` after *seconds*."""

    def __init__(self, loop: Loop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._limit = asyncio.timeout(seconds)
        self._end = loop.time() + seconds
        self._last = self._end + (MOST - 1) * seconds
        self._held = 0.0

    def expired(self) -> bool:
        """Whether its time was over."""
        return self._limit.expired()

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()
        # Most attempts take milliseconds. From its half on it is worth asking the kernel.
        half = self._end - self._seconds / 2
        self._handle = self._loop.call_at(half, self._begin, half)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handle.cancel()
        await self._limit.__aexit__(kind, error, trace)

    def _begin(self, half: float) -> None:
        """Begin to count, at the half; that may come late."""
        self._held = self._loop.held_up()
        self._put_off(self._loop.late_by(half))

    def _look(self) -> None:
        """Put the end off by the time for which gate was held up since the last look."""
        before, self._held = self._held, self._loop.held_up()
        self._put_off(max(self._held - before, self._loop.late_by(self._end)))

    def _put_off(self, lost: float) -> None:
        now = self._loop.time()
        if lost > _WORTH * self._seconds:
            self._end = min(max(now, self._end) + lost, self._last)
            self._limit.reschedule(self._end)
        if self._end - _EARLY > now:
            self._handle = self._loop.call_at(self._end - _EARLY, self._look)


def time_limit(seconds: float) -> TimeLimit | asyncio.Timeout:
    """Return a limit of *seconds*; on another loop than gate's it is an ordinary one."""
    loop = asyncio.get_running_loop()
    return TimeLimit(loop, seconds) if isinstance(loop, Loop) else asyncio.timeout(seconds)
