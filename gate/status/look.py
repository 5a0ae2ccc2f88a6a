"""From a cluster to a `Report`: who is held, for what, and where that leads."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gate.checks.k8s.api import Forbidden
from gate.core.one_line import one_line
from gate.status import graph
from gate.status.asking import examine, written
from gate.status.cluster import PODS, SERVICES
from gate.status.graph import Edge
from gate.status.report import HeldPod, Need, Report
from gate.status.seen import LONGEST, SeenPod, Workload, seen
from gate.status.services import World, namespaces_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gate.status.cluster import Cluster

_MOST_NAMESPACES = 20
"""Other namespaces that are looked at because a dependency leads there."""


async def look(cluster: Cluster, namespace: str) -> Report:
    """Return which pods of *namespace* are held, of all of them where that is empty.

    Raises `CheckFailed` where they cannot be listed. Other namespaces are looked at as far as
    dependencies lead there.
    """
    view = _View(cluster)
    own = await view.see(namespace)
    around = own if not namespace else own + await view.follow(own, namespace)
    needs = [(pod, view.needs(pod)) for pod in around if pod.gates]
    edges = _edges(view.world, needs)
    counts = graph.counts(view.world.pods, set(view.held))
    places = {(pod.namespace, pod.name) for pod in own}
    return Report(
        where=f"namespace {namespace}" if namespace else "the cluster",
        at=datetime.now(UTC),
        gated=sum(bool(pod.gates) for pod in own),
        held=tuple(view.led(pod) for place, pod in view.held.items() if place in places),
        notes=tuple(view.notes),
        counts=counts,
        edges=edges,
        cycles=graph.cycles(edges, counts),
        missing=_missing(view.world, needs),
    )


class _View:
    """What has been seen of the cluster so far."""

    def __init__(self, cluster: Cluster) -> None:
        self.world = World()
        self.held: dict[tuple[str, str], HeldPod] = {}
        self.notes: list[str] = []
        self._cluster = cluster

    async def see(self, namespace: str) -> list[SeenPod]:
        """Return the pods of *namespace*; what holds them, and the Services, are noted."""
        things = await self._cluster.list(PODS, namespace)
        pods = [pod for thing in things if (pod := seen(thing))]
        self.world.add_pods(pods)
        try:
            self.world.add_services(await self._cluster.list(SERVICES, namespace))
        except Forbidden as exc:
            self.notes.append(str(exc))
            self.world.unseen |= {namespace, *(pod.namespace for pod in pods)}
        examined = await asyncio.gather(*map(self._examined, pods))
        self.held |= {(pod.namespace, pod.name): pod for pod in examined if pod}
        return pods

    async def follow(self, pods: list[SeenPod], namespace: str) -> list[SeenPod]:
        """Return the pods of the namespaces that the dependencies of *pods* lead to, and so on."""
        known, found = {namespace}, []
        while pods and len(known) <= _MOST_NAMESPACES:
            named = {pair[0]: pair[1] for pod in pods for pair in self._named(pod)}
            fresh = [(name, named[name]) for name in sorted(named) if name not in known]
            known |= set(named)
            pods = [pod for pair in fresh for pod in await self._see_other(*pair)]
            found += pods
        return found

    def _named(self, pod: SeenPod) -> Iterable[tuple[str, bool]]:
        targets = (need.target for need in self.needs(pod))
        return (pair for target in targets if target for pair in namespaces_of(target))

    async def _see_other(self, namespace: str, is_sure: bool) -> list[SeenPod]:  # noqa: FBT001 -- of a pair
        try:
            return await self.see(namespace)
        except Forbidden as exc:
            self.world.unseen.add(namespace)
            self.notes += [str(exc)] if is_sure else []
            return []

    def needs(self, pod: SeenPod) -> tuple[Need, ...]:
        """Return the dependencies of *pod*."""
        held = self.held.get((pod.namespace, pod.name))
        return held.needs if held else written(pod, {})

    def led(self, pod: HeldPod) -> HeldPod:
        """Return *pod* with where its dependencies lead."""
        needs = (
            replace(need, lead=self.world.lead(need.target, pod.namespace)) if need.target else need
            for need in pod.needs
        )
        return replace(pod, needs=tuple(needs))

    async def _examined(self, pod: SeenPod) -> HeldPod | None:
        return await examine(self._cluster, pod, pod.hold) if pod.hold else None


def _edges(world: World, needs: Iterable[tuple[SeenPod, tuple[Need, ...]]]) -> tuple[Edge, ...]:
    found: dict[tuple[Workload, Workload, str], Edge] = {}
    for pod, all_of_them in needs:
        for need in all_of_them:
            lead = world.lead(need.target, pod.namespace) if need.target else need.lead
            for end in lead.workloads:
                key = (pod.workload, end, need.name)
                edge = found.get(key)
                found[key] = Edge(
                    start=pod.workload,
                    end=end,
                    name=need.name,
                    is_pending=need.is_pending or bool(edge and edge.is_pending),
                    is_required=need.is_required,
                )
    return tuple(found[key] for key in sorted(found))


def _missing(
    world: World, needs: Iterable[tuple[SeenPod, tuple[Need, ...]]]
) -> tuple[tuple[Workload, str, str], ...]:
    found = {
        (pod.workload, need.name, one_line(world.lead(need.target, pod.namespace).missing, LONGEST))
        for pod, all_of_them in needs
        for need in all_of_them
        if need.target
    }
    return tuple(sorted(each for each in found if each[2]))
