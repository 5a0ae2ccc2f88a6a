"""Whether an object of the cluster is as wanted, and if not, why.

Each judging function takes an object as the API server sends it and returns why it is not
ready, empty if it is. Workloads are judged as `kubectl rollout status` does, conditions as
`kubectl wait` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
Judge = Callable[[Object], str]
_NOT_OBSERVED = "its controller has not seen the latest change yet"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one object contributes: the ids of what is ready in it, or the reason why it is not."""

    ready: frozenset[str] = frozenset()
    reason: str = ""


def finding(judge: Judge, thing: Object) -> Finding:
    """Return what *judge* finds; what is being deleted is never ready."""
    meta = _part(thing, "metadata")
    reason = "being deleted" if meta.get("deletionTimestamp") else judge(thing)
    return Finding(reason=reason) if reason else Finding(frozenset({identity(thing)}))


def identity(thing: Object) -> str:
    """Return what tells *thing* from others: not everything an extension serves has a uid."""
    meta = _part(thing, "metadata")
    return str(meta.get("uid") or f"{meta.get('namespace')}/{meta.get('name')}")


def endpoints(endpoint_slice: Object) -> Finding:
    """Return the ready endpoints of an EndpointSlice; one in two address families is one."""
    ready = set()
    for endpoint in _items(endpoint_slice, "endpoints"):
        # Not given means ready, as the API says; of several addresses only the first counts.
        if _part(endpoint, "conditions").get("ready") is not False:
            found = endpoint.get("addresses")
            address = found[0] if found and isinstance(found, list) else ""
            ready.add(str(_part(endpoint, "targetRef").get("uid") or address))
    return Finding(frozenset(ready))


def job(thing: Object) -> str:
    """Judge a Job: complete."""
    status = _part(thing, "status")
    if _holds(status, "Complete"):
        return ""
    failed = _condition(status, "Failed")
    if _holds(status, "Failed"):
        return f"job failed: {failed.get('message') or failed.get('reason') or 'no reason given'}"
    if _holds(status, "Suspended"):
        return "job suspended"
    if not status.get("startTime"):
        return "job not started"
    counts = [f"{n} {key}" for key in ("active", "failed", "succeeded") if (n := status.get(key))]
    return f"job running: {', '.join(counts) or _uncounted(status)}"


def _uncounted(status: Object) -> str:
    """Return what a running Job without counts is at.

    A pod that has ended stands in `uncountedTerminatedPods` until its finalizer is removed, and in
    no count meanwhile.
    """
    uncounted = _part(status, "uncountedTerminatedPods")
    has_ended = any(uncounted.get(key) for key in ("succeeded", "failed"))
    if has_ended or _holds(status, "SuccessCriteriaMet"):
        return "its pod has ended and is being counted"
    return "its pod is terminating" if status.get("terminating") else "no pod yet"


def deployment(thing: Object) -> str:
    """Judge a Deployment: rolled out and available."""
    spec, status = _part(thing, "spec"), _part(thing, "status")
    wanted, updated = _count(spec, "replicas", 1), _count(status, "updatedReplicas")
    available, old = _count(status, "availableReplicas"), _count(status, "replicas") - updated
    if _is_stale(thing):
        return _NOT_OBSERVED
    if _condition(status, "Progressing").get("reason") == "ProgressDeadlineExceeded":
        return f"rollout failed: progress deadline exceeded, {available} of {wanted} available"
    if not wanted:
        return "scaled to 0 replicas"
    if updated < wanted:
        return f"{updated} of {wanted} replicas updated"
    if old > 0:
        return f"old replicas still running: {old}"
    return "" if available >= updated else f"{available} of {updated} replicas available"


def stateful_set(thing: Object) -> str:
    """Judge a StatefulSet: all ready, and rolled out down to its partition."""
    spec, status = _part(thing, "spec"), _part(thing, "status")
    wanted, ready = _count(spec, "replicas", 1), _count(status, "readyReplicas")
    if not status.get("observedGeneration") or _is_stale(thing):
        return _NOT_OBSERVED
    if not wanted:
        return "scaled to 0 replicas"
    if ready < wanted:
        return f"{ready} of {wanted} replicas ready"
    strategy = _part(spec, "updateStrategy")
    if strategy.get("type") == "OnDelete":
        return ""
    updated = _count(status, "updatedReplicas")
    partition = _count(_part(strategy, "rollingUpdate"), "partition")
    if partition:
        due = wanted - partition
        return "" if updated >= due else f"{updated} of {due} replicas updated"
    is_done = status.get("updateRevision") == status.get("currentRevision")
    return "" if is_done else f"{updated} of {wanted} replicas updated"


def daemon_set(thing: Object) -> str:
    """Judge a DaemonSet: rolled out and available on every node it is for."""
    status = _part(thing, "status")
    wanted, available = _count(status, "desiredNumberScheduled"), _count(status, "numberAvailable")
    if _is_stale(thing):
        return _NOT_OBSERVED
    if not wanted:
        return "meant for no node"
    updated = _count(status, "updatedNumberScheduled")
    if updated < wanted and _part(_part(thing, "spec"), "updateStrategy").get("type") != "OnDelete":
        return f"updated on {updated} of {wanted} nodes"
    return "" if available >= wanted else f"available on {available} of {wanted} nodes"


def at_least(minimum: int) -> Judge:
    """Return a judge of workloads: *minimum* replicas available, whatever a rollout is at."""

    def judge(thing: Object) -> str:
        status = _part(thing, "status")
        fields = ("availableReplicas", "numberAvailable", "readyReplicas")
        available = next((_count(status, field) for field in fields if field in status), 0)
        if available >= minimum:
            return ""
        return f"{available} replicas available, wanted at least {minimum}"

    return judge


def pod(thing: Object) -> str:
    """Judge a Pod: its condition Ready holds."""
    status = _part(thing, "status")
    phase = str(status.get("phase") or "Pending")
    if phase in {"Succeeded", "Failed"}:
        return f"pod has ended: {phase}"
    if _holds(status, "Ready"):
        return ""
    stuck = [
        f"{container.get('name')} {waiting}"
        for key in ("initContainerStatuses", "containerStatuses")
        for container in _items(status, key)
        if (waiting := _part(_part(container, "state"), "waiting").get("reason"))
    ]
    conditions = (_condition(status, kind) for kind in ("PodScheduled", "Ready"))
    told = [c.get("message") for c in conditions if c.get("status") == "False"]
    return f"pod not ready: {', '.join(stuck) or next(filter(None, told), phase)}"


def exists(_: Object) -> str:
    """Judge any object: that it is there is enough."""
    return ""


def bound_claim(thing: Object) -> str:
    """Judge a PersistentVolumeClaim: bound to a volume."""
    phase = str(_part(thing, "status").get("phase") or "Pending")
    return "" if phase == "Bound" else f"claim not bound: {phase}"


def active_namespace(thing: Object) -> str:
    """Judge a Namespace: active."""
    phase = str(_part(thing, "status").get("phase") or "Active")
    return "" if phase == "Active" else f"namespace is {phase}"


def condition(kind: str, wanted: str) -> Judge:
    """Return a judge of any object: its condition *kind* has the status *wanted*."""

    def judge(thing: Object) -> str:
        status = _part(thing, "status")
        found = _condition(status, kind)
        if not found:
            return f"no condition {kind} yet"
        if _is_early(thing, found):
            return _NOT_OBSERVED
        state = str(found.get("status"))
        if state.lower() == wanted.lower():
            return ""
        why = [text for key in ("reason", "message") if (text := found.get(key))]
        return ": ".join([f"{kind} is {state}", *why])

    return judge


def _is_stale(workload: Object) -> bool:
    """Whether the status tells of an earlier generation of the spec."""
    generation = _count(_part(workload, "metadata"), "generation")
    return _count(_part(workload, "status"), "observedGeneration") < generation


def _is_early(thing: Object, found: Object) -> bool:
    """Whether the condition *found* says that it is of an earlier generation of the spec."""
    observed = found.get("observedGeneration", _part(thing, "status").get("observedGeneration"))
    generation = _count(_part(thing, "metadata"), "generation")
    return isinstance(observed, int) and observed < generation


def _condition(status: Object, kind: str) -> Object:
    """Return the condition *kind*, upper and lower case alike; empty if there is none."""
    found = (c for c in _items(status, "conditions") if str(c.get("type")).lower() == kind.lower())
    return next(found, {})


def _holds(status: Object, kind: str) -> bool:
    return _condition(status, kind).get("status") == "True"


def _part(thing: Object, key: str) -> Object:
    part = thing.get(key)
    return part if isinstance(part, dict) else {}


def _items(thing: Object, key: str) -> list[Object]:
    items = thing.get(key)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _count(thing: Object, key: str, default: int = 0) -> int:
    count = thing.get(key)
    return count if isinstance(count, int) else default
