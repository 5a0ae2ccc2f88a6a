"""When the gate opens: a state machine without clock, loop or I/O.

Results of attempts and the time go in; transitions come out. The rule (spec 4): the gate
opens when everything it needs is ready *at the same time*, and then stays open.

What it needs, at a moment: each required dependency, one of each `any` group, each optional
dependency still within its deadline. What *at the same time* means: every success counted
is at most `freshness` old. One that is older is asked to prove itself again (`asked`); a
failed proof puts it back to waiting. Where attempts take longer than `freshness`, proofs
given one after the other would be stale for ever: from the second wave on all are asked at
once, and what began in that wave counts, however long it took.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.model import (
    Dependency,
    DependencyView,
    Happening,
    Phase,
    Result,
    Snapshot,
    State,
    Transition,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

UNFIT_AFTER = 3
"""Failures in a row after which a monitored dependency is unfit."""
HISTORY = 500
"""Transitions kept for people; the oldest go first."""


@dataclass(slots=True)
class _Watched:
    """What has been seen of one dependency."""

    dependency: Dependency
    since: float
    reason: str = ""
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


class Latch:
    """The gate's state; every time is of one clock that never goes back, in seconds."""

    def __init__(
        self,
        dependencies: Iterable[Dependency],
        *,
        now: float,
        freshness: float = 5.0,
        timeout: float | None = None,
        open_on_timeout: bool = False,
    ) -> None:
        self._watched = {dependency.name: _Watched(dependency, now) for dependency in dependencies}
        self._started = now
        self._freshness = freshness
        self._deadline = None if timeout is None else now + timeout
        self._open_on_timeout = open_on_timeout
        self._opened: float | None = None
        self._degraded = ""
        self._is_overdue = False
        self._revision = 0
        self._history: deque[Transition] = deque(maxlen=HISTORY)
        self._new: list[Transition] = []
        self._asked: set[str] = set()
        self._wave: float | None = None
        self._waves = 0

    @property
    def is_open(self) -> bool:
        """Whether the app may start; once true, for ever."""
        return self._opened is not None

    @property
    def asked(self) -> frozenset[str]:
        """Those that are ready and shall prove it once more before the gate opens."""
        return frozenset(self._asked)

    def failures(self, name: str) -> int:
        """Return how many attempts in a row have failed."""
        return self._watched[name].failures

    def rests(self, name: str) -> bool:
        """Whether *name* needs no attempt for now: it is ready, and nobody asked for proof."""
        return self._watched[name].is_ready and name not in self._asked and not self.is_open

    def record(self, result: Result) -> tuple[Transition, ...]:
        """Take the outcome of an attempt; return what has changed by it."""
        watched = self._watched[result.name]
        watched.attempts += 1
        watched.last_attempt = result.finished
        self._asked.discard(result.name)
        if self.is_open:
            self._judge_fitness(watched, result)
        elif result.ok:
            self._succeed(watched, result)
        else:
            self._fail(watched, result)
        return self.tick(result.finished)

    def tick(self, now: float) -> tuple[Transition, ...]:
        """Let time pass until *now*; return what has changed since the last call."""
        if not self.is_open:
            self._mark_late(now)
            self._open_if_ready(now)
        new, self._new = tuple(self._new), []
        return new

    def open(self, now: float, degraded: str = "") -> tuple[Transition, ...]:
        """Open whatever is waited for: told to (`GATE_DISABLED`), or was open before."""
        if not self.is_open:
            self._open(now, degraded)
        return self.tick(now)

    def next_deadline(self, now: float) -> float | None:
        """Return when time alone changes something next; None: never."""
        if self.is_open:
            return None
        ends = [self._deadline] if self._deadline is not None else []
        ends += [
            self._started + watched.dependency.deadline
            for watched in self._watched.values()
            if watched.dependency.deadline is not None
        ]
        return min((end for end in ends if end > now), default=None)

    def snapshot(self, now: float) -> Snapshot:
        """Return everything that is known, at *now*."""
        return Snapshot(
            at=now,
            started=self._started,
            phase=self._phase(),
            revision=self._revision,
            dependencies=tuple(self._view(watched, now) for watched in self._watched.values()),
            opened=self._opened,
            degraded=self._degraded,
            pending=() if self.is_open else tuple(self._pending()),
            transitions=tuple(self._history),
        )

    def _phase(self) -> Phase:
        if self.is_open:
            return Phase.OPEN
        return Phase.OVERDUE if self._is_overdue else Phase.WAITING

    def _view(self, watched: _Watched, now: float) -> DependencyView:
        state = State.READY if watched.is_ready else watched.late or State.WAITING
        end = watched.ready_at if watched.ready_at is not None else self._opened or now
        return DependencyView(
            dependency=watched.dependency,
            state=state,
            reason=watched.reason,
            attempts=watched.attempts,
            since=watched.since,
            waited=end - self._started,
            is_fit=watched.is_fit,
            last_attempt=watched.last_attempt,
        )

    def _succeed(self, watched: _Watched, result: Result) -> None:
        watched.streak += 1
        watched.failures = 0
        watched.began, watched.succeeded = result.started, result.finished
        if watched.is_ready or watched.streak < watched.dependency.successes:
            return
        self._become_ready(watched, result.finished)

    def _become_ready(self, watched: _Watched, now: float) -> None:
        watched.is_ready, watched.late, watched.reason = True, None, ""
        watched.since = watched.ready_at = now
        self._tell(now, Happening.READY, watched)

    def _fail(self, watched: _Watched, result: Result) -> None:
        was_ready, before = watched.is_ready, watched.reason
        watched.streak, watched.is_ready = 0, False
        watched.failures += 1
        watched.reason = result.reason
        self._wave, self._waves = None, 0
        if was_ready:
            watched.since, watched.ready_at = result.finished, None
            self._asked.clear()
            self._tell(result.finished, Happening.LOST, watched)
        elif before != result.reason:
            self._tell(result.finished, Happening.WAITING, watched)

    def _judge_fitness(self, watched: _Watched, result: Result) -> None:
        watched.failures = 0 if result.ok else watched.failures + 1
        watched.reason = result.reason
        if result.ok and not watched.is_ready:
            self._become_ready(watched, result.finished)
        is_fit = result.ok or (watched.is_fit and watched.failures < UNFIT_AFTER)
        if is_fit == watched.is_fit:
            return
        watched.is_fit = is_fit
        self._tell(result.finished, Happening.FIT if is_fit else Happening.UNFIT, watched)

    def _mark_late(self, now: float) -> None:
        for watched in self._watched.values():
            deadline = watched.dependency.deadline
            if watched.is_ready or watched.late or deadline is None:
                continue
            if now - self._started >= deadline:
                optional = watched.dependency.optional
                watched.late = State.GIVEN_UP if optional else State.OVERDUE
                watched.since = now
                self._tell(now, Happening.GIVEN_UP if optional else Happening.OVERDUE, watched)
        self._mark_overdue(now)

    def _mark_overdue(self, now: float) -> None:
        total = self._deadline is not None and now >= self._deadline
        late = any(
            not self._is_met(names)
            and all(self._watched[name].late is State.OVERDUE for name in names)
            for names in self._needs()
        )
        is_overdue = total or late
        if is_overdue and not self._is_overdue:
            self._tell(now, Happening.GATE_OVERDUE)
        self._is_overdue = is_overdue

    def _open_if_ready(self, now: float) -> None:
        needs = self._needs()
        if all(any(self._is_current(name, now) for name in names) for names in needs):
            self._open(now, self._without(needs))
        elif all(self._is_met(names) for names in needs):
            self._ask(needs, now)
        if not self.is_open and self._is_overdue and self._open_on_timeout:
            self._open(now, self._without(needs))

    def _needs(self) -> list[tuple[str, ...]]:
        """Return what must be ready: of each tuple one."""
        groups: dict[str, list[str]] = {}
        for name, watched in self._watched.items():
            if watched.late is State.GIVEN_UP:
                continue
            group = watched.dependency.group
            # A name cannot hold a space, so it cannot be taken for a group.
            groups.setdefault(f"{group} of any" if group else name, []).append(name)
        return [tuple(names) for names in groups.values()]

    def _is_met(self, names: tuple[str, ...]) -> bool:
        return any(self._watched[name].is_ready for name in names)

    def _pending(self) -> list[str]:
        return [name for names in self._needs() if not self._is_met(names) for name in names]

    def _is_current(self, name: str, now: float) -> bool:
        watched = self._watched[name]
        if not watched.is_ready or name in self._asked:
            return False
        in_wave = self._wave is not None and watched.began >= self._wave
        return in_wave or now - watched.succeeded <= self._freshness

    def _ask(self, needs: list[tuple[str, ...]], now: float) -> None:
        """Ask for proof once all are ready: first those that are stale, then everyone."""
        if self._asked:
            return
        self._waves += 1
        if self._waves > 1:
            self._wave = now
        stale = [
            names
            for names in needs
            if self._waves > 1 or not any(self._is_current(name, now) for name in names)
        ]
        self._asked = {name for names in stale for name in names if self._watched[name].is_ready}

    def _without(self, needs: list[tuple[str, ...]]) -> str:
        """Return how the opening is degraded, empty if it is not."""
        missing = {name for names in needs if not self._is_met(names) for name in names}
        missing |= {
            name
            for name, watched in self._watched.items()
            if watched.late is State.GIVEN_UP and not self._group_is_met(watched)
        }
        told = [
            f"{name}: {watched.reason or 'no answer yet'}"
            for name, watched in self._watched.items()
            if name in missing
        ]
        return f"opened without {'; '.join(told)}" if told else ""

    def _group_is_met(self, watched: _Watched) -> bool:
        group = watched.dependency.group
        return group is not None and any(
            other.is_ready for other in self._watched.values() if other.dependency.group == group
        )

    def _open(self, now: float, degraded: str) -> None:
        self._opened, self._degraded = now, degraded
        self._asked.clear()
        for watched in self._watched.values():
            watched.is_fit = watched.failures < UNFIT_AFTER
        self._tell(now, Happening.GATE_OPENED, reason=degraded)

    def _tell(
        self, now: float, happening: Happening, watched: _Watched | None = None, reason: str = ""
    ) -> None:
        transition = Transition(
            at=now,
            happening=happening,
            name=watched.dependency.name if watched else "",
            reason=watched.reason if watched else reason,
        )
        self._revision += 1
        self._history.append(transition)
        self._new.append(transition)
