"""A pod's events, counted, merged and dropped as the kubelet's recorder does (fact 3.13)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

_SIMILAR_FROM = 10
_SIMILAR_WINDOW = 600.0
_REFILL = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of `kubectl describe`'s events; times are monotonic seconds."""

    type: str
    reason: str
    message: str
    container: str
    count: int = 1
    first: float = 0
    last: float = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What must be equal for two events to be counted as one."""
        return (self.type, self.reason, self.message, self.container)


@dataclass(slots=True)
class _Budget:
    tokens: float
    at: float


@dataclass(slots=True)
class _Similar:
    messages: set[str]
    at: float


@dataclass(slots=True)
class Recorder:
    """Takes events in and holds those a person would see; *burst* None means no spam rule."""

    burst: int | None = 25
    dropped: int = 0
    on_event: Callable[[Event], None] = lambda _event: None
    _seen: dict[tuple[str, str, str, str], Event] = field(default_factory=dict)
    _visible: dict[tuple[str, str, str, str], Event] = field(default_factory=dict)
    _similar: dict[tuple[str, str, str], _Similar] = field(default_factory=dict)
    _budgets: dict[str, _Budget] = field(default_factory=dict)

    @property
    def events(self) -> list[Event]:
        """The events that reached the API, oldest first."""
        return list(self._visible.values())

    def record(self, event: Event, now: float) -> bool:
        """Count *event* in at *now*; False if the spam rule dropped it."""
        event = self._merge_similar(event, now)
        counted = self._counted(event, now)
        if not self._allowed(event.type, now):
            self.dropped += 1
            return False
        self._visible[event.key] = counted
        self.on_event(counted)
        return True

    def _merge_similar(self, event: Event, now: float) -> Event:
        """From the 10th differing text of one reason within 10 minutes they become one."""
        key = (event.type, event.reason, event.container)
        similar = self._similar.get(key)
        if similar is None or now - similar.at > _SIMILAR_WINDOW:
            similar = self._similar[key] = _Similar(set(), now)
        similar.messages.add(event.message)
        similar.at = now
        if len(similar.messages) < _SIMILAR_FROM:
            return event
        return replace(event, message=f"(combined from similar events): {event.message}")

    def _counted(self, event: Event, now: float) -> Event:
        key = event.key
        if event.message.startswith("(combined from similar events)"):
            # One entry however its text changes: the newest text stands.
            key = (event.type, event.reason, "", event.container)
        before = self._seen.get(key)
        counted = replace(event, first=now, last=now)
        if before is not None:
            counted = replace(event, first=before.first, last=now, count=before.count + 1)
            if before.key != event.key:
                self._visible.pop(before.key, None)
        self._seen[key] = counted
        return counted

    def _allowed(self, kind: str, now: float) -> bool:
        """A burst per pod and event type, then one in 5 minutes."""
        if self.burst is None:
            return True
        budget = self._budgets.setdefault(kind, _Budget(self.burst, now))
        budget.tokens = min(self.burst, budget.tokens + (now - budget.at) / _REFILL)
        budget.at = now
        if budget.tokens < 1:
            return False
        budget.tokens -= 1
        return True
