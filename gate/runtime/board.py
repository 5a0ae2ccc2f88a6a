"""The latch in time: one clock, those who watch it, and those who wait for it to change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gate.core import parts
from gate.core.attempt_counters import AttemptCounters
from gate.runtime import suspension

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gate.core.latch import Latch
    from gate.core.model import Result, Snapshot, Transition

    Observer = Callable[[Transition, Snapshot], None]


NAP = 0.25
"""Seconds of a suspended host after which what was seen before proves nothing."""


class Board:
    """Holds the latch, and one more for each part of the pod that opens on its own.

    Results go in here; everyone else reads, or waits for a change. It belongs to one running loop,
    whose `time()` is the clock.
    """

    def __init__(
        self,
        latch: Latch,
        observers: Iterable[Observer] = (),
        groups: Mapping[str, Latch] | None = None,
    ) -> None:
        self.latch = latch
        self.attempt_counters = AttemptCounters()
        self.is_stopping = False
        self._observers = tuple(observers)
        self._groups = dict(groups or {})
        self._noted: set[str] = set()
        self._changed = asyncio.Event()
        self._slept = suspension.slept()

    def now(self) -> float:
        """Return the time that the latch knows, in seconds."""
        return asyncio.get_running_loop().time()

    def snapshot(self) -> Snapshot:
        """Return everything that is known now."""
        return self.latch.snapshot(self.now())

    @property
    def part_names(self) -> tuple[str, ...]:
        """The parts that can be asked for: the groups, and each dependency."""
        return (*self._groups, *self.latch.names)

    def part(self, name: str) -> Snapshot | None:
        """Return what is known of the part *name* now; None: there is no such part."""
        if group := self._groups.get(name):
            return parts.of_group(group.snapshot(self.now()), self.snapshot())
        return parts.of_dependency(name, self.snapshot())

    def rests(self, name: str) -> bool:
        """Whether the dependency *name* is ready, and nobody waits for a proof of it."""
        return self.latch.rests(name) and all(
            group.rests(name) for group in self._waiting_groups_of(name)
        )

    def is_asked(self, name: str) -> bool:
        """Whether the dependency *name* is to prove once more that it is ready."""
        return name in self.latch.asked or any(
            name in group.asked for group in self._waiting_groups_of(name)
        )

    def record(self, result: Result) -> None:
        """Take the outcome of an attempt."""
        self._doubt_after_suspension()
        self.attempt_counters.count(result, is_open=self.latch.is_open)
        for group in self._waiting_groups_of(result.name):
            group.record(result)
        self._note_opened_groups()
        self._publish(self.latch.record(result))

    def tick(self) -> None:
        """Let the latch see how late it is."""
        self._doubt_after_suspension()
        now = self.now()
        for group in self._groups.values():
            group.tick(now)
        self._note_opened_groups()
        self._publish(self.latch.tick(now))

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

    def wake(self) -> None:
        """Have everyone who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _doubt_after_suspension(self) -> None:
        """Have everything proven anew where the host was suspended since the last look."""
        before, self._slept = self._slept, suspension.slept()
        if self._slept - before > NAP:
            for latch in (self.latch, *self._groups.values()):
                latch.doubt(self.now())

    def _waiting_groups_of(self, name: str) -> list[Latch]:
        if not self._groups:
            return []
        return [each for each in self._groups.values() if name in each.names and not each.is_open]

    def _note_opened_groups(self) -> None:
        """Tell of each group that has opened before the whole."""
        for name, group in self._groups.items():
            if group.is_open and name not in self._noted and not self.latch.is_open:
                self._noted.add(name)
                snapshot = group.snapshot(self.now())
                self.latch.note_part(self.now(), name, snapshot.degraded)

    def _publish(self, transitions: tuple[Transition, ...]) -> None:
        if transitions:
            snapshot = self.snapshot()
            for transition in transitions:
                for observe in self._observers:
                    observe(transition, snapshot)
        if transitions or self.latch.asked or any(each.asked for each in self._groups.values()):
            self.wake()
