"""The latch in time: one clock, those who watch it, and those who wait for it to change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gate.core.attempt_counters import AttemptCounters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gate.core.latch import Latch
    from gate.core.model import Result, Snapshot, Transition

    Observer = Callable[[Transition, Snapshot], None]


class Board:
    """Holds the latch; results go in here, everyone else reads or waits here.

    Belongs to one running loop, whose `time()` is the clock.
    """

    def __init__(self, latch: Latch, observers: Iterable[Observer] = ()) -> None:
        self.latch = latch
        self.attempt_counters = AttemptCounters()
        self.is_stopping = False
        self._observers = tuple(observers)
        self._changed = asyncio.Event()

    def now(self) -> float:
        """Return the time that the latch knows, in seconds."""
        return asyncio.get_running_loop().time()

    def snapshot(self) -> Snapshot:
        """Return everything that is known now."""
        return self.latch.snapshot(self.now())

    def record(self, result: Result) -> None:
        """Take the outcome of an attempt."""
        self.attempt_counters.count(result, is_open=self.latch.is_open)
        self._publish(self.latch.record(result))

    def tick(self) -> None:
        """Let the latch see how late it is."""
        self._publish(self.latch.tick(self.now()))

    def open(self, degraded: str = "") -> None:
        """Open whatever is waited for."""
        self._publish(self.latch.open(self.now(), degraded))

    def stop(self) -> None:
        """Send away everyone who waits: the gate is told to end."""
        self.is_stopping = True
        self.wake()

    async def changed(self) -> None:
        """Return at the next change: a transition, a request for proof, the stop."""
        await self._changed.wait()

    async def opened(self) -> None:
        """Return once the gate is open."""
        while not self.latch.is_open:
            await self.changed()

    async def until(self, is_so: Callable[[], bool], seconds: float) -> None:
        """Return as soon as *is_so*, after *seconds* at the latest."""
        try:
            async with asyncio.timeout(seconds):
                while not is_so():
                    await self.changed()
        except TimeoutError:
            return

    def _publish(self, transitions: tuple[Transition, ...]) -> None:
        if transitions:
            snapshot = self.snapshot()
            for transition in transitions:
                for observe in self._observers:
                    observe(transition, snapshot)
        if transitions or self.latch.asked:
            self.wake()

    def wake(self) -> None:
        """Have everyone who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()
