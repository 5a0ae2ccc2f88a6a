"""The state of one dependency: results and time go in, kinds of transitions come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.core.model import Dependency, DependencyView, State, TransitionKind

if TYPE_CHECKING:
    from gate.core.model import Result

UNFIT_AFTER = 3
"""Failures in a row after which a monitored dependency is unfit."""
CONFIRMING = "ready, tried once more before opening"


@dataclass(slots=True)
class DependencyState:
    """What the latch knows of one dependency."""

    dependency: Dependency
    since: float
    reason: str = ""
    reason_since: float = 0.0
    streak: int = 0
    failures: int = 0
    attempts: int = 0
    is_ready: bool = False
    late: State | None = None
    began: float = 0.0
    """When the latest attempt that succeeded began."""
    succeeded: float = 0.0
    ready_at: float | None = None
    last_attempt: float | None = None
    is_fit: bool = True
    has_been_ready: bool = False

    def take(self, result: Result) -> TransitionKind | None:
        """Take the outcome of an attempt made before the opening."""
        return self._succeed(result) if result.ok else self._fail(result)

    def judge(self, result: Result) -> list[TransitionKind]:
        """Take the outcome of an attempt that ended after the opening."""
        kinds = []
        self.failures = 0 if result.ok else self.failures + 1
        self._give_reason(result.reason, result.finished)
        if result.ok and not self.is_ready:
            kinds.append(self._become_ready(result.finished))
        is_fit = self.failures < UNFIT_AFTER
        if self.dependency.monitor and is_fit != self.is_fit:
            self.is_fit = is_fit
            kinds.append(TransitionKind.FIT if is_fit else TransitionKind.UNFIT)
        return kinds

    def start_monitoring(self) -> None:
        """Take over what the attempts before the opening have shown."""
        self.is_fit = not self.dependency.monitor or self.failures < UNFIT_AFTER

    def end(self, started: float) -> float | None:
        """Return the time of the deadline, None if there is none."""
        deadline = self.dependency.deadline
        return None if deadline is None else started + deadline

    def mark_late(self, now: float, started: float) -> TransitionKind | None:
        """See whether the deadline has passed."""
        end = self.end(started)
        # Compared as a sum, as the timer was set: the difference of two floats may be less than the
        # deadline at the moment of the deadline.
        if self.is_ready or self.late or end is None or now < end:
            return None
        self.since = now
        self.late = State.GIVEN_UP if self.dependency.optional else State.OVERDUE
        return TransitionKind.GIVEN_UP if self.dependency.optional else TransitionKind.OVERDUE

    def view(self, *, started: float, until: float, is_asked: bool) -> DependencyView:
        """Return what is known, for people; *until* is now, or the opening."""
        reason = "" if self.is_ready and self.is_fit else self.reason
        return DependencyView(
            dependency=self.dependency,
            state=State.READY if self.is_ready else self.late or State.WAITING,
            reason=CONFIRMING if is_asked else reason,
            attempts=self.attempts,
            since=self.since,
            reason_since=self.reason_since,
            waited=(until if self.ready_at is None else self.ready_at) - started,
            is_fit=self.is_fit,
            has_been_ready=self.has_been_ready,
            last_attempt=self.last_attempt,
        )

    def _succeed(self, result: Result) -> TransitionKind | None:
        self.streak += 1
        self.failures = 0
        self.began, self.succeeded = result.started, result.finished
        if self.is_ready:
            return None
        if self.streak < self.dependency.successes:
            wanted = f"answers, wanted {self.dependency.successes} times in a row"
            return self._wait_because(wanted, result.finished)
        return self._become_ready(result.finished)

    def _become_ready(self, now: float) -> TransitionKind:
        self.is_ready, self.late, self.reason = True, None, ""
        self.has_been_ready = True
        self.since = self.ready_at = now
        return TransitionKind.READY

    def _fail(self, result: Result) -> TransitionKind | None:
        was_ready, self.is_ready = self.is_ready, False
        self.streak = 0
        self.failures += 1
        if not was_ready:
            return self._wait_because(result.reason, result.finished)
        self.since, self.ready_at = result.finished, None
        self._give_reason(result.reason, result.finished)
        return TransitionKind.LOST

    def _wait_because(self, reason: str, now: float) -> TransitionKind | None:
        return TransitionKind.WAITING if self._give_reason(reason, now) else None

    def _give_reason(self, reason: str, now: float) -> bool:
        """Take over *reason*; return whether it is another than before."""
        is_new = reason != self.reason
        if is_new:
            self.reason, self.reason_since = reason, now
        return is_new
