"""What the rules see: pods with lines and the API server's defaults, and what is around them.

All durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gate.pods.around import Around

Port = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a probe or a hook does."""

    kind: str
    """`exec`, `httpGet`, `tcpSocket`, `grpc`, `sleep`, or empty where none is written."""
    line: int
    command: tuple[str, ...] = ()
    port: Port = None
    path: str = "/"
    scheme: str = "HTTP"
    host: str = ""
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, key: str) -> int:
        """Return the line of *key*."""
        return self.lines.get(key, self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One probe with its thresholds; defaults: timeout 1 s, period 10 s, 3 failures."""

    kind: str
    line: int
    action: Action
    initial_delay: int
    timeout: int
    period: int
    failures: int
    lines: dict[str, int]

    def line_of(self, key: str) -> int:
        """Return the line of *key*."""
        return self.lines.get(key, self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvVar:
    """One `env` entry; `value` is None where it comes from elsewhere."""

    name: str
    line: int
    value: str | None = field(repr=False)
    value_line: int
    """Where the text of the value begins."""
    source: str = ""
    """The field of `valueFrom`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Where a volume appears in a container."""

    volume: str
    path: str
    is_read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """An entry of `initContainers` or `containers`."""

    name: str
    image: str
    line: int
    index: int
    """Its place in the order of starting: init containers first."""
    is_init: bool
    restart_policy: str
    restart_actions: tuple[str, ...] | None
    """Of `restartPolicyRules`, where there are any."""
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[EnvVar, ...]
    has_env_from: bool
    ports: tuple[tuple[str, int], ...]
    datagrams: frozenset[int]
    """The ports of these that nobody connects to: of UDP alone."""
    """Name, empty where it has none, and number."""
    mounts: tuple[Mount, ...]
    probes: dict[str, Probe]
    hooks: dict[str, Action]
    limits: dict[str, Port]
    user: int | None
    """`runAsUser`, its own or the pod's."""
    lines: dict[str, int]
    known: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What has been found out of it once: many rules ask the same."""

    @property
    def is_sidecar(self) -> bool:
        """Whether it is a native sidecar: an init container that is always restarted."""
        return self.is_init and self.restart_policy == "Always"

    @property
    def is_plain_init(self) -> bool:
        """Whether it has to end before the next one starts."""
        return self.is_init and not self.is_sidecar

    @property
    def startup(self) -> Probe | None:
        """Its startup probe."""
        return self.probes.get("startupProbe")

    @property
    def post_start(self) -> Action | None:
        """Its postStart hook."""
        return self.hooks.get("postStart")

    @property
    def words(self) -> tuple[str, ...]:
        """What it runs, as far as the manifest says."""
        return (*self.command, *self.args)

    @property
    def image_name(self) -> str:
        """The image without registry, tag and digest."""
        return self.image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]

    def line_of(self, key: str) -> int:
        """Return the line of *key*."""
        return self.lines.get(key, self.line)


class Note(NamedTuple):
    """An annotation, and where it is written."""

    name: str
    value: str
    line: int


class Scale(NamedTuple):
    """How many pods a workload makes, and how those of a StatefulSet are called."""

    replicas: int | None
    """None where the manifest does not say."""
    first: int
    """The ordinal of the first one."""
    service: str
    """The Service that gives each its name, empty where none is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A Pod or a pod template, with what of its workload matters."""

    file: str
    kind: str
    name: str
    namespace: str
    line: int
    labels: dict[str, str]
    annotations: dict[str, str]
    notes: tuple[Note, ...]
    """Its annotations and those of its workload."""
    containers: tuple[Container, ...]
    """Init containers, then main containers, as written."""
    volumes: dict[str, str]
    """Name to kind (`emptyDir`)."""
    restart_policy: str
    scale: Scale
    has_service_links: bool
    has_host_network: bool
    active_deadline: int | None
    active_deadline_line: int
    progress_deadline: int | None
    progress_deadline_line: int
    around: Around = field(default_factory=Around, compare=False, repr=False)
    known: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)
    """What has been read of it once: gates by the container's index, and waits."""

    @property
    def version(self) -> tuple[int, int] | None:
        """Of the cluster, where it was told."""
        return self.around.version

    @property
    def init(self) -> tuple[Container, ...]:
        """The init containers, sidecars included."""
        return tuple(each for each in self.containers if each.is_init)

    @property
    def main(self) -> tuple[Container, ...]:
        """The main containers."""
        return tuple(each for each in self.containers if not each.is_init)

    @property
    def sidecars(self) -> tuple[Container, ...]:
        """The native sidecars."""
        return tuple(each for each in self.containers if each.is_sidecar)

    @property
    def runs_on(self) -> bool:
        """Whether its workload replaces it for ever, as a Deployment does."""
        return self.kind != "Pod" and self.restart_policy == "Always"

    def after(self, container: Container) -> tuple[Container, ...]:
        """Return what starts behind *container*."""
        if container.is_init:
            return tuple(each for each in self.containers if each.index > container.index)
        return ()

    def before(self, container: Container) -> tuple[Container, ...]:
        """Return the sidecars that run when *container* starts."""
        return tuple(each for each in self.sidecars if each.index < container.index)
