"""What `gate lint --fix` writes: for each rule that has one right remedy, the edits that are it."""

from __future__ import annotations

import math
import posixpath
from typing import TYPE_CHECKING, Any

from gate import config
from gate.pods import budget, gates, listening
from gate.pods.editing.changes import KeyEdit, ListEdit, Move, at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gate.pods.pod import Container, Pod, Probe

    Path = tuple[str | int, ...]
    Edit = KeyEdit | ListEdit | Move
    Fix = Callable[["Place"], Iterator[Edit]]

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PATIENCE = 120
"""Seconds that a new startup probe allows."""
_SHORTEST = 300
_MARGIN = 1.2
_VOLUME = "gate-state"


class Place:
    """A container of a pod, and what is written of it."""

    def __init__(self, container: Container, pod: Pod, template: Any) -> None:  # noqa: ANN401 -- data
        self.container = container
        self.pod = pod
        self.spec = template["spec"]
        kind = "initContainers" if container.is_init else "containers"
        index = container.index - (0 if container.is_init else len(pod.init))
        self.path: Path = ("spec", kind, index)
        self.raw: dict[str, Any] = at(template, self.path)

    def set(self, key: str, value: object, *inside: str) -> KeyEdit:
        """Return the edit that sets *key* of the container, or *inside* one of its keys."""
        return KeyEdit(path=(*self.path, *inside), key=key, value=value)

    def startup(self) -> Iterator[Probe]:
        """Yield its startup probe, if it has one."""
        yield from filter(None, [self.container.startup])

    def startup_probe(self) -> dict[str, object] | None:
        """Return a startup probe that asks what another one asks, None where there is none."""
        for written in map(self.raw.get, ("readinessProbe", "livenessProbe")):
            kept = _only(written, _HANDLERS)
            if kept:
                timeout = _only(written, ("timeoutSeconds",))
                return {**kept, **timeout, "periodSeconds": 1, "failureThreshold": _PATIENCE}
        return None


def _only(written: object, keys: tuple[str, ...]) -> dict[str, object]:
    return {k: written[k] for k in keys if k in written} if isinstance(written, dict) else {}


def _startup_probe(place: Place) -> Iterator[Edit]:
    for probe in filter(None, [place.startup_probe()]):
        yield place.set("startupProbe", probe)


def _hold(place: Place) -> Iterator[Edit]:
    for probe in place.startup():
        hold = budget.hold_of(probe) or 0.0
        yield place.set("timeoutSeconds", int(hold) + 5, "startupProbe")


def _budget(place: Place) -> Iterator[Edit]:
    gate = gates.of(place.container, place.pod)
    longest = config.longest_wait(gate.settings, gate.dependencies) * _MARGIN
    for probe in place.startup():
        each = max(float(probe.period), budget.hold_of(probe) or 0.0)
        failures = math.ceil(max(longest, _SHORTEST) / each) + 1
        yield place.set("failureThreshold", failures, "startupProbe")


def _period(place: Place) -> Iterator[Edit]:
    for probe in place.startup():
        yield place.set("periodSeconds", 1, "startupProbe")
        yield place.set("failureThreshold", 10 * probe.failures, "startupProbe")


def _state_file(place: Place) -> Iterator[Edit]:
    path = gates.of(place.container, place.pod).settings.state_file
    folder = posixpath.dirname(posixpath.normpath(path)) if path else ""
    mounts = place.raw.get("volumeMounts") or []
    taken = {each.path for each in place.container.mounts}
    if folder in ("", "/") or folder in taken or _VOLUME in place.pod.volumes:
        return
    yield place.set("volumeMounts", [*mounts, {"name": _VOLUME, "mountPath": folder}])
    yield ListEdit(key="volumes", added=({"name": _VOLUME, "emptyDir": {"sizeLimit": "1Mi"}},))


def _to_sidecars(place: Place) -> Iterator[Edit]:
    """Move it in front of the main containers, where it starts, and is restarted, by itself."""
    container = place.container
    asked = place.startup_probe() or _connecting(_ports(container))
    is_told = not {"restartPolicy", "restartPolicyRules"}.isdisjoint(place.raw)
    if asked and not is_told and listening.ports(container, place.pod):
        probe = {} if container.startup else {"startupProbe": asked}
        yield Move(name=container.name, added={"restartPolicy": "Always", **probe})


def _ports(container: Container) -> list[int]:
    """Return the ports it says it has, or the one that everybody knows it by."""
    known = listening.declared(container)
    return sorted(number for _, number in container.ports) or [*(known if len(known) == 1 else ())]


def _connecting(ports: list[int]) -> dict[str, object] | None:
    if not ports:
        return None
    return {"tcpSocket": {"port": ports[0]}, "periodSeconds": 1, "failureThreshold": _PATIENCE}


SAFE: dict[str, Fix] = {
    "sidecar-probe-does-not-hold": _startup_probe,
    "liveness-kills-start": _startup_probe,
    "hold-not-below-timeout": _hold,
    "short-probe-budget": _budget,
    "probe-budget-below-timeout": _budget,
    "startup-probe-period": _period,
    "state-file-volume": _state_file,
}
"""Fixes that keep the order of containers and what their restart means."""
UNSAFE: dict[str, Fix] = {"sidecar-among-main-containers": _to_sidecars}
"""Fixes that change one of them."""
