"""CrashLoopBackOff (facts 2.16, 2.17)."""

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """The delay before a container's next restart: *base* seconds, doubling up to *longest*."""

    base: float = 10
    longest: float = 300
    delay: float | None = None
    _updated: float = 0

    def remaining(self, finished: float, now: float) -> float:
        """Return the seconds still to wait since the newest known exit at *finished*."""
        if self.delay is None or self._has_expired(finished):
            return 0
        return max(0, finished + self.delay - now)

    def note_restart(self, finished: float, now: float) -> None:
        """Make the next delay longer; to be called at each start after an exit."""
        if self.delay is None or self._has_expired(finished):
            self.delay = self.base
        else:
            self.delay = min(self.delay * 2, self.longest)
        self._updated = now

    def _has_expired(self, finished: float) -> bool:
        return finished - self._updated > 2 * self.longest
