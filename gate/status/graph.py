"""Who waits for whom, and who waits in a circle."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gate.status.seen import SeenPod, Workload

    Graph = Mapping[Workload, set[Workload]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A workload has a dependency that leads to another one."""

    start: Workload
    end: Workload
    name: str
    """Of the dependency."""
    is_pending: bool
    """Whether a pod is held for it now."""
    is_required: bool
    """Whether the gate cannot open without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How the pods of a workload are."""

    pods: int
    held: int
    ready: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Workloads each of which waits for the next one, and the last for the first."""

    workloads: tuple[Workload, ...]
    is_stuck: bool
    """Whether each of them is held for the next one now, and no pod of that is ready."""


def counts(pods: Iterable[SeenPod], held: set[tuple[str, str]]) -> dict[Workload, Count]:
    """Return how the pods of each workload are; *held* are namespaces and names."""
    groups: dict[Workload, list[SeenPod]] = {}
    for pod in pods:
        groups.setdefault(pod.workload, []).append(pod)
    return {
        workload: Count(
            pods=len(group),
            held=sum((pod.namespace, pod.name) in held for pod in group),
            ready=sum(pod.is_ready for pod in group),
        )
        for workload, group in groups.items()
    }


def cycles(edges: Iterable[Edge], count: Mapping[Workload, Count]) -> tuple[Cycle, ...]:
    """Return the circles among what is required, those in which all are stuck first."""
    required = [edge for edge in edges if edge.is_required]
    stuck = [edge for edge in required if edge.is_pending and not count[edge.end].ready]
    found = [Cycle(workloads=each, is_stuck=True) for each in _circles(_graph(stuck))]
    known = {frozenset(each.workloads) for each in found}
    written = [each for each in _circles(_graph(required)) if frozenset(each) not in known]
    return (*found, *(Cycle(workloads=each, is_stuck=False) for each in written))


def _graph(edges: Iterable[Edge]) -> Graph:
    graph: dict[Workload, set[Workload]] = {}
    for edge in edges:
        graph.setdefault(edge.start, set()).add(edge.end)
    return graph


def _circles(graph: Graph) -> list[tuple[Workload, ...]]:
    """Return circles, the shortest through each workload that is in none of those before."""
    found: list[tuple[Workload, ...]] = []
    for start in sorted(graph):
        if not any(start in each for each in found) and (circle := _back_to(start, graph)):
            found.append(circle)
    return found


def _back_to(start: Workload, graph: Graph) -> tuple[Workload, ...]:
    """Return the shortest way from *start* that leads back to it, empty if there is none."""
    ways: deque[tuple[Workload, ...]] = deque([(start,)])
    seen: set[Workload] = set()
    while ways:
        way = ways.popleft()
        for after in sorted(graph.get(way[-1], ())):
            if after == start:
                return way
            if after not in seen:
                seen.add(after)
                ways.append((*way, after))
    return ()
