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
    from gate.pods.around import Around, Group, Service
    from gate.pods.pod import Pod
    from gate.pods.waits import Wait


@dataclass(frozen=True, slots=True)
class Step:
    """A pod's wait for a Service, and the pods behind it."""

    wait: Wait
    service: Service
    group: Group

    @property
    def pods(self) -> list[Pod]:
        """The pods behind the Service."""
        return self.group.pods


@dataclass(slots=True)
class _Stuck:
    """Lets go who can go on, until nobody more can; a group of pods once, however many wait."""

    steps: dict[int, list[Step]] = field(default_factory=dict)
    """By the pod's identity."""
    waiting: dict[int, list[int]] = field(default_factory=dict)
    """Pods, by the group that they wait for."""
    within: dict[int, list[Group]] = field(default_factory=dict)
    """Groups, by the pods in them."""
    free: set[int] = field(default_factory=set)
    """Groups of which a pod can go on."""

    def add(self, pod: Pod) -> None:
        around = pod.around
        for wait, service in services.awaited(pod):
            group = around.group_of(service)
            if not group.pods or service.publishes_not_ready:
                continue
            self.steps.setdefault(id(pod), []).append(Step(wait, service, group))
            if id(group) not in self.waiting:
                for other in group.pods:
                    self.within.setdefault(id(other), []).append(group)
            self.waiting.setdefault(id(group), []).append(id(pod))

    def settle(self, around: Around) -> None:
        left = deque(id(pod) for pod in around.pods if id(pod) not in self.steps)
        while left:
            for group in self.within.get(left.popleft(), ()):
                if id(group) not in self.free:
                    self.free.add(id(group))
                    left.extend(self._let_go(group))

    def _let_go(self, group: Group) -> list[int]:
        """Return the pods that wait for nobody any more, now that *group* can be had."""
        gone = []
        for pod in dict.fromkeys(self.waiting[id(group)]):
            self.steps[pod] = [each for each in self.steps[pod] if each.group is not group]
            if not self.steps[pod]:
                gone.append(pod)
        return gone


def steps_of(pod: Pod) -> list[Step]:
    """Return the waits of *pod* that cannot end, as all pods behind the Service wait, too."""
    around = pod.around
    if around.stuck is None:
        stuck = _Stuck()
        for each in around.pods:
            stuck.add(each)
        stuck.settle(around)
        around.stuck = stuck.steps
    found: list[Step] = around.stuck.get(id(pod), [])
    return found


def way_back(pod: Pod, first: Step) -> list[tuple[Pod, Service]]:
    """Return the shortest way from *pod* through *first* to *pod* itself, empty if there is none.

    Each member is a pod, and the Service that it waits for.
    """
    ways = deque([(other, [(pod, first.service)]) for other in first.pods])
    seen: set[int] = {id(first.group)}
    while ways:
        here, way = ways.popleft()
        if here is pod:
            return way
        for step in steps_of(here):
            if id(step.group) not in seen:
                seen.add(id(step.group))
                ways.extend((other, [*way, (here, step.service)]) for other in step.pods)
    return []
