"""Order inside a pod: init containers that wait for a part of what the pod waits for.

The annotation `dependencies.CONTAINER` makes a part of gate's, called CONTAINER (`group=`). Where
that is an init container or a sidecar, a plain init container `gate hold CONTAINER` stands in front
of it. gate itself then holds nothing by its startup probe, as what stands behind it would wait for
everything: the last of the init containers holds the app.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.config import words
from gate.core.errors import Problem
from gate.core.names import annotation
from gate.core.suggest import hint
from gate.manifest import companions
from gate.pods.editing.changes import ListEdit
from gate.pods.editing.emitter import Commented

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.inject.findings import Findings
    from gate.inject.workloads import Workload
    from gate.manifest.container import ManifestOptions

PREFIX = annotation("dependencies.")


def named(workload: Workload) -> dict[str, str]:
    """Return the names of containers to what their annotation lists."""
    return {
        name.removeprefix(PREFIX): text
        for name, text in sorted(workload.annotations.items())
        if name.startswith(PREFIX)
    }


def mistakes(workload: Workload) -> Iterator[Problem]:
    """Yield a problem for each annotation that names no container of the pod."""
    known = [each.name for each in workload.pod.containers]
    for name in named(workload):
        if name not in known:
            yield Problem(
                f"annotation {PREFIX}{name}", f"the pod has no such container; {hint(name, known)}"
            )


def add(workload: Workload, found: Findings) -> None:
    """Add what the annotations list, each as a part of its own."""
    for name, text in named(workload).items():
        lines = [line.strip() for _, line in words.lines(text)]
        found.add([f"{line} group={name}" for line in lines], f"annotation {PREFIX}{name}")


def held(workload: Workload, found: Findings) -> list[str]:
    """Return the init containers that wait for a part, in the order of starting."""
    own = named(workload)
    return [e.name for e in workload.pod.init if e.name in own and e.name not in found.removed]


def edits(
    containers: Sequence[Commented],
    names: Sequence[str],
    found: Findings,
    wish: ManifestOptions,
    place: str,
) -> tuple[ListEdit, ...]:
    """Return where *containers*, those of the sidecar form, go if *names* wait for parts.

    *place* is the name of the init container that gate would come in front of otherwise.
    """
    *first, last = containers
    holds = {name: _in_between(wish, name, last) for name in names}
    before = place if place and place not in holds else names[0]
    rest = [name for name in names if name != before]
    at_once = [holds[before]] if before in holds else []
    key = "initContainers"
    return (
        ListEdit(
            key=key,
            removed=frozenset(found.removed),
            added=(*map(_without_startup_probe, first), *at_once),
            before=before,
        ),
        *(ListEdit(key=key, added=(holds[name],), before=name) for name in rest),
        ListEdit(key=key, added=(last,)),
    )


def _in_between(wish: ManifestOptions, name: str, last: Commented) -> Commented:
    """Return what holds *name*, as patient as the *last* one and asking at the same port."""
    fields = last.value if isinstance(last.value, dict) else {}
    return companions.in_between(wish, name, fields["args"][-1], fields.get("env", []))


def _without_startup_probe(container: Commented) -> Commented:
    fields = container.value
    if not isinstance(fields, dict) or "startupProbe" not in fields:
        return container
    left = {key: value for key, value in fields.items() if key != "startupProbe"}
    return Commented(left, ("Holds nothing by itself: the containers that run gate hold do.",))
