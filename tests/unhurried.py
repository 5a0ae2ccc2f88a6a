"""gate's loop with a clock of its own: what holds up the process makes nothing late.

On a busy machine a process may stand still for seconds. By the ordinary clock all limits are
over then, though what they wait for has long come and just was not looked at.
"""

from __future__ import annotations

import selectors
import time

from gate.runtime.loop import Loop
from gate.runtime.selector import LookingSelector

_LONGEST_TURN = 0.001
_TICK = 1e-6


class _Clock(LookingSelector):
    """Counts what the loop waits for, a moment for each turn, and no more."""

    now = 1000.0
    pace = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._left = time.monotonic()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        entered = time.monotonic()
        turn = min(entered - self._left, _LONGEST_TURN) * self.pace
        ready = super().select(timeout and timeout / self.pace)
        self._left = time.monotonic()
        waited = (self._left - entered) * self.pace
        if timeout is not None:
            # Of two that were to be seen at once, what has come goes before what is due.
            waited = min(waited, timeout / 2 if ready else timeout + _TICK)
        self.now += max(turn, waited)
        return ready


class Unhurried(Loop):
    """In real time, but for where the process is held up, and `skip`."""

    def __init__(self) -> None:
        self._clock = _Clock()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now

    def held_up(self) -> float:
        return 0.0  # its clock does not count that anyway

    def late_by(self, moment: float) -> float:
        return 0.0  # but for what is skipped, which is to be over

    def skip(self, seconds: float) -> None:
        """Let *seconds* be over at once, and what then follows take twenty times as long."""
        self._clock.now += seconds
        self._clock.pace = 1 / 20
