"""One run of a container, from its creation to its last words."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from tests.pod.backoff import Backoff
from tests.pod.model import Container, ProbeKind
from tests.pod.plan import View, has_started
from tests.pod.process import Process

_MESSAGE_LIMIT = 4096
_POD_MESSAGE_LIMIT = 12 * 1024
_LOG_LINES = 80
_LOG_LIMIT = 2048


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a container's output and when it was read (monotonic seconds)."""

    at: float
    text: str


@dataclass(slots=True, eq=False, kw_only=True)
class Instance:
    """A container's process, alive or ended; a restart makes a new one."""

    container: Container
    message_file: Path
    process: Process | None = None
    started_at: float = 0
    finished_at: float = 0
    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    verdicts: dict[ProbeKind, bool] = field(default_factory=dict)
    is_visible: bool = False
    """False until its postStart hook is done: no probe is sent before (fact 2.8)."""
    lines: list[Line] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_running(self) -> bool:
        """True between the start of the process and its end."""
        return self.process is not None and self.exit_code is None

    @property
    def is_started(self) -> bool:
        """What the API shows as `started`: running, visible and past its startup probe."""
        return self.is_visible and self.is_running and has_started(self.container, self.view())

    @property
    def is_ready(self) -> bool:
        """Started, and its readiness probe, if it has one, succeeds (fact 7.4)."""
        has_probe = ProbeKind.READINESS in self.container.probes
        return self.is_started and (not has_probe or self.verdicts.get(ProbeKind.READINESS, False))

    def view(self) -> View:
        """Return what a pass of the sync sees."""
        is_to_restart = self.container.rule_for(self.exit_code) == "Restart"
        return View(
            exit_code=self.exit_code, is_to_restart=is_to_restart, verdicts=dict(self.verdicts)
        )

    def end(self, code: int, now: float, *, containers: int) -> None:
        """Take down the exit; *containers* is how many share the pod's message space."""
        self.finished_at = now
        self.exit_code = code
        self.reason = self.reason or ("Completed" if code == 0 else "Error")
        self.message = self.message or self._last_words(containers)
        self.ended.set()

    def _last_words(self, containers: int) -> str:
        """The file's last 4096 bytes, or the log's end if it is empty (facts 8.2, 8.3)."""
        text = _tail(self.message_file, _MESSAGE_LIMIT)
        if not text and self.exit_code and self.container.message_from_logs:
            lines = [f"{line.text}\n" for line in self.lines[-_LOG_LINES:]]
            text = "".join(lines).encode()[-_LOG_LIMIT:]
        return text[: _POD_MESSAGE_LIMIT // containers].decode(errors="replace")


def _tail(path: Path, limit: int) -> bytes:
    try:
        return path.read_bytes()[-limit:]
    except OSError as exc:
        return f"Error on reading termination message from logs: {exc}".encode()


@dataclass(slots=True, eq=False, kw_only=True)
class Record:
    """A container over all its instances."""

    container: Container
    backoff: Backoff
    instances: list[Instance] = field(default_factory=list)
    waiting: tuple[str, str] | None = None
    """Why it is not running now, as reason and message: CrashLoopBackOff or a failed hook."""
    forgotten: int = 0
    """So many instances are of a sandbox, or of a life of the pod, that is over."""

    def forget(self) -> None:
        """Begin anew, as if no instance had ever been."""
        self.forgotten = len(self.instances)
        self.waiting = None

    @property
    def current(self) -> Instance | None:
        """The newest instance."""
        return self.instances[-1] if len(self.instances) > self.forgotten else None

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, len(self.instances) - 1)

    @property
    def is_running(self) -> bool:
        """True if the newest instance runs."""
        return self.current is not None and self.current.is_running

    @property
    def is_started(self) -> bool:
        """What the API shows as `started` (fact 13.11)."""
        return self.current is not None and self.current.is_started

    @property
    def is_ready(self) -> bool:
        """What the API shows as `ready`; a completed init container is ready too."""
        if self.current is None:
            return False
        if self.container.is_init and not self.container.is_sidecar:
            return self.current.exit_code == 0
        return self.current.is_ready

    @property
    def log(self) -> list[Line]:
        """The output of all instances, oldest first."""
        return [line for instance in self.instances for line in instance.lines]
