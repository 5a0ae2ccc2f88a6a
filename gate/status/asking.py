"""From a pod that is held to why: gate itself, else the pod's events, else its last message.

What gate says in an event, in the output of an exec probe and in its termination message is one
text: `db: connection refused; cache: no answer yet` (`gate.report.plain_text.pending`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gate.core import url as urls
from gate.core.errors import CheckFailed
from gate.core.model import Until
from gate.core.one_line import one_line
from gate.core.target import Target
from gate.status.cluster import EVENTS
from gate.status.report import HeldPod, Need
from gate.status.seen import LONGEST, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.config import ConfiguredDependency
    from gate.core.model import Dependency
    from gate.status.cluster import Cluster
    from gate.status.seen import Hold, SeenPod

    Object = dict[str, Any]

_PROBE = "Startup probe failed: "
_HTTP_PROBE = "HTTP probe failed"
"""How the kubelet tells of an HTTP probe: it drops the body, and with it the reason."""
_HEAD = re.compile(r"(overdue, )?waiting for ")
_NAME = re.compile(r"(?:^|; )([A-Za-z0-9][A-Za-z0-9._-]{0,62}): ")
_MOST = 1000
"""Dependencies of one pod that are told."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_UNKNOWN_HOST = "1"
"""The host of a URL that is put together from what comes from elsewhere."""


async def examine(cluster: Cluster, pod: SeenPod, hold: Hold) -> HeldPod | None:
    """Return why *pod* is held; None where gate says that it has opened meanwhile."""
    unasked = []
    if hold.port is not None:
        try:
            status = _checked(await cluster.status(pod.namespace, pod.name, hold.port))
        except CheckFailed as exc:
            unasked.append(str(exc))
        else:
            return None if status.get("open") is True else _by_gate(pod, hold, status)
    try:
        event = _latest(await _events(cluster, pod), hold.container)
    except CheckFailed as exc:
        unasked.append(f"events: {exc}")
        event = ""
    return _by_others(pod, hold, event, one_line("; ".join(unasked), LONGEST))


def _checked(said: object) -> Object:
    """Return *said* if it is a status of gate."""
    if isinstance(said, dict) and isinstance(said.get("dependencies"), list):
        return said
    msg = "the answer is no status of gate"
    raise CheckFailed(msg)


def _by_gate(pod: SeenPod, hold: Hold, status: Object) -> HeldPod:
    started = status.get("started")
    since = moment(started.get("time")) if isinstance(started, dict) else None
    pending = status.get("pending")
    names = set(map(str, pending)) if isinstance(pending, list) else set()
    raw = (each for each in status["dependencies"][:_MOST] if isinstance(each, dict))
    targets = {name: each.target for name, each in _configured(pod).items()}
    return HeldPod(
        namespace=pod.namespace,
        name=pod.name,
        workload=pod.workload,
        container=hold.container,
        state="overdue" if status.get("state") == "overdue" else "waiting",
        since=since or hold.since,
        reason="",
        source="status",
        unasked="",
        needs=tuple(_need(each, names, targets) for each in raw),
    )


def _need(raw: Object, pending: set[str], targets: dict[str, Target]) -> Need:
    attempts, url, name = raw.get("attempts"), str(raw.get("url")), str(raw.get("name"))
    given = raw.get("options")
    options = given if isinstance(given, dict) else {}
    return Need(
        name=one_line(name, LONGEST),
        url=one_line(url, LONGEST),
        state=one_line(str(raw.get("state")), LONGEST),
        reason=one_line(str(raw.get("reason") or ""), LONGEST),
        attempts=attempts if isinstance(attempts, int) else None,
        is_pending=name in pending,
        is_required=not any(options.get(key) for key in ("optional", "any", "until")),
        target=targets.get(name) or _target(name, url),
    )


def _target(name: str, url: str) -> Target | None:
    """Return what *url* alone says: hosts, but no option and no query."""
    try:
        return Target(name=name, place="", url=urls.parse(url))
    except ValueError:
        return None


async def _events(cluster: Cluster, pod: SeenPod) -> list[Object]:
    selection = {"fieldSelector": f"involvedObject.uid={pod.uid}"}
    return await cluster.list(EVENTS, pod.namespace, selection)


def _latest(events: list[Object], container: str) -> str:
    """Return what the latest event says that tells why gate waits, empty where none does."""
    told = [each for each in events if _tells(each, container)]
    if not told:
        return ""
    message = str(max(told, key=_time_of).get("message") or "")
    return message.removeprefix(_PROBE)


def _tells(event: Object, container: str) -> bool:
    if event.get("reason") == "DependencyNotReady":
        return True
    place = str((event.get("involvedObject") or {}).get("fieldPath") or "")
    message = str(event.get("message") or "")
    is_probe = event.get("reason") == "Unhealthy" and message.startswith(_PROBE)
    return is_probe and f"{{{container}}}" in place and _HTTP_PROBE not in message


def _time_of(event: Object) -> datetime:
    times = (moment(event.get(key)) for key in ("lastTimestamp", "eventTime", "firstTimestamp"))
    return next(filter(None, times), _NEVER)


def _by_others(pod: SeenPod, hold: Hold, event: str, unasked: str) -> HeldPod:
    sources = {"event": event, "termination message": hold.message}
    source, said = next(((who, text) for who, text in sources.items() if text), ("pod", ""))
    head = _HEAD.match(said)
    told = _told(said[head.end() :] if head else said) if head or event else {}
    reasons = (hold.reason, "" if told else said)
    is_overdue = hold.state == "waiting" and bool(head and head[1])
    return HeldPod(
        namespace=pod.namespace,
        name=pod.name,
        workload=pod.workload,
        container=hold.container,
        state="overdue" if is_overdue else hold.state,
        since=hold.since,
        reason=one_line(": ".join(filter(None, reasons)), LONGEST),
        source=source,
        unasked=unasked,
        needs=written(pod, told),
    )


def _told(text: str) -> dict[str, str]:
    """Return the reason of each dependency that *text* names."""
    text = one_line(text, len(text) + 1)
    found = list(_NAME.finditer(text))
    if not found or found[0].start():
        return {}
    ends = [*(each.start() for each in found[1:]), len(text)]
    return {
        each[1]: one_line(text[each.end() : end], LONGEST)
        for each, end in zip(found, ends, strict=True)
    }


def written(pod: SeenPod, told: Mapping[str, str]) -> tuple[Need, ...]:
    """Return the dependencies in the spec of *pod*, and others that were *told*, with reasons."""
    configured = _configured(pod)
    return tuple(
        _unasked(name, configured.get(name), told.get(name))
        for name in dict.fromkeys((*configured, *told))
    )


def _unasked(name: str, configured: ConfiguredDependency | None, reason: str | None) -> Need:
    return Need(
        name=name,
        url=one_line(str(configured.target.url), LONGEST) if configured else "",
        state="unknown" if reason is None else "waiting",
        reason=reason or "",
        attempts=None,
        is_pending=reason is not None,
        is_required=configured is not None and _is_required(configured.dependency),
        target=configured.target if configured else None,
    )


def _is_required(dependency: Dependency) -> bool:
    return not (dependency.optional or dependency.group or dependency.until is not Until.READY)


def _configured(pod: SeenPod) -> dict[str, ConfiguredDependency]:
    """Return the dependencies that the spec of *pod* names, as far as they are known there."""
    return {
        each.target.name: each
        for gate in pod.gates
        for each in gate.dependencies
        if all(host.name != _UNKNOWN_HOST for host in each.target.url.hosts)
    }
