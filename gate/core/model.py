"""The values that pass between the wings.

They are frozen; times are seconds of the loop's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Until(StrEnum):
    """The state in which a dependency counts as ready; the word is the option's value."""

    READY = "ready"
    DOWN = "down"
    """Positively absent: refused, 404, no such file."""
    GONE = "gone"
    """Absent, or its name does not exist any more."""
    BLOCKED = "blocked"
    """A policy holds connections back, which the check sees by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One thing the app depends on and how patiently it is waited for; seconds."""

    name: str
    url: str
    """The URL as shown to people: without user, password, query."""
    timeout: float = 3.0
    interval: float = 1.0
    successes: int = 1
    deadline: float | None = None
    optional: bool = False
    group: str | None = None
    """Of all dependencies of one group a single ready one is enough (`any=GROUP`)."""
    part: str | None = None
    """The part of the pod it belongs to, which opens on its own (`group=NAME`)."""
    monitor: bool = False
    until: Until = Until.READY
    is_local: bool = False
    """Whether it is loopback or a unix socket.

    Such a target is checked often, as it costs the network nothing.
    """
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values that must not be in any text, a server's own answer included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of one attempt."""

    name: str
    ok: bool
    reason: str = ""
    """Why not, in a few words; empty when ready."""
    started: float
    finished: float


class State(StrEnum):
    """The state of a dependency; the word is shown to people."""

    WAITING = "waiting"
    READY = "ready"
    OVERDUE = "overdue"
    """Required, and its deadline has passed; still tried."""
    GIVEN_UP = "given up"
    """Optional, and its deadline has passed; no longer waited for."""


class Phase(StrEnum):
    """The state of the gate; the word is shown to people."""

    WAITING = "waiting"
    OVERDUE = "overdue"
    OPEN = "open"


class TransitionKind(StrEnum):
    """What a transition is about; the name of the log event."""

    WAITING = "dependency.waiting"
    READY = "dependency.ready"
    LOST = "dependency.lost"
    """Was ready, and the confirmation before opening failed."""
    OVERDUE = "dependency.overdue"
    GIVEN_UP = "dependency.given_up"
    UNFIT = "dependency.unfit"
    """Monitored after opening: three failures in a row."""
    FIT = "dependency.fit"
    GATE_OVERDUE = "gate.overdue"
    GATE_OPENED = "gate.opened"
    PART_OPENED = "part.opened"
    """A part of the pod has opened on its own; the name is the part's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change worth telling: `name` is empty where it is about the whole gate."""

    at: float
    kind: TransitionKind
    name: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyView:
    """What is known of one dependency at one moment."""

    dependency: Dependency
    state: State = State.WAITING
    reason: str = ""
    """Why it is not ready (or, monitored, not fit); empty otherwise."""
    reason_since: float = 0.0
    """When it was first given, without another one since."""
    attempts: int = 0
    since: float
    """When the present state began."""
    waited: float = 0.0
    """Seconds from the start until it became ready, or until now."""
    is_fit: bool = True
    has_been_ready: bool = False
    """Whether it was ready at any time; it stays so."""
    last_attempt: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The whole gate at one moment."""

    at: float
    started: float
    phase: Phase
    revision: int
    """Grows by one with every transition, and only then."""
    dependencies: tuple[DependencyView, ...]
    opened: float | None = None
    degraded: str = ""
    """How it opened, if not everything was ready: `opened without cache: connection refused`."""
    pending: tuple[str, ...] = ()
    """Names of those that hold the gate now."""
    transitions: tuple[Transition, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many transitions of the wait are not among them any more, by name."""

    @property
    def is_open(self) -> bool:
        """Whether the app may start."""
        return self.phase is Phase.OPEN

    @property
    def elapsed(self) -> float:
        """Seconds from the start until the opening, or until now."""
        return (self.at if self.opened is None else self.opened) - self.started

    @property
    def held_by(self) -> tuple[DependencyView, ...]:
        """The dependencies that hold the gate now."""
        return tuple(view for view in self.dependencies if view.dependency.name in self.pending)
