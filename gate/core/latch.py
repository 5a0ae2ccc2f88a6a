"""When the gate opens: a state machine without clock, loop or I/O.

Results of attempts and the time go in; transitions come out. The gate opens when everything it
needs is ready *at the same time*, and then stays open.

What it needs, at any moment: each required dependency, one of each `any` group, and each optional
dependency still within its deadline. *At the same time* means that every success is confirmed:
once all are ready, each dependency whose attempts are fast is asked for one more attempt (`asked`),
and that proof counts for `SAME_TIME`. A dependency whose attempts are slow is asked only where its
success is older than `freshness`. A failed proof puts the dependency back to waiting.

Slow proofs given one after the other could be stale for ever. At the second asking of a slow one
all are asked at once, and every slow attempt that begins from then on counts, however long it
takes. That moment (`_mark`) is not moved while all stay ready, or attempts out of step would move
it before one another.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING

from gate.core import needs as rule
from gate.core.dependency_state import DependencyState
from gate.core.model import Dependency, Phase, Result, Snapshot, Transition, TransitionKind

if TYPE_CHECKING:
    from collections.abc import Iterable

HISTORY = 500
"""Transitions kept for people, of the wait and again of the time since; the oldest go first."""

SAME_TIME = 0.25
"""Seconds that a proof counts, and that an attempt may take to be called fast.

Confirming a fast attempt costs milliseconds: without it, a dependency that died after its last
success would let the app start into the outage.
"""

_PATIENCE = 8
"""Askings after which a proof of a fast attempt counts as long as one of a slow attempt.

A process that gets no CPU for seconds could otherwise ask for ever.
"""


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
        confirms: bool = True,
    ) -> None:
        """Start waiting at *now*; *confirms*: whether a success must be proven once more."""
        self._states = {
            dependency.name: DependencyState(dependency, now) for dependency in dependencies
        }
        self._started = now
        self._freshness = freshness
        self._deadline = None if timeout is None else now + timeout
        self._open_on_timeout = open_on_timeout
        self._confirms = confirms
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
        self._slow_askings = 0
        self._mark: float | None = None
        self._all_ready_since: float | None = None

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
        unmet = {
            name
            for names in rule.needs(self._states)
            if not rule.is_met(names, self._states)
            for name in names
        }
        return tuple(name for name in self._states if name in (unmet or self._asked))

    def _open_if_ready(self, now: float) -> None:
        needs = rule.needs(self._states)
        if not all(rule.is_met(names, self._states) for names in needs):
            self._asked.clear()
            self._askings = self._slow_askings = 0
            self._mark = self._all_ready_since = None
            return
        if self._all_ready_since is None:
            self._all_ready_since = now
        stale = [names for names in needs if not any(self._is_current(name, now) for name in names)]
        if stale and self._confirms:
            self._ask(stale, needs, now)
        else:
            self._open(now, rule.without(needs, self._states))

    def _is_current(self, name: str, now: float) -> bool:
        """Whether *name* is ready, and its success is recent enough to count at *now*."""
        state = self._states[name]
        age = now - state.succeeded
        if not state.is_ready:
            return False
        if _is_slow(state):
            is_marked = self._mark is not None and state.began >= self._mark
            return is_marked or age <= self._freshness
        since = now if self._all_ready_since is None else self._all_ready_since
        limit = SAME_TIME if self._askings <= _PATIENCE else self._freshness
        return state.succeeded >= since and age <= limit

    def _ask(self, stale: rule.Needs, needs: rule.Needs, now: float) -> None:
        """Ask the stale ones for proof; at the second asking of a slow one, everyone."""
        # Only what is still lacking is waited for: of a group, one that hangs while another
        # has given its proof must not delay the rest.
        if all(self._asked.intersection(names) for names in stale):
            return
        self._askings += 1
        if any(_is_slow(self._states[name]) for name in self._ready_in(stale)):
            self._slow_askings += 1
            if self._slow_askings == 2:  # noqa: PLR2004 -- the second asking
                self._mark, stale = now, needs
        self._asked |= self._ready_in(stale)

    def _ready_in(self, needs: rule.Needs) -> set[str]:
        return {name for names in needs for name in names if self._states[name].is_ready}

    def _mark_overdue(self, now: float) -> None:
        needs = rule.needs(self._states)
        is_late = any(rule.is_late(names, self._states) for names in needs)
        is_overdue = is_late or (self._deadline is not None and now >= self._deadline)
        if is_overdue and not self._is_overdue:
            self._tell(now, TransitionKind.GATE_OVERDUE)
        self._is_overdue = is_overdue
        if is_overdue and self._open_on_timeout:
            self._open(now, rule.without(needs, self._states))

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


def _is_slow(state: DependencyState) -> bool:
    """Whether the latest success took so long that a proof is no matter of milliseconds."""
    return state.succeeded - state.began > SAME_TIME
