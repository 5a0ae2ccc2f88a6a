"""The transitions that are kept: a dependency that flaps drives out no other's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.core.model import Transition

MOST = 500
"""Transitions of the wait that are kept, and as many of the time after it."""


class History:
    """Holds transitions in order, `MOST` of them.

    Each one too many drives out the oldest of whoever has the most, the gate itself included. So
    one that flaps for days keeps the rest, and the others lose nothing.
    """

    def __init__(self) -> None:
        self._kept: list[Transition] = []
        self._counts: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        """How many transitions of each name are not kept any more."""

    def __iter__(self) -> Iterator[Transition]:
        """Return what is kept, oldest first."""
        return iter(self._kept)

    def add(self, transition: Transition) -> None:
        """Keep *transition*."""
        self._kept.append(transition)
        self._counts[transition.name] += 1
        if len(self._kept) > MOST:
            self._drop_one()

    def _drop_one(self) -> None:
        ((busiest, _),) = self._counts.most_common(1)
        at = next(i for i, each in enumerate(self._kept) if each.name == busiest)
        del self._kept[at]
        self._counts[busiest] -= 1
        self.left_out[busiest] += 1
