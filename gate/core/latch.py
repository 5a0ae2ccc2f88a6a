"""When the gate opens: a state machine without clock, loop or I/O.

Results of attempts and the time go in; transitions come out. The gate opens when everything it
needs is ready *at the same time*, and then stays open.

What it needs stands in `needs.py`, and what *at the same time* means in `proofs.py`.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from gate.core import needs as rule
from gate.core.dependency_state import DependencyState
from gate.core.history import History
from gate.core.model import Dependency, Phase, Result, Snapshot, Transition, TransitionKind
from gate.core.proofs import Proofs

if TYPE_CHECKING:
    from collections.abc import Iterable


class Latch:
    """The state of the gate. All times are seconds of one clock that never goes back."""

    def __init__(
        self,
        dependencies: Iterable[Dependency],
        *,
        now: float,
        freshness: float = 5.0,
        timeout: float | None = None,
        open_on_timeout: bool = False,
        confirms: bool = True,
    ) -> None:
        """Start waiting at *now*; *confirms*: whether a success must be proven once more."""
        self._states = {
            dependency.name: DependencyState(dependency, now) for dependency in dependencies
        }
        self._started = now
        self._deadline = None if timeout is None else now + timeout
        self._open_on_timeout = open_on_timeout
        self._confirms = confirms
        self._opened: float | None = None
        self._degraded = ""
        self._is_overdue = False
        self.revision = 0
        self._history = History()
        self._since_open = History()
        self._new: list[Transition] = []
        self._due = now
        """When time alone changes something next, as computed at the last tick."""
        self._proofs = Proofs(freshness)

    @property
    def is_open(self) -> bool:
        """Whether the app may start; once true, for ever."""
        return self._opened is not None

    @property
    def asked(self) -> frozenset[str]:
        """The dependencies that must prove once more that they are ready before the gate opens."""
        return frozenset(self._proofs.asked)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its dependencies, in the order of writing."""
        return tuple(self._states)

    def failures(self, name: str) -> int:
        """Return how many attempts in a row have failed."""
        return self._states[name].failures

    def rests(self, name: str) -> bool:
        """Whether *name* needs no attempt for now: it is ready, and nobody asked for proof."""
        return self._states[name].is_ready and name not in self._proofs.asked and not self.is_open

    def record(self, result: Result) -> tuple[Transition, ...]:
        """Take the outcome of an attempt; return what has changed by it."""
        state = self._states[result.name]
        state.attempts += 1
        state.last_attempt = result.finished
        self._proofs.asked.discard(result.name)
        if self.is_open:
            for kind in state.judge(result):
                self._tell_of(result.finished, kind, state)
            return self.tick(result.finished)
        change = state.take(result)
        self._tell_of(result.finished, change, state)
        if change is None and not state.is_ready and result.finished < self._due:
            # Nothing has changed: most attempts end here, so this must cost next to nothing.
            return ()
        return self.tick(result.finished)

    def tick(self, now: float) -> tuple[Transition, ...]:
        """Let time pass until *now*; return what has changed since the last call."""
        if not self.is_open:
            for state in self._states.values():
                self._tell_of(now, state.mark_late(now, self._started), state)
            self._open_if_ready(now)
        if not self.is_open:
            self._mark_overdue(now)
        self._due = self.next_deadline(now) or inf
        new, self._new = tuple(self._new), []
        return new

    def doubt(self, now: float) -> None:
        """Take no success of an attempt that began before *now* for a proof."""
        self._proofs.void = now

    def note_part(self, now: float, name: str, degraded: str) -> None:
        """Keep in the history that the part *name* has opened; told with the next change."""
        self._tell(now, TransitionKind.PART_OPENED, name=name, reason=degraded)

    def open(self, now: float, degraded: str = "") -> tuple[Transition, ...]:
        """Open regardless of what is waited for, as it is disabled or was open before."""
        if not self.is_open:
            self._open(now, degraded)
        return self.tick(now)

    def next_deadline(self, now: float) -> float | None:
        """Return when time alone changes something next; None: never."""
        if self.is_open:
            return None
        ends = [self._deadline, *(each.end(self._started) for each in self._states.values())]
        return min((end for end in ends if end is not None and end > now), default=None)

    def snapshot(self, now: float) -> Snapshot:
        """Return everything that is known, at *now*."""
        until = now if self._opened is None else self._opened
        views = [
            state.view(started=self._started, until=until, is_asked=name in self._proofs.asked)
            for name, state in self._states.items()
        ]
        return Snapshot(
            at=now,
            started=self._started,
            phase=self._phase(),
            revision=self.revision,
            dependencies=tuple(views),
            opened=self._opened,
            degraded=self._degraded,
            pending=() if self.is_open else self._pending(),
            transitions=(*self._history, *self._since_open),
            left_out=dict(self._history.left_out),
        )

    def _phase(self) -> Phase:
        if self.is_open:
            return Phase.OPEN
        return Phase.OVERDUE if self._is_overdue else Phase.WAITING

    def _pending(self) -> tuple[str, ...]:
        """Return the names that hold the gate: those not ready, or else those asked for proof."""
        unmet = {
            name
            for names in rule.needs(self._states)
            if not rule.is_met(names, self._states)
            for name in names
        }
        return tuple(name for name in self._states if name in (unmet or self._proofs.asked))

    def _open_if_ready(self, now: float) -> None:
        needs = rule.needs(self._states)
        if rule.unmet(self._states):
            self._proofs = Proofs(self._proofs.freshness, self._proofs.void)
        elif not (self._confirms and self._proofs.ask(needs, self._states, now)):
            self._open(now, rule.without(self._states))

    def _mark_overdue(self, now: float) -> None:
        needs = rule.needs(self._states)
        is_late = any(rule.is_late(names, self._states) for names in needs)
        is_overdue = is_late or (self._deadline is not None and now >= self._deadline)
        if is_overdue and not self._is_overdue:
            self._tell(now, TransitionKind.GATE_OVERDUE)
        self._is_overdue = is_overdue
        if is_overdue and self._open_on_timeout:
            self._open(now, rule.without(self._states))

    def _open(self, now: float, degraded: str) -> None:
        # Noted before the state changes: it is the last entry of the wait's history.
        self._tell(now, TransitionKind.GATE_OPENED, reason=degraded)
        self._opened, self._degraded = now, degraded
        self._proofs.asked.clear()
        for state in self._states.values():
            state.start_monitoring()

    def _tell_of(self, now: float, kind: TransitionKind | None, state: DependencyState) -> None:
        if kind is not None:
            self._tell(now, kind, name=state.dependency.name, reason=state.reason)

    def _tell(self, now: float, kind: TransitionKind, *, name: str = "", reason: str = "") -> None:
        transition = Transition(at=now, kind=kind, name=name, reason=reason)
        self.revision += 1
        # Two histories: a monitored dependency that flaps for days must not drive out the wait's.
        (self._since_open if self.is_open else self._history).add(transition)
        self._new.append(transition)
