"""From what was found for a pod to the change that puts gate into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gate import checks, config
from gate.core.errors import Problem
from gate.core.names import ANNOTATION_PREFIX, annotation
from gate.core.suggest import hint
from gate.inject import parts
from gate.inject.findings import url_of
from gate.manifest import container as manifest
from gate.manifest.container import ManifestOptions
from gate.pods import gates, listening
from gate.pods.editing.changes import Change, ListEdit
from gate.pods.editing.emitter import Commented

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gate.config import Config
    from gate.inject.findings import Findings
    from gate.inject.workloads import Workload
    from gate.pods.pod import Container

INJECTED = annotation("injected")
"""On a pod that gate was put into: the name of its container."""
FORMS = ("sidecar", "exec-probe", "init")
_STATE, _MARK = "GATE_STATE_FILE", "/run/gate/opened"
_SETTINGS = {
    "timeout": "GATE_TIMEOUT",
    "on-timeout": "GATE_ON_TIMEOUT",
    "events": "GATE_EVENTS",
    "state-file": _STATE,
}
_KNOWN = (*_SETTINGS, "dependencies", "form", "from-env", "image", "inject", "injected")
_NATIVE_SIDECARS = (1, 29)
"""From this version on an init container may be a sidecar."""
_IN_FRONT = "In front of the init containers that may need what it waits for."
_NOTHING_LISTED = "no dependency"


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectOptions:
    """What is wanted of all pods; annotations of a pod win."""

    image: str
    form: str = ""
    name: str = "gate"
    is_durable: bool = True
    dependencies: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    """Variables of gate's own, with their values."""
    version: tuple[int, int] | None = None
    """Of the cluster, where it was told."""


def why_not(workload: Workload) -> str:
    """Return why nothing is put into this pod, empty if something may be."""
    asked = workload.annotations.get(annotation("inject"), "").strip().lower()
    if asked in ("false", "disabled", "no", "off"):
        return f"annotation {annotation('inject')} says no"
    if any(gates.is_gate(container) for container in workload.pod.containers):
        return "has gate already"
    return ""


def mistakes(workload: Workload) -> list[Problem]:
    """Return annotations of gate's that it does not know."""
    found = []
    for name in sorted(workload.annotations):
        prefix, _, key = name.partition("/")
        is_known = key in _KNOWN or name.startswith(parts.PREFIX)
        if prefix == ANNOTATION_PREFIX and not is_known:
            found.append(Problem(f"annotation {name}", f"is not known; {hint(key, _KNOWN)}"))
    return [*found, *parts.mistakes(workload)]


def change(
    workload: Workload, found: Findings, wish: InjectOptions
) -> tuple[Change, list[Problem]]:
    """Return the change that puts gate in, and what is wrong with what was asked for."""
    options = _options(workload, wish)
    held = parts.held(workload, found)
    if held:
        # Then nothing but the container behind gate holds the app.
        options = replace(options, mode="sidecar", is_durable=True)
    environ = _environ(workload, found, wish, options.mode)
    read = config.read(environ)
    for wanted in read.dependencies:
        checks.load(wanted.target)
    if problems := [*_problems(read, found), *manifest.problems(options, read.settings)]:
        return Change(), problems
    made = manifest.fragment(options, read, environ, _read_in_pod(found))
    found.notes += made.needs
    place = _place(workload, found)
    containers = [_fitted(each, found, is_last=not place) for each in made.containers]
    removed = frozenset(found.removed)
    whole = ListEdit(key="initContainers", removed=removed, added=tuple(containers), before=place)
    lists = (
        *(parts.edits(containers, held, found, options, place) if held else (whole,)),
        ListEdit(key="volumes", added=made.volumes),
        ListEdit(key="readinessGates", added=made.readiness_gates),
    )
    made_of = Change(lists=lists, annotation=INJECTED, value=options.name, path=workload.path)
    return made_of, []


def removal(workload: Workload) -> Change | None:
    """Return the change that takes out what was put in, None where there is nothing."""
    name = workload.annotations.get(INJECTED, "")
    if not name:
        return None
    whole = {name, f"{name}-forget", f"{name}-hold"}
    names = (each.name for each in workload.pod.init)
    own = frozenset(n for n in names if n in whole or n.startswith(f"{name}-hold-"))
    volumes = frozenset({name} if workload.pod.volumes.get(name) == "emptyDir" else ())
    lists = (ListEdit(key="initContainers", removed=own), ListEdit(key="volumes", removed=volumes))
    return Change(lists=lists, annotation=INJECTED, path=workload.path)


def _options(workload: Workload, wish: InjectOptions) -> ManifestOptions:
    image = workload.annotations.get(annotation("image"), "") or wish.image
    mode = (
        workload.annotations.get(annotation("form"), "") or wish.form or _usual_form(workload, wish)
    )
    return ManifestOptions(mode, image, wish.name, is_durable=wish.is_durable)


def _usual_form(workload: Workload, wish: InjectOptions) -> str:
    is_old = wish.version is not None and wish.version < _NATIVE_SIDECARS
    # On the node's network two pods would want the same port.
    return "init" if is_old or workload.pod.has_host_network else "sidecar"


def _environ(workload: Workload, found: Findings, wish: InjectOptions, mode: str) -> dict[str, str]:
    own = {
        variable: workload.annotations[annotation(key)]
        for key, variable in _SETTINGS.items()
        if annotation(key) in workload.annotations
    }
    listed = "\n".join(each.text for each in found.wanted)
    # Where a pod is to run on, a gate that restarts must not take it out of its Services.
    usual = {_STATE: _MARK} if workload.pod.runs_on and mode != "init" else {}
    return {config.LIST: listed, **usual, **dict(wish.settings), **own}


def _problems(read: Config, found: Findings) -> list[Problem]:
    """Return what is wrong; gate may have nothing but what it reads in the pod."""
    return [
        problem
        for problem in read.all_problems()
        if not (found.from_env and problem.text.startswith(_NOTHING_LISTED))
        and "needs the package" not in problem.text  # of this machine; the image has it
    ]


def _read_in_pod(found: Findings) -> list[object]:
    if not found.from_env:
        return []
    return [*found.entries, {"name": "GATE_FROM_ENV", "value": ",".join(found.from_env)}]


def _fitted(container: Commented, found: Findings, *, is_last: bool) -> Commented:
    """Return a container of the fragment with the `envFrom` and the comment that fit here."""
    fields = container.value
    if not isinstance(fields, dict) or fields.get("args", [""])[0] in ("forget", "hold"):
        return container
    notes = container.notes if is_last else (_IN_FRONT,)
    sources = {"envFrom": list(found.env_sources)} if found.env_sources else {}
    return Commented({**fields, **sources}, notes)


def _place(workload: Workload, found: Findings) -> str:
    """Return the name of the init container that gate comes in front of, empty for the end.

    The end is right but for plain init containers that stood behind a wait that gate replaces:
    they may need what was waited for.
    """
    left = [each for each in workload.pod.init if each.name not in found.removed]
    first = min(
        (each.index for each in workload.pod.init if each.name in found.removed),
        default=len(workload.pod.init),
    )
    behind = [each for each in left if each.index > first]
    needed = max((each.index for each in left if _is_asked(each, found)), default=-1)
    if not any(each.is_plain_init for each in behind):
        return ""
    return next((each.name for each in behind if each.index > needed), "")


def _is_asked(sidecar: Container, found: Findings) -> bool:
    """Whether gate waits for *sidecar* itself, so that it must start in front of gate."""
    ports = listening.declared(sidecar) if sidecar.is_sidecar else set()
    urls = [url_of(each.text) for each in found.wanted]
    return any(url is not None and url.is_local and url.port in ports for url in urls)


def described(problems: Mapping[str, Sequence[Problem]]) -> str:
    """Return the problems of all pods as one text, each with its pod."""
    lines = [f"{name}: {each.place}: {each.text}" for name, own in problems.items() for each in own]
    return "\n  ".join(["nothing is written, as something is wrong:", *lines])
