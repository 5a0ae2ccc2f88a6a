"""From documents to pods: every kind with a pod template, Pods, CronJobs, Lists, and Services."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.pods import beside
from gate.pods.containers import container
from gate.pods.fields import Fields
from gate.pods.hit import Hit
from gate.pods.nodes import Map, Seq
from gate.pods.pod import Note, Pod, Scale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.around import Around

_PLACEHOLDER = re.compile(r"<[^<>]+>|\$\{?\w+\}?$")
_TEMPLATES = ("template", "podtemplatespec")
_SCALED = {"Deployment", "ReplicaSet", "ReplicationController", "Rollout", "StatefulSet"}


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds."""

    pods: list[Pod] = field(default_factory=list)
    templates: list[Map] = field(default_factory=list)
    """What each of `pods` was made from: the mapping with its `metadata` and `spec`."""
    notes: list[Hit] = field(default_factory=list)
    """Wrong types."""
    skipped: list[Hit] = field(default_factory=list)
    """Containers whose pods were not looked at."""


def read(value: object, file: str, around: Around, found: Found) -> None:
    """Put the pods of the document *value* into *found*, and what else counts into *around*."""
    for raw in objects(value):
        top, kind = Fields(raw, found.notes), raw.get("kind")
        if not isinstance(kind, str) or beside.read(top, kind, around):
            continue
        for pod in _templates(raw, kind):
            items = _written(pod)
            if bare := next((each for each in items if _is_bare(each)), None):
                found.skipped.append(_skipped(bare))
            elif items:
                found.pods.append(_pod(Fields(pod, found.notes), top, kind, file, around))
                found.templates.append(pod)
                around.add_pod(found.pods[-1])


def objects(value: object) -> Iterator[Map]:
    """Return the object, or those of a List, one level deep as kubectl takes them."""
    if not isinstance(value, Map):
        return
    items = value.get("items")
    if str(value.get("kind")).endswith("List") and isinstance(items, Seq):
        yield from (item for item in items if isinstance(item, Map))
    else:
        yield value


def _templates(raw: Map, kind: str) -> Iterator[Map]:
    """Return every mapping of *raw* that has a pod's spec, each once."""
    if kind == "Pod":
        yield raw
        return
    seen: set[int] = set()
    left: list[object] = [raw]
    while left:
        value = left.pop()
        if id(value) in seen or not isinstance(value, Map | Seq):
            continue
        seen.add(id(value))
        if isinstance(value, Seq):
            left += value
            continue
        for key, inner in value.items():
            if (
                key.lower().endswith(_TEMPLATES)
                and isinstance(inner, Map)
                and _has_containers(inner)
            ):
                yield inner
            else:
                left.append(inner)


def _has_containers(template: Map) -> bool:
    spec = template.get("spec")
    return isinstance(spec, Map) and spec.get("containers") is not None


def _written(pod: Map) -> list[Map]:
    """Return its containers; none where none has an image: that is a patch."""
    spec = pod.get("spec")
    if not isinstance(spec, Map):
        return []
    both = (spec.get("initContainers"), spec.get("containers"))
    items = (item for each in both if isinstance(each, Seq) for item in each)
    found = [item for item in items if isinstance(item, Map)]
    return found if any("image" in item for item in found) else []


def _is_bare(container: Map) -> bool:
    """Whether it has no image, and is no placeholder that somebody has yet to fill in."""
    return "image" not in container and not _PLACEHOLDER.match(str(container.get("name")))


def _skipped(bare: Map) -> Hit:
    text = "this container has no image: the pod was taken for a patch of one, and not looked at"
    return Hit(bare.line, text, "give it an image, or look at what kustomize build renders")


def _pod(pod: Fields, top: Fields, kind: str, file: str, around: Around) -> Pod:
    spec, outer, meta = pod.inner("spec"), top.inner("spec"), pod.inner("metadata")
    init = spec.each("initContainers")
    both = [*init, *spec.each("containers")]
    user = spec.inner("securityContext").number("runAsUser")
    job = outer.inner("jobTemplate").inner("spec") if kind == "CronJob" else outer
    bounded = spec if spec.has("activeDeadlineSeconds") or kind == "Pod" else job
    return Pod(
        file=file,
        kind=kind,
        name=top.inner("metadata").text("name") or "without a name",
        namespace=top.inner("metadata").text("namespace"),
        line=pod.line_of("spec"),
        labels=meta.pairs("labels"),
        annotations=meta.pairs("annotations"),
        notes=_notes(pod, top),
        containers=tuple(
            container(each, index, is_init=index < len(init), user=user)
            for index, each in enumerate(both)
        ),
        volumes={each.text("name"): _kind(each) for each in spec.each("volumes")} | _claims(outer),
        restart_policy=spec.text("restartPolicy", "Always"),
        scale=_scale(outer) if kind in _SCALED else Scale(None, 0, ""),
        has_service_links=spec.flag("enableServiceLinks", default=True),
        has_host_network=spec.flag("hostNetwork", default=False),
        active_deadline=bounded.number("activeDeadlineSeconds"),
        active_deadline_line=bounded.line_of("activeDeadlineSeconds"),
        progress_deadline=outer.number("progressDeadlineSeconds"),
        progress_deadline_line=outer.line_of("progressDeadlineSeconds"),
        around=around,
    )


def _notes(pod: Fields, top: Fields) -> tuple[Note, ...]:
    """Return the annotations of *pod*, and of what makes it."""
    tops = [pod] if top.raw is pod.raw else [pod, top]
    annotations = [each.inner("metadata").inner("annotations") for each in tops]
    return tuple(
        Note(name, value, each.raw.lines[name])
        for each in annotations
        for name, value in each.raw.items()
        if isinstance(value, str)
    )


def _claims(outer: Fields) -> dict[str, str]:
    """Return the volumes that a StatefulSet brings along."""
    claims = outer.each("volumeClaimTemplates")
    return {each.inner("metadata").text("name"): "persistentVolumeClaim" for each in claims}


def _scale(outer: Fields) -> Scale:
    first = outer.inner("ordinals").number("start", 0) or 0
    return Scale(outer.number("replicas"), first, outer.text("serviceName"))


def _kind(volume: Fields) -> str:
    return next((key for key in volume.raw if key != "name"), "emptyDir")
