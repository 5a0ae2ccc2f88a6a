"""When a workload is made: Helm's hooks, and Argo CD's phases and waves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gate.pods import services
from gate.pods.waits import before_it_is_done

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.pod import Pod
    from gate.pods.waits import Wait

_HOOK, _WEIGHT = "helm.sh/hook", "helm.sh/hook-weight"
_PHASE, _WAVE = "argocd.argoproj.io/hook", "argocd.argoproj.io/sync-wave"
_PHASES = {"PreSync": -1, "Sync": 0, "PostSync": 1}
_POST = {"post-install", "post-upgrade"}


class Target(NamedTuple):
    """What a wait cannot do without, and the pods of the input that it is."""

    wait: Wait
    what: str
    pods: list[Pod]


def targets(pod: Pod) -> Iterator[Target]:
    """Return what *pod* waits for that the input makes."""
    for wait in before_it_is_done(pod):
        for written in wait.objects:
            kind, _, rest = written.partition("/")
            name = rest.partition("?")[0]
            if made := pod.around.workload(kind, name, pod.namespace):
                yield Target(wait, f"the {made.kind} {name}", [made])
    for wait, service in services.awaited(pod):
        if behind := pod.around.selected_by(service):
            yield Target(wait, f"the Service {service.name}", behind)


def why_later(pod: Pod, other: Pod) -> str:
    """Return why *other* is made only when *pod* is done or ready, empty if it is not."""
    if "pre-install" in _hooks(pod):
        if "pre-install" not in _hooks(other):
            return "Helm makes it only after the pre-install hooks, this one too"
        if _weight(other) > _weight(pod):
            return "Helm makes it only after this hook, which has a lower weight"
    if _has_marks(pod) or _has_marks(other):
        return _why_argo(pod, other)
    return ""


def is_post_hook(pod: Pod) -> bool:
    """Whether Helm makes *pod* only after the rest, which with --wait it waits for."""
    hooks = _hooks(pod)
    return bool(hooks & _POST) and not hooks & {"pre-install", "pre-upgrade"}


def is_hook(pod: Pod) -> bool:
    """Whether *pod* belongs to a hook of Helm."""
    return bool(_hooks(pod))


def _why_argo(pod: Pod, other: Pod) -> str:
    if _phase(other) > _phase(pod):
        return "Argo CD makes it in a later phase, after this one is healthy"
    if _phase(other) == _phase(pod) and _wave(other) > _wave(pod):
        return f"Argo CD makes it in wave {_wave(other)}, after wave {_wave(pod)} is healthy"
    return ""


def _has_marks(pod: Pod) -> bool:
    return any(note.name in (_PHASE, _WAVE) for note in pod.notes)


def _hooks(pod: Pod) -> set[str]:
    return {each.strip() for each in _note(pod, _HOOK).split(",") if each.strip()}


def _phase(pod: Pod) -> int:
    return max(_PHASES.get(each.strip(), 0) for each in _note(pod, _PHASE).split(","))


def _weight(pod: Pod) -> int:
    return _number(_note(pod, _WEIGHT))


def _wave(pod: Pod) -> int:
    return _number(_note(pod, _WAVE))


def _note(pod: Pod, name: str) -> str:
    return next((note.value for note in pod.notes if note.name == name), "")


def _number(text: str) -> int:
    bare = text.strip().removeprefix("-")
    return int(text) if bare.isascii() and bare.isdigit() else 0
