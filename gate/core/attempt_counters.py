"""Counters of attempts, for the metrics and the page.

They run at every attempt, so they only add up; the reader computes the rest. Their size is bounded.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gate.core.model import Result

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of durations, in seconds; one more bucket has no bound."""
MOST_MARKS = 60
"""Attempts at one dependency whose times are kept."""


@dataclass(slots=True)
class AttemptCounter:
    """All attempts at one dependency."""

    successes: int = 0
    failures: int = 0
    seconds: float = 0.0
    """All of them together, end to end."""
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    """How many attempts fell into each bucket: above the bound before, up to `BUCKETS[i]`."""
    marks: list[tuple[float, float]] = field(default_factory=list)
    """Start and end of some attempts before the opening, spread over the whole wait."""
    _stride: int = 1

    def count(self, result: Result) -> None:
        """Add one to the figures."""
        if result.ok:
            self.successes += 1
        else:
            self.failures += 1
        took = result.finished - result.started
        self.seconds += took
        self.buckets[bisect_left(BUCKETS, took)] += 1

    def mark(self, result: Result) -> None:
        """Keep the times of *result*, if enough others were left out since the last one kept."""
        if (self.successes + self.failures) % self._stride:
            return
        self.marks.append((result.started, result.finished))
        if len(self.marks) > MOST_MARKS:
            del self.marks[::2]
            self._stride *= 2


class AttemptCounters:
    """The attempts at each dependency, by name."""

    def __init__(self) -> None:
        self._attempts: dict[str, AttemptCounter] = {}

    def __getitem__(self, name: str) -> AttemptCounter:
        """Return the attempts at *name*; before the first there are none in it."""
        return self._attempts.get(name) or AttemptCounter()

    def count(self, result: Result, *, is_open: bool) -> None:
        """Count *result*. Once the gate *is_open*, its times are not kept: the wait is over."""
        attempts = self._attempts.get(result.name)
        if attempts is None:
            attempts = self._attempts[result.name] = AttemptCounter()
        attempts.count(result)
        if not is_open:
            attempts.mark(result)
