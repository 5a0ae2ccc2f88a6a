"""What the parts of the player share about one pod, and how they learn of changes."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.pod.backoff import Backoff
from tests.pod.events import Event, Recorder
from tests.pod.instance import Instance, Line, Record
from tests.pod.model import Container, PodSpec
from tests.pod.node import Node
from tests.pod.plan import Views, phase
from tests.pod.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a container (monotonic seconds)."""

    at: float
    container: str
    what: str


Listener = Callable[[Moment | Event | tuple[str, Line]], None]


@dataclass(slots=True, eq=False)
class PodState:
    """Everything known about the pod being played."""

    spec: PodSpec
    node: Node
    sandbox: Sandbox
    listener: Listener = lambda _news: None
    records: dict[str, Record] = field(init=False)
    recorder: Recorder = field(init=False)
    timeline: list[Moment] = field(default_factory=list)
    added_at: float = field(default_factory=time.monotonic)
    is_deleting: bool = False
    has_ip: bool = False
    """Published with the first status that is written, after the first pass of the sync."""
    is_to_restart_all: bool = False
    is_past_deadline: bool = False
    has_ended: asyncio.Event = field(default_factory=asyncio.Event)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.recorder = Recorder(burst=self.node.event_burst, on_event=self.listener)
        self.records = {each.name: self._record(each) for each in self.spec.containers}

    def _record(self, container: Container) -> Record:
        backoff = Backoff(base=self.node.backoff, longest=self.node.backoff_longest)
        return Record(container=container, backoff=backoff)

    @property
    def views(self) -> Views:
        """The newest instance of each container that has one."""
        records = self.records.items()
        return {name: record.current.view() for name, record in records if record.current}

    @property
    def phase(self) -> str:
        """Pending, Running, Succeeded or Failed."""
        return "Failed" if self.is_past_deadline else phase(self.spec, self.views)

    def note(self, container: Container, what: str) -> None:
        """Put a moment into the timeline."""
        moment = Moment(time.monotonic(), container.name, what)
        self.timeline.append(moment)
        self.listener(moment)
        self.notify()

    def add_line(self, instance: Instance, text: str) -> None:
        """Take a line of output in."""
        line = Line(time.monotonic(), text)
        instance.lines.append(line)
        self.listener((instance.container.name, line))
        self.notify()

    def warn(self, container: Container, reason: str, message: str) -> None:
        """Record a Warning event."""
        self._event("Warning", container, reason, message)

    def tell(self, container: Container, reason: str, message: str) -> None:
        """Record a Normal event."""
        self._event("Normal", container, reason, message)

    def _event(self, kind: str, container: Container, reason: str, message: str) -> None:
        event = Event(type=kind, reason=reason, message=message, container=container.name)
        self.recorder.record(event, time.monotonic())
        self.notify()

    def notify(self) -> None:
        """Let everyone who waits for a change look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self) -> None:
        """Return at the next change."""
        await self._changed.wait()
