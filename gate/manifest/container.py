"""`gate manifest`: the container that a configuration asks for, ready to go into a pod."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gate.config import longest_wait
from gate.core.durations import show
from gate.core.errors import Problem, UsageError
from gate.core.url import is_loopback
from gate.manifest import companions, environment
from gate.pods.editing.emitter import Commented, emit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gate.config import Config, Settings

MODES = ("sidecar", "poststart", "init", "exec-probe")
HOLD = 25
"""Seconds for which each probe is held; it counts as one failure."""
USUAL = 60
"""Probes where nothing bounds the wait: about 25 minutes."""
LEAST = 30
"""Probes: as many seconds may pass before anything listens ."""
MARGIN = 60.0
"""Seconds by which the kubelet waits longer than gate, because only gate can say what failed."""
_HOOK = 300.0
"""Seconds for which a hook blocks, and `gate wait` waits, where nothing bounds the wait."""
_HOOK_MARGIN = 30.0
"""Seconds beyond gate's own limit, as the hook starts counting before gate does."""
_MARK = "/run/gate/opened"
"""The state file of a pod with a hook: without one, a gate that restarts blocks the pod."""
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_LONGEST_LABEL = 63


@dataclass(frozen=True, slots=True)
class ManifestOptions:
    """The options of `gate manifest`; raises `UsageError` for a wrong one."""

    mode: str
    image: str
    name: str = "gate"
    is_durable: bool = True
    """Whether a plain init container behind it holds the app through a restart of the kubelet."""

    def __post_init__(self) -> None:
        if not self.image or not self.image.isprintable() or " " in self.image:
            msg = f"--image: {self.image!r} is not the name of an image"
            raise UsageError(msg)
        is_label = _LABEL.issuperset(self.name) and len(self.name) <= _LONGEST_LABEL
        if not is_label or not self.name or "-" in self.name[0] + self.name[-1]:
            msg = f"--name: {self.name!r} names no container; write small letters, digits and -"
            raise UsageError(msg)

    @property
    def does_serve(self) -> bool:
        """Whether it keeps running beside the app, as a sidecar."""
        return self.mode != "init"

    @property
    def is_probed_over_http(self) -> bool:
        """Whether the kubelet connects to it."""
        return self.mode in {"sidecar", "poststart"}


def problems(wish: ManifestOptions, settings: Settings) -> list[Problem]:
    """Return what does not work in the wanted container, although it is right by itself."""
    found = []
    if _is_hidden(settings) and wish.is_probed_over_http:
        host = settings.listen[0]
        text = f"the kubelet cannot reach {host}; leave the host out, or use --mode exec-probe"
        found.append(Problem("GATE_LISTEN", text))
    if settings.state_file and companions.folder(settings.state_file) == "/":
        text = "no volume can stand in for /; write a path in a folder, such as /run/gate/opened"
        found.append(Problem("GATE_STATE_FILE", text))
    return found


@dataclass(frozen=True, slots=True)
class Fragment:
    """What goes into the `spec` of a pod; no secret is in it."""

    containers: tuple[Commented, ...]
    """Init containers in their order: gate, and the small ones around it."""
    volumes: tuple[object, ...]
    readiness_gates: tuple[object, ...]
    needs: tuple[str, ...]
    """What else gate needs, in sentences."""


def write(wish: ManifestOptions, read: Config, environ: Mapping[str, str]) -> str:
    """Return YAML to merge into the `spec` of a pod; no secret is in it.

    *environ* is what *read*, which has no problems, was read from, flags included.
    """
    made = fragment(wish, read, environ)
    spec: dict[str, object] = {"enableServiceLinks": False}
    if made.readiness_gates:
        comment = "The pod gets no traffic while this is not true, and if gate may not write it."
        spec["readinessGates"] = Commented(list(made.readiness_gates), (comment,))
    spec["initContainers"] = list(made.containers)
    if made.volumes:
        spec["volumes"] = list(made.volumes)
    first = f"For the spec of a pod, made by gate manifest --mode {wish.mode}."
    return emit(Commented(spec, (first, *made.needs)))


def fragment(
    wish: ManifestOptions,
    read: Config,
    environ: Mapping[str, str],
    more: Sequence[object] = (),
) -> Fragment:
    """Return what goes into a pod's spec; *more* are further entries of gate's `env`."""
    if wish.mode == "poststart" and not read.settings.state_file:
        read = replace(read, settings=replace(read.settings, state_file=_MARK))
        environ = {**environ, "GATE_STATE_FILE": _MARK}
    settings = read.settings
    entries = environment.entries(read, environ)
    variables = [*more, *environment.variables(entries, environ, secret=wish.name)]
    container = {key: value for key, value in _fields(wish, read, variables) if value}
    needs = [*environment.needs(entries)]
    if wish.does_serve and (settings.events or settings.pod_condition):
        needs.append("Give the pod a serviceAccountName that may tell of it (rbac-events.yaml).")
    condition = settings.pod_condition if wish.does_serve else None
    volume = {"name": wish.name, "emptyDir": {"sizeLimit": "1Mi"}}
    return Fragment(
        containers=(
            *companions.in_front(wish, settings),
            Commented(container, (_place(wish),)),
            *companions.behind(wish, settings, patience=_failures(read) * HOLD),
        ),
        volumes=(volume,) if settings.state_file else (),
        readiness_gates=({"conditionType": condition},) if condition else (),
        needs=tuple(needs),
    )


def _fields(wish: ManifestOptions, read: Config, env: list[object]) -> Iterator[tuple[str, object]]:
    yield "name", wish.name
    yield "image", wish.image
    yield "args", [] if wish.does_serve else _wait(read)
    yield "restartPolicy", "Always" if wish.does_serve else ""
    yield "ports", _ports(wish, read.settings)
    yield "env", env
    if path := read.settings.state_file:
        yield "volumeMounts", [{"name": wish.name, "mountPath": companions.folder(path)}]
    if wish.mode == "poststart":
        command = ["gate", "hold", "--timeout", show(_longest_hook(read))]
        yield "lifecycle", {"postStart": {"exec": {"command": command}}}
    if wish.does_serve:
        yield "startupProbe", _probe(wish, read)
    if wish.is_durable and wish.is_probed_over_http:
        # It keeps the pod out of its Services where the kubelet takes gate for started too early.
        ready = {"path": "/readyz", "port": read.settings.listen[1]}
        yield "readinessProbe", {"httpGet": ready, "periodSeconds": 5}
    yield "resources", _resources(wish, read)
    yield "securityContext", companions.SECURITY


def _wait(read: Config) -> list[str]:
    # The default limit of `gate wait` would end it before a late deadline.
    longest = longest_wait(read.settings, read.dependencies) + _HOOK_MARGIN
    if read.settings.timeout is not None or longest <= _HOOK:
        return ["wait"]
    return ["wait", "--timeout", show(longest)]


def _ports(wish: ManifestOptions, settings: Settings) -> list[dict[str, object]]:
    """Return the port, named as scrape.yaml looks for it, if it is reachable from outside."""
    if not wish.does_serve or _is_hidden(settings):
        return []
    return [{"name": "gate", "containerPort": settings.listen[1]}]


def _is_hidden(settings: Settings) -> bool:
    """Whether it listens on loopback only."""
    return is_loopback(settings.listen[0])


def _longest_hook(read: Config) -> float:
    # Longer than gate's own limit, after which gate may open. The pod cannot be deleted meanwhile.
    longest = longest_wait(read.settings, read.dependencies) + _HOOK_MARGIN
    return max(longest, _HOOK) if read.settings.timeout is None else longest


def _resources(wish: ManifestOptions, read: Config) -> object:
    """Return requests and limits: a pod keeps what is requested for its life.

    gate needs more only while the app has not started, whose request covers that.
    """
    grows_small = read.settings.grows_small(each.dependency for each in read.dependencies)
    request, limit = "48Mi", "96Mi"
    if wish.mode == "exec-probe":
        # A small process beside gate.
        request, limit = "64Mi", "128Mi"
    elif wish.does_serve and grows_small:
        request = "16Mi"
    return {"requests": {"cpu": "10m", "memory": request}, "limits": {"memory": limit}}


def _place(wish: ManifestOptions) -> str:
    if wish.mode == "init":
        return "In front of the init containers that need what it waits for."
    return "Behind the other init containers, so that it is in force when the app would start."


def _probe(wish: ManifestOptions, read: Config) -> object:
    if wish.is_probed_over_http:
        path = f"/startupz?hold={HOLD}s"
        action: dict[str, object] = {"httpGet": {"path": path, "port": read.settings.listen[1]}}
    else:
        action = {"exec": {"command": ["gate", "probe", "--hold", f"{HOLD}s"]}}
    count = _failures(read)
    probe = {**action, "periodSeconds": 1, "timeoutSeconds": HOLD + 5, "failureThreshold": count}
    comment = f"Each probe is held for up to {HOLD}s, so this is patient for {show(count * HOLD)}."
    return Commented(probe, (comment,))


def _failures(read: Config) -> int:
    """Return how many probes may fail, so that gate gives up before the kubelet does."""
    least = USUAL if read.settings.timeout is None else LEAST
    longest = longest_wait(read.settings, read.dependencies)
    return max(least, math.ceil((longest + MARGIN) / HOLD))
