"""Pods that wait for each other's Services: none of them will ever be ready.

A Service has an endpoint once one of its pods is ready. So a pod is stuck where it waits for a
Service all of whose pods are stuck. Of the stuck ones, those are a circle that reach themselves.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.pods import services

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gate.pods.around import Around, Service
    from gate.pods.pod import Pod
    from gate.pods.waits import Wait


@dataclass(frozen=True, slots=True)
class Step:
    """A pod's wait for a Service, and the pods behind it."""

    wait: Wait
    service: Service
    pods: list[Pod]


@dataclass(slots=True)
class _Stuck:
    """Removes who can go on, until nobody more can."""

    steps: dict[int, list[Step]] = field(default_factory=dict)
    """By the pod's identity."""
    waiting_for: dict[int, list[int]] = field(default_factory=dict)
    """Who waits for a Service that a pod stands behind."""

    def add(self, pod: Pod, around: Around) -> None:
        found = []
        for wait, service in services.awaited(pod):
            pods = around.selected_by(service)
            if pods and not service.publishes_not_ready:
                found.append(Step(wait, service, pods))
        if found:
            self.steps[id(pod)] = found
        for step in found:
            for other in step.pods:
                self.waiting_for.setdefault(id(other), []).append(id(pod))

    def settle(self, pods: Iterable[Pod]) -> None:
        free = deque(id(pod) for pod in pods if id(pod) not in self.steps)
        while free:
            for waiting in self.waiting_for.get(free.popleft(), ()):
                left = [each for each in self.steps.get(waiting, ()) if self._never(each)]
                if waiting in self.steps and not left:
                    free.append(waiting)
                    del self.steps[waiting]
                elif left:
                    self.steps[waiting] = left

    def _never(self, step: Step) -> bool:
        return all(id(pod) in self.steps for pod in step.pods)


def steps_of(pod: Pod) -> list[Step]:
    """Return the waits of *pod* that cannot end, as all pods behind the Service wait, too."""
    around = pod.around
    if around.stuck is None:
        stuck = _Stuck()
        for each in around.pods:
            stuck.add(each, around)
        stuck.settle(around.pods)
        around.stuck = stuck.steps
    found: list[Step] = around.stuck.get(id(pod), [])
    return found


def way_back(pod: Pod, first: Step) -> list[tuple[Pod, Service]]:
    """Return the shortest way from *pod* through *first* to *pod* itself, empty if there is none.

    Each member is a pod, and the Service that it waits for.
    """
    ways = deque([(other, [(pod, first.service)]) for other in first.pods])
    seen: set[int] = set()
    while ways:
        here, way = ways.popleft()
        if here is pod:
            return way
        if id(here) in seen:
            continue
        seen.add(id(here))
        ways.extend(
            (other, [*way, (here, step.service)]) for step in steps_of(here) for other in step.pods
        )
    return []
