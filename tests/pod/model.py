"""What a Pod manifest says, as frozen values with the API server's defaults filled in.

All durations are seconds. The API takes whole seconds only; fractions are let through so that
tests of the player need not wait for whole ones.
"""

from dataclasses import dataclass, field
from enum import Enum


class ManifestError(ValueError):
    """The API server would refuse this manifest, or the player has no means to play it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class RestartPolicy(Enum):
    """When a container that ended is started again."""

    ALWAYS = "Always"
    ON_FAILURE = "OnFailure"
    NEVER = "Never"


class ProbeKind(Enum):
    """Which of a container's three probes; the value is the word used in event texts."""

    STARTUP = "Startup"
    READINESS = "Readiness"
    LIVENESS = "Liveness"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGet:
    """A GET request to the container; an empty host means the pod's address."""

    path: str
    port: int | str
    host: str = ""
    scheme: str = "HTTP"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpSocket:
    """A connection to the container; an empty host means the pod's address."""

    port: int | str
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exec:
    """A command run beside the container's process, in its environment."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """A pause; hooks only."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grpc:
    """A call of `grpc.health.v1.Health/Check`; probes only."""

    port: int
    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartRule:
    """What happens when a container exits with certain codes, whatever its restart policy."""

    action: str
    """`Restart`, or `RestartAllContainers`: sandbox and volumes stay, everything runs anew."""
    is_in: bool
    """Whether the code must be one of *codes*, or none of them."""
    codes: frozenset[int]

    def matches(self, code: int | None) -> bool:
        """Whether the rule is about an exit with *code*."""
        return code is not None and (code in self.codes) is self.is_in


Action = HttpGet | TcpSocket | Exec | Sleep | Grpc


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One probe with its thresholds; defaults of fact 2.4."""

    action: Action
    initial_delay: float = 0
    timeout: float = 1
    period: float = 10
    success_threshold: int = 1
    failure_threshold: int = 3
    grace: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSource:
    """Where an `env[].valueFrom` or an `envFrom` entry is taken from."""

    kind: str
    name: str
    key: str = ""
    optional: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvVar:
    """One `env` entry: a text of its own or a source."""

    name: str
    value: str = ""
    source: EnvSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Where a volume appears in a container."""

    volume: str
    path: str
    sub_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """An entry of `initContainers` or `containers`."""

    name: str
    image: str
    is_init: bool
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvSource, ...] = ()
    ports: dict[str, int] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    probes: dict[ProbeKind, Probe] = field(default_factory=dict)
    post_start: Action | None = None
    pre_stop: Action | None = None
    restart_policy: RestartPolicy | None = None
    restart_rules: tuple[RestartRule, ...] = ()
    message_path: str = "/dev/termination-log"
    message_from_logs: bool = False

    @property
    def is_sidecar(self) -> bool:
        """True for a native sidecar: an init container that is always restarted (fact 1.2)."""
        return self.is_init and self.restart_policy is RestartPolicy.ALWAYS

    def rule_for(self, code: int | None) -> str:
        """Return the action of the first rule for an exit with *code*, empty if there is none."""
        return next((rule.action for rule in self.restart_rules if rule.matches(code)), "")

    @property
    def startup_probe(self) -> Probe | None:
        """The probe that decides when this container counts as started."""
        return self.probes.get(ProbeKind.STARTUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFile:
    """One file of a configMap, secret or projected volume; an empty key means every key."""

    source: EnvSource
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A folder shared by the containers; *files* is empty for an emptyDir."""

    name: str
    files: tuple[VolumeFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSpec:
    """A whole pod."""

    name: str
    namespace: str = "default"
    init_containers: tuple[Container, ...] = ()
    main_containers: tuple[Container, ...]
    restart_policy: RestartPolicy = RestartPolicy.ALWAYS
    grace: float = 30
    active_deadline: float | None = None
    service_links: bool = True
    volumes: tuple[Volume, ...] = ()

    @property
    def containers(self) -> tuple[Container, ...]:
        """Init containers, then main containers, as written."""
        return self.init_containers + self.main_containers
