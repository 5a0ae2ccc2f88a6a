"""When the gate opens: a state machine without clock, loop or I/O.

Results of attempts and the time go in; transitions come out. The rule (spec 4): the gate
opens when everything it needs is ready *at the same time*, and then stays open.

What it needs, at a moment: each required dependency, one of each `any` group, each optional
dependency still within its deadline. What *at the same time* means: every success counted
is at most `freshness` old. One that is older is asked to prove itself again (`asked`); a
failed proof puts it back to waiting. Where attempts take longer than `freshness`, proofs
given one after the other would be stale for ever: at the second asking all are asked at
once, and what begins from then on counts, however long it takes. That moment (`_mark`) is
not moved while all stay ready, or attempts out of step would move it before one another.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING

from gate.core.dependency_state import DependencyState
from gate.core.model import Dependency, Phase, Result, Snapshot, State, Transition, TransitionKind

if TYPE_CHECKING:
    from collections.abc import Iterable

HISTORY = 500
"""Transitions kept for people, of the wait and again of the time since; the oldest go first."""

_Needs = list[tuple[str, ...]]


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
        self._states = {
            dependency.name: DependencyState(dependency, now) for dependency in dependencies
        }
        self._started = now
        self._freshness = freshness
        self._deadline = None if timeout is None else now + timeout
        self._open_on_timeout = open_on_timeout
        self._opened: float | None = None
        self._degraded = ""
        self._is_overdue = False
        self.revision = 0
        self._history: deque[Transition] = deque(maxlen=HISTORY)
        self._since_open: deque[Transition] = deque(maxlen=HISTORY)
        self._new: list[Transition] = []
        self._due = now
        """When time alone changes something next, as seen at the last tick."""
        self._asked: set[str] = set()
        self._askings = 0
        self._mark: float | None = None

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
        return self._states[name].failures

    def rests(self, name: str) -> bool:
        """Whether *name* needs no attempt for now: it is ready, and nobody asked for proof."""
        return self._states[name].is_ready and name not in self._asked and not self.is_open

    def record(self, result: Result) -> tuple[Transition, ...]:
        """Take the outcome of an attempt; return what has changed by it."""
        state = self._states[result.name]
        state.attempts += 1
        state.last_attempt = result.finished
        self._asked.discard(result.name)
        if self.is_open:
            for kind in state.judge(result):
                self._tell(result.finished, kind, state)
            return self.tick(result.finished)
        change = state.take(result)
        self._tell(result.finished, change, state)
        if change is None and not state.is_ready and result.finished < self._due:
            # As before: most attempts end here, and must cost next to nothing.
            return ()
        return self.tick(result.finished)

    def tick(self, now: float) -> tuple[Transition, ...]:
        """Let time pass until *now*; return what has changed since the last call."""
        if not self.is_open:
            for state in self._states.values():
                self._tell(now, state.mark_late(now, self._started), state)
            self._open_if_ready(now)
        if not self.is_open:
            self._mark_overdue(now)
        self._due = self.next_deadline(now) or inf
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
        ends = [self._deadline, *(each.end(self._started) for each in self._states.values())]
        return min((end for end in ends if end is not None and end > now), default=None)

    def snapshot(self, now: float) -> Snapshot:
        """Return everything that is known, at *now*."""
        until = now if self._opened is None else self._opened
        views = [
            state.view(started=self._started, until=until, is_asked=name in self._asked)
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
        )

    def _phase(self) -> Phase:
        if self.is_open:
            return Phase.OPEN
        return Phase.OVERDUE if self._is_overdue else Phase.WAITING

    def _pending(self) -> tuple[str, ...]:
        """Return those that hold the gate: not ready, or else asked for proof."""
        unmet = {name for names in self._needs() if not self._is_met(names) for name in names}
        return tuple(name for name in self._states if name in (unmet or self._asked))

    def _needs(self) -> _Needs:
        """Return what must be ready: of each tuple one."""
        groups: dict[str, list[str]] = {}
        for name, state in self._states.items():
            if state.late is State.GIVEN_UP:
                continue
            group = state.dependency.group
            # A name cannot hold a space, so it cannot be taken for a group.
            groups.setdefault(f"{group} of any" if group else name, []).append(name)
        return [tuple(names) for names in groups.values()]

    def _is_met(self, names: tuple[str, ...]) -> bool:
        return any(self._states[name].is_ready for name in names)

    def _open_if_ready(self, now: float) -> None:
        needs = self._needs()
        if not all(self._is_met(names) for names in needs):
            self._asked.clear()
            self._askings, self._mark = 0, None
            return
        stale = [names for names in needs if not any(self._is_current(name, now) for name in names)]
        if stale:
            self._ask(stale, needs, now)
        else:
            self._open(now, self._without(needs))

    def _is_current(self, name: str, now: float) -> bool:
        state = self._states[name]
        is_marked = self._mark is not None and state.began >= self._mark
        is_fresh = now - state.succeeded <= self._freshness
        return state.is_ready and (is_fresh or is_marked)

    def _ask(self, stale: _Needs, needs: _Needs, now: float) -> None:
        """Ask the stale ones for proof, at the second asking everyone."""
        # Only what is still lacking is waited for: of a group, one that hangs while another
        # has given its proof must not delay the rest.
        if all(self._asked.intersection(names) for names in stale):
            return
        self._askings += 1
        if self._askings == 2:  # noqa: PLR2004 -- the second asking
            self._mark, stale = now, needs
        self._asked |= {name for names in stale for name in names if self._states[name].is_ready}

    def _mark_overdue(self, now: float) -> None:
        needs = self._needs()
        is_late = any(
            not self._is_met(names)
            and all(self._states[name].late is State.OVERDUE for name in names)
            for names in needs
        )
        is_overdue = is_late or (self._deadline is not None and now >= self._deadline)
        if is_overdue and not self._is_overdue:
            self._tell(now, TransitionKind.GATE_OVERDUE)
        self._is_overdue = is_overdue
        if is_overdue and self._open_on_timeout:
            self._open(now, self._without(needs))

    def _without(self, needs: _Needs) -> str:
        """Return how the opening is degraded, empty if it is not."""
        missing = {name for names in needs if not self._is_met(names) for name in names}
        missing |= {
            name
            for name, state in self._states.items()
            if state.late is State.GIVEN_UP and not self._is_group_met(state)
        }
        told = [
            f"{name}: {state.reason or 'no answer yet'}"
            for name, state in self._states.items()
            if name in missing
        ]
        return f"opened without {'; '.join(told)}" if told else ""

    def _is_group_met(self, state: DependencyState) -> bool:
        group = state.dependency.group
        return group is not None and any(
            other.is_ready for other in self._states.values() if other.dependency.group == group
        )

    def _open(self, now: float, degraded: str) -> None:
        # Told first: it is the end of the wait's history.
        self._tell(now, TransitionKind.GATE_OPENED, reason=degraded)
        self._opened, self._degraded = now, degraded
        self._asked.clear()
        for state in self._states.values():
            state.start_monitoring()

    def _tell(
        self,
        now: float,
        kind: TransitionKind | None,
        state: DependencyState | None = None,
        reason: str = "",
    ) -> None:
        if kind is None:
            return
        name = state.dependency.name if state else ""
        reason = state.reason if state else reason
        transition = Transition(at=now, kind=kind, name=name, reason=reason)
        self.revision += 1
        # What held the app back is still known when a monitored one has come and gone for days.
        (self._since_open if self.is_open else self._history).append(transition)
        self._new.append(transition)
