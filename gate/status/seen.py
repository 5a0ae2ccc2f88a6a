"""Pods as the API server shows them: whose they are, and whether gate holds them back.

What a pod's status says of its containers is the kubelet's word: a native sidecar has passed when
it is `started`, a plain init container when it has ended with 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gate.core.one_line import one_line
from gate.pods import from_json, gates

if TYPE_CHECKING:
    from gate.pods.gates import Gate
    from gate.pods.pod import Container, Pod

    Object = dict[str, Any]

LONGEST = 300
"""Characters of a text that somebody else has written."""
_BEGINNING = frozenset({"", "PodInitializing", "ContainerCreating"})


@dataclass(frozen=True, slots=True, order=True)
class Workload:
    """What makes pods, as one word for them all: `deployment/shop`."""

    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def full(self) -> str:
        """The namespace too: `prod/deployment/shop`."""
        return f"{self.namespace}/{self}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """How gate holds a pod, as far as the pod's status tells."""

    container: str
    state: str
    """`waiting`, `starting`, `failing`."""
    reason: str
    """Why it fails; empty where it does not."""
    message: str
    """What it has left when it ended last."""
    since: datetime | None
    port: int | None
    """Where to ask it; None: it does not run, serves nothing, or has no address yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPod:
    """One pod."""

    namespace: str
    name: str
    uid: str
    workload: Workload
    labels: dict[str, str]
    is_ready: bool
    gates: tuple[Gate, ...]
    """The containers that wait for something before the app may start."""
    hold: Hold | None
    """None: gate does not hold it, or no longer."""


def seen(thing: Object) -> SeenPod | None:
    """Return the pod *thing*, None for one that has ended or is being deleted."""
    pod = from_json.pod(thing)
    meta, status = thing["metadata"], _dict(thing, "status")
    is_over = status.get("phase") in {"Succeeded", "Failed"} or meta.get("deletionTimestamp")
    if pod is None or is_over:
        return None
    holding = tuple(gate for gate in gates.all_of(pod) if _may_hold(gate))
    return SeenPod(
        namespace=pod.namespace,
        name=pod.name,
        uid=str(meta.get("uid") or ""),
        workload=_workload(pod, meta),
        labels=pod.labels,
        is_ready=_condition(status, "Ready"),
        gates=holding,
        hold=next(filter(None, (_hold(gate, pod, status) for gate in holding)), None),
    )


def _may_hold(gate: Gate) -> bool:
    """Whether *gate* waits on its own: not a client of another one, nor a wrapper of the app."""
    container = gate.container
    if gate.mode == "wait":
        return container.is_plain_init
    return gate.mode == "serve" or (not gate.mode and container.is_init and bool(gate.dependencies))


def _workload(pod: Pod, meta: Object) -> Workload:
    owners = [each for each in meta.get("ownerReferences") or () if each.get("controller")]
    if not owners:
        return Workload(pod.namespace, "pod", pod.name)
    kind, name = (one_line(str(owners[0].get(key)), LONGEST) for key in ("kind", "name"))
    ending = f"-{pod.labels.get('pod-template-hash')}"
    if kind == "ReplicaSet" and name.endswith(ending):
        kind, name = "Deployment", name.removesuffix(ending)
    return Workload(pod.namespace, kind.lower(), name)


def _hold(gate: Gate, pod: Pod, status: Object) -> Hold | None:
    """Return how *gate* holds *pod*, None where it has passed or it is not its turn yet."""
    container = gate.container
    found = _status_of(container, status)
    earlier = (each for each in pod.containers if each.is_init and each.index < container.index)
    is_its_turn = all(_has_passed(each, _status_of(each, status)) for each in earlier)
    if not found or not is_its_turn or _has_passed(container, found):
        return None
    state, reason = _state(gate, _dict(found, "state"))
    is_serving = gate.mode != "wait"
    last = _dict(_dict(found, "state"), "terminated") or _dict(
        _dict(found, "lastState"), "terminated"
    )
    running = _dict(_dict(found, "state"), "running")
    return Hold(
        container=container.name,
        state=state,
        reason=reason,
        message=one_line(str(last.get("message") or ""), LONGEST),
        since=moment(running.get("startedAt") or status.get("startTime")),
        port=_port(gate) if state == "waiting" and status.get("podIP") and is_serving else None,
    )


def _state(gate: Gate, state: Object) -> tuple[str, str]:
    if "running" in state:
        return "waiting", ""
    if "terminated" in state:
        return "failing", f"ended with exit code {state['terminated'].get('exitCode')}"
    waiting = _dict(state, "waiting")
    why = str(waiting.get("reason") or "")
    if why in _BEGINNING:
        # While a postStart hook blocks, the kubelet shows the container as not yet running.
        return ("waiting" if gate.container.post_start else "starting"), ""
    detail = str(waiting.get("message") or "")
    return "failing", one_line(f"{why}{detail and ': '}{detail}", LONGEST)


def _has_passed(container: Container, found: Object) -> bool:
    if container.is_plain_init:
        return _dict(_dict(found, "state"), "terminated").get("exitCode") == 0
    return bool(found.get("started"))


def _status_of(container: Container, status: Object) -> Object:
    key = "initContainerStatuses" if container.is_init else "containerStatuses"
    return next((each for each in status.get(key) or () if each["name"] == container.name), {})


def _port(gate: Gate) -> int:
    """Return where *gate* listens; where that comes from elsewhere, its port called `gate`."""
    named = dict(gate.container.ports).get("gate")
    return (gate.has_unknown_listen and named) or gate.settings.listen[1]


def _condition(status: Object, kind: str) -> bool:
    found = (each for each in status.get("conditions") or () if each.get("type") == kind)
    return any(each.get("status") == "True" for each in found)


def moment(text: object) -> datetime | None:
    """Return the time that *text* is, None where it is none."""
    try:
        found = datetime.fromisoformat(str(text))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _dict(thing: Object, key: str) -> Object:
    value = thing.get(key)
    return value if isinstance(value, dict) else {}
