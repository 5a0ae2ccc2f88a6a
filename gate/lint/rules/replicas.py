"""Waits for replicas that nobody makes, or that may be away while others serve."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import gates, replicas, services
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from gate.pods.around import Budget
    from gate.pods.pod import Pod

_JOBS = {"Job", "CronJob"}


@rule("waits-for-missing-replica", Severity.WARNING)
def missing(pod: Pod) -> Hits:
    """Something waits for a replica that its workload does not make.

    A StatefulSet of N replicas makes the ordinals 0 to N - 1 (counted from `ordinals.start` where
    that is set), and a workload of 0 replicas makes no pod at all: its Service has no endpoint.
    Nor do `min=3` endpoints of a Service, or replicas of a workload, come from two.
    Who waits for another one waits until somebody scales it. Said where `replicas` is written,
    and no autoscaler of the input changes it. Remedy: more replicas, another ordinal, or the
    name of the Service, which stands for those that there are.
    """
    for one in replicas.named(pod):
        count = pod.around.replicas_of(one.workload)
        first = one.workload.scale.first
        if count is not None and one.ordinal not in range(first, first + count):
            text = f"{one.what} waits for {one.name}, but {_made(one.workload, count)}"
            yield Hit(one.line, text, "scale it, or wait for its Service", one.container.name)
    for wait, service in services.awaited(pod):
        behind = pod.around.selected_by(service)
        if behind and all(pod.around.replicas_of(each) == 0 for each in behind):
            text = (
                f"{wait.what} waits for the Service {service.name}, which has no endpoint, as "
                f"{_made(behind[0], 0)}"
            )
            yield Hit(wait.line, text, "scale it, or do not wait for it", wait.container.name)

    yield from _too_many(pod)


def _too_many(pod: Pod) -> Hits:
    """Find gates that want more endpoints or replicas (`min`) than there will be."""
    for gate in gates.all_of(pod):
        for wanted in gate.needed:
            least = wanted.target.number("min", 0) if wanted.target.url.scheme == "k8s" else 0
            made = _named(wanted.target.url.path, pod) if least else []
            counts = [pod.around.replicas_of(each) for each in made]
            if least and counts and None not in counts and sum(filter(None, counts)) < least:
                text = f"gate waits for {least} of {wanted.target.url.path}, but {_all(made, pod)}"
                line = gate.container.line_of("env")
                yield Hit(line, text, "scale it, or want fewer", gate.container.name)


def _named(path: str, pod: Pod) -> list[Pod]:
    """Return the workloads that *path* (`service/db`, `deployment/db`) stands for."""
    kind, _, name = path.partition("/")
    if kind != "service":
        workload = pod.around.workload(kind, name, pod.namespace)
        return [workload] if workload else []
    service = services.meant(pod, name, "")
    return pod.around.selected_by(service) if service else []


def _all(made: list[Pod], pod: Pod) -> str:
    return " and ".join(_made(each, pod.around.replicas_of(each) or 0) for each in made)


def _made(workload: Pod, count: int) -> str:
    """Return what pods *workload* makes, in words."""
    whole = f"the {workload.kind} {workload.name} has {count} replica{'s' * (count != 1)}"
    first = workload.scale.first
    is_range = count > 1 and workload.kind == "StatefulSet"
    last = f", {workload.name}-{first} to {workload.name}-{first + count - 1}"
    return f"{whole}{last if is_range else ''}"


@rule("waits-for-one-replica", Severity.INFO)
def one_of_several(pod: Pod) -> Hits:
    """Something waits for one replica that a disruption budget lets be away.

    A PodDisruptionBudget with a minAvailable below the number of replicas, or a maxUnavailable,
    lets a drain of a node evict any of them, this one too; the others serve, its Service has
    endpoints, and still no pod that names the one gets started until it is back. Advice, as the
    one may be the primary; not said of Jobs, nor of the replicas of the same set. Remedy: wait
    for the Service, or let gate wait for any of them (`any=GROUP`, several hosts in one URL); of
    a primary ask for its role (`role=primary`).
    """
    if pod.kind in _JOBS:
        return
    for _, group in groupby(replicas.named(pod), lambda one: (one.line, id(one.workload))):
        found = list(group)
        if budget := _sparing(found[0].workload):
            names = " and ".join(one.name for one in found)
            text = (
                f"{found[0].what} waits for {names} of {found[0].workload.scale.replicas}, and "
                f"the budget {budget.name} lets a replica be away while the others serve"
            )
            remedy = "wait for the Service, or for any of them (any=GROUP)"
            yield Hit(found[0].line, text, remedy, found[0].container.name)


def _sparing(workload: Pod) -> Budget | None:
    """Return the budget that lets one of several be away, None where another one forbids it."""
    count = workload.scale.replicas or 0
    budgets = workload.around.budgets_of(workload)
    is_spared = count > 1 and all(each.allows(count) for each in budgets)
    return next(iter(budgets), None) if is_spared else None


RULES = (missing, one_of_several)
