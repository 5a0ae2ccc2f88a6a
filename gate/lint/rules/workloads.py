"""Workloads that wait for each other: what cannot come because of who waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import circles, stages
from gate.pods.hit import Hit
from gate.pods.waits import JOBS

if TYPE_CHECKING:
    from gate.pods.around import Service
    from gate.pods.pod import Pod


@rule("waits-for-own-service", Severity.ERROR, "1.14")
def for_own_service(pod: Pod) -> Hits:
    """Something waits for the Service that this very pod stands behind.

    Kubelet fact 1.14: while an init container or a startup probe waits, the pod is Pending and
    not ready, so its own Service has no endpoint of it: at the first roll-out of a Deployment
    every replica waits for the others. Said where a Service of the input selects the pod's
    labels, but not where it publishes addresses that are not ready, or selects the pods of
    another template that do not wait for it. Remedy: wait for what the app depends on, not for
    the app.
    """
    for step in circles.steps_of(pod):
        if pod.around.selects(step.service, pod):
            text = (
                f"{step.wait.what} waits for the Service {step.service.name}, which has no "
                "endpoint before this pod is ready, and this pod is not ready while it waits"
            )
            remedy = "wait for what the app depends on, not for the app itself"
            yield Hit(step.wait.line, text, remedy, step.wait.container.name)


@rule("waits-in-a-circle", Severity.ERROR, "1.14")
def in_a_circle(pod: Pod) -> Hits:
    """Workloads wait for each other's Services, so none of them ever starts.

    Kubelet fact 1.14: while an init container, a gate or a hook waits, its pod is not ready, and
    a Service without a ready pod has no endpoint. Where a waits for the Service of b, and b for
    the Service of a, both stay in Init for ever. Said where all pods of the input that the
    Service selects wait so; the way round may be longer. Remedy: let one of them start without
    the other: make it optional (gate's `optional deadline=30s`), or let its app try again.
    """
    for step in circles.steps_of(pod):
        if pod.around.selects(step.service, pod):
            continue
        if way := circles.way_back(pod, step):
            text = f"{step.wait.what} waits in a circle: {_told(way)}"
            remedy = "let one of them start without the other"
            yield Hit(step.wait.line, text, remedy, step.wait.container.name)


@rule("waits-for-later-stage", Severity.ERROR)
def for_later_stage(pod: Pod) -> Hits:
    """Something waits for what Helm or Argo CD makes only after it.

    Helm runs the hooks of pre-install, in the order of their weights, to their end before it makes
    anything else: a migration in such a hook that waits for the chart's own database waits for
    ever. Argo CD makes the phases PreSync, Sync and PostSync, and in each the waves, one after
    the other, each when all of the one before is healthy: what waits for a later wave is never
    healthy. Said where all that stands behind what is waited for comes later. Remedy: run the
    hook as post-install,pre-upgrade; give what is waited for the earlier
    wave.
    """
    for wait, what, pods in stages.targets(pod):
        if all(stages.why_later(pod, other) for other in pods):
            text = f"{wait.what} waits for {what}, and {stages.why_later(pod, pods[0])}"
            remedy = "make what is waited for earlier, or this later"
            yield Hit(wait.line, text, remedy, wait.container.name)


@rule("waits-for-later-hook", Severity.WARNING)
def for_later_hook(pod: Pod) -> Hits:
    """A workload waits for a hook that Helm runs after the roll-out.

    With --wait or --atomic (and with Argo CD, which takes post-install for PostSync) Helm waits
    until all workloads are ready before it runs the hooks of post-install and post-upgrade. A
    workload that waits for such a Job is never ready, so the Job is never made, and the roll-out
    ends in a time-out. Without --wait it works. Not said of a Job: it has to be ready for nobody
    but --wait-for-jobs. Remedy: make the Job a pre-upgrade hook, or no
    hook at all, with a name of its own for each revision.
    """
    for wait, what, pods in stages.targets(pod) if pod.kind not in JOBS else ():
        if not stages.is_hook(pod) and all(map(stages.is_post_hook, pods)):
            text = (
                f"{wait.what} waits for {what}, a hook that helm --wait runs only when this "
                "workload is ready"
            )
            remedy = "make it a hook of pre-upgrade, or no hook at all"
            yield Hit(wait.line, text, remedy, wait.container.name)


def _told(way: list[tuple[Pod, Service]]) -> str:
    """Return a way round in words, cut where it is long."""
    steps = [f"{pod.name} waits for the Service {service.name}" for pod, service in way]
    if len(steps) > _LONGEST:
        steps[_LONGEST - 2 : -1] = [f"and so on over {len(steps) - _LONGEST + 1} more"]
    return ", ".join(steps)


_LONGEST = 5

RULES = (for_own_service, in_a_circle, for_later_stage, for_later_hook)
