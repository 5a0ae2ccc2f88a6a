"""What a manifest does not say and a cluster supplies: images, addresses, objects, timings."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.pod.env import Service, Texts
from tests.pod.model import Container, ManifestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What running an image means locally: its ENTRYPOINT and its CMD."""

    entrypoint: Sequence[str]
    cmd: Sequence[str] = ()


def _base_environment() -> dict[str, str]:
    names = ("PATH", "PYTHONDONTWRITEBYTECODE")
    return {name: os.environ[name] for name in names if name in os.environ}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """The node and cluster a pod is played on."""

    images: Mapping[str, Image | Sequence[str]] = field(default_factory=dict)
    """Image name without registry and tag, to what it runs."""

    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """First words of commands that are files in an image (`gate`), to what they run."""

    services: Sequence[Service] = ()
    secrets: Texts = field(default_factory=dict)
    config_maps: Texts = field(default_factory=dict)

    pod_ip: str = "127.0.0.2"
    """Not 127.0.0.1: a server bound to loopback only must refuse the kubelet (fact 3.10)."""

    base_env: Mapping[str, str] = field(default_factory=_base_environment)
    """Variables every process gets, as if they were in its image."""

    cwd: str = field(default_factory=os.getcwd)
    """Where processes run, but for a `workingDir` that exists."""

    hop_delay: float = 0
    """Seconds added before each pass of the pod sync; a real one takes tens of ms (1.9, 1.10)."""

    probe_phase: float = 0
    """Seconds by which the probe ticks are shifted against the moment the pod was added (2.5)."""

    backoff: float = 10
    """First delay of CrashLoopBackOff in seconds (fact 2.16)."""

    backoff_longest: float = 300
    keeps_status_on_kubelet_restart: bool = False
    """The feature gate `ChangeContainerStatusOnKubeletRestart: true` (off by default from 1.35)."""

    settled: float = 10
    """Seconds after which a kubelet that restarts takes a running container for started."""

    minimum_grace: float = 2
    """The least a container gets between SIGTERM and SIGKILL (fact 6.1)."""

    event_burst: int | None = 25
    """Events of one type a pod may have before they are dropped (fact 3.13); None: no limit."""

    def argv(self, container: Container) -> list[str]:
        """Return what *container* runs before variables are put in.

        `command` replaces the image's ENTRYPOINT and voids its CMD; `args` replaces CMD.
        """
        if container.command:
            return [*container.command, *container.args]
        image = self._image(container)
        return [*image.entrypoint, *(container.args or image.cmd)]

    def resolve(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return *argv* with a command that only exists in an image replaced by a local one."""
        return (*self.commands.get(argv[0], argv[:1]), *argv[1:])

    def _image(self, container: Container) -> Image:
        name = container.image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]
        if name not in self.images:
            problem = f"container {container.name}: no local command for image {name!r}"
            raise ManifestError([problem])
        known = self.images[name]
        return known if isinstance(known, Image) else Image(entrypoint=known)
