"""What *at the same time* means: each success is proven once more before the gate opens.

Once all are ready, each dependency whose attempts are fast is asked for one more attempt, and that
proof counts for `SAME_TIME`. One whose attempts are slow is asked only where its success is older
than `freshness`.

Slow proofs given one after the other could be stale for ever. At the second asking of a slow one
all are asked at once, and every slow attempt that begins from then on counts, however long it
takes. That moment (`_mark`) is not moved while all stay ready, or attempts out of step would move
it before one another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.core.dependency_state import DependencyState
    from gate.core.needs import Needs

    States = Mapping[str, DependencyState]

SAME_TIME = 0.25
"""Seconds that a proof counts, and that an attempt may take to be called fast.

Confirming a fast attempt costs milliseconds: without it, a dependency that died after its last
success would let the app start into the outage.
"""
_PATIENCE = 8
"""Askings after which a proof of a fast attempt counts as long as one of a slow attempt.

A process that gets no CPU for seconds could otherwise ask for ever.
"""


@dataclass(slots=True)
class Proofs:
    """Who has been asked since all are ready; a new one is made when one of them is lost."""

    freshness: float
    """Seconds that a slow success counts."""
    void: float = -inf
    """What began before proves nothing."""
    asked: set[str] = field(default_factory=set)
    """Those that are to make one more attempt."""
    _askings: int = 0
    _slow_askings: int = 0
    _mark: float | None = None
    _since: float | None = None
    """Since when all are ready."""

    def ask(self, needs: Needs, states: States, now: float) -> bool:
        """Ask those whose success is stale; return whether a proof is still missing.

        At the second asking of a slow one, everyone is asked.
        """
        if self._since is None:
            self._since = now
        stale = [
            names
            for names in needs
            if not any(self._is_current(states[name], now) for name in names)
        ]
        # Only what is still lacking is waited for: of a group, one that hangs while another
        # has given its proof must not delay the rest.
        if all(self.asked.intersection(names) for names in stale):
            return bool(stale)
        self._askings += 1
        if any(_is_slow(states[name]) for name in _ready_in(stale, states)):
            self._slow_askings += 1
            if self._slow_askings == 2:  # noqa: PLR2004 -- the second asking
                self._mark, stale = now, needs
        self.asked |= _ready_in(stale, states)
        return True

    def _is_current(self, state: DependencyState, now: float) -> bool:
        """Whether *state* is ready, and its success is recent enough to count at *now*."""
        age = now - state.succeeded
        if not state.is_ready or state.began < self.void:
            return False
        if _is_slow(state):
            is_marked = self._mark is not None and state.began >= self._mark
            return is_marked or age <= self.freshness
        since = now if self._since is None else self._since
        limit = SAME_TIME if self._askings <= _PATIENCE else self.freshness
        return state.succeeded >= since and age <= limit


def _ready_in(needs: Needs, states: States) -> set[str]:
    return {name for names in needs for name in names if states[name].is_ready}


def _is_slow(state: DependencyState) -> bool:
    """Whether the latest success took so long that a proof is no matter of milliseconds."""
    return state.succeeded - state.began > SAME_TIME
