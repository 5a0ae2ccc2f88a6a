"""Which replica of a StatefulSet a wait names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gate.pods import asking, waits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.pod import Container, Pod

_STATEFUL_SET = "statefulset"
_ANY = "*"
"""Stands for the Service where a pod is asked for as an object."""


class Named(NamedTuple):
    """A replica that a wait cannot do without."""

    container: Container
    line: int
    what: str
    name: str
    ordinal: int
    workload: Pod
    """The StatefulSet that makes it."""


def named(pod: Pod) -> list[Named]:
    """Return the replicas of other StatefulSets of the input that *pod* waits for, each once.

    A pod of a set is called by the set's name and its ordinal, and has the name of the set's
    Service behind it. It is asked once all of the input is read.
    """
    if "replicas" not in pod.known:
        is_any = pod.around.has_kind(_STATEFUL_SET)
        pod.known["replicas"] = list(_named(pod)) if is_any else []
    found: list[Named] = pod.known["replicas"]
    return found


def _named(pod: Pod) -> Iterator[Named]:
    seen = set()
    for container, line, what, host in _hosts(pod):
        name, _, rest = host.rstrip(".").partition(".")
        base, _, ordinal = name.rpartition("-")
        made = _set_of(pod, base, rest.split("."))
        if made is None or made is pod or not ordinal.isdecimal() or (line, name) in seen:
            continue
        seen.add((line, name))
        yield Named(container, line, what, name, int(ordinal), made)


def _hosts(pod: Pod) -> Iterator[tuple[Container, int, str, str]]:
    """Return the names of what *pod* waits for."""
    for wait in waits.every(pod):
        alone = [need[0].host for need in wait.needs if len(need) == 1]
        pods = [each.partition("/")[2] for each in wait.objects if each.startswith("pod/")]
        for host in (*alone, *(f"{name}.{_ANY}" for name in pods)):
            yield wait.container, wait.line, wait.what, host
    for container in pod.containers:
        for words, line in waits.commands_of(container):
            for name in asking.by_name(words):
                yield container, line, "its command", name


def _set_of(pod: Pod, name: str, rest: list[str]) -> Pod | None:
    """Return the StatefulSet *name*, where *rest* is its Service and namespace."""
    service, namespace, mark = (*rest, "", "", "")[:3]
    found = pod.around.workload(_STATEFUL_SET, name, namespace or pod.namespace)
    if found is None and not pod.namespace:
        found = pod.around.workload(_STATEFUL_SET, name, "")
    is_its = found is not None and (service == _ANY or found.scale.service in ("", service))
    return found if is_its and mark in ("", "svc") else None
