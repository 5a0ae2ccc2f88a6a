"""Liveness probes that restart an app which only waits for somebody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.core.url import is_loopback
from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import commands, gates, services, waits
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.pod import Container, Pod, Probe

_NAME = re.compile(r"[a-z][\w.-]*", re.IGNORECASE)
_WHOLE = {("actuator", "health"), ("q", "health")}
"""What has everything in it that the app depends on."""
_READINESS = re.compile(r"ready|readyz|readiness|is[-_]?ready")


def _liveness(pod: Pod) -> Iterator[tuple[Container, Probe]]:
    for container in pod.containers:
        probe = container.probes.get("livenessProbe")
        if probe and not gates.is_gate(container):
            yield container, probe


@rule("liveness-on-dependency", Severity.WARNING, "2.9")
def on_dependency(pod: Pod) -> Hits:
    """A liveness probe asks somebody outside of the pod.

    Kubelet fact 2.9: from the start, or from the end of the startup probe on, a liveness probe
    that fails has its container killed. One that connects to a database or another Service kills
    all replicas of the app as soon as that is down, in growing pauses: after it has come back
    the app is the last to start. Said of exec probes that name a host which is neither this pod
    nor its own Service. Remedy: ask the app itself; what it depends on is for a gate, or for the
    readiness probe.
    """
    for container, probe in _liveness(pod):
        needs = commands.needs(probe.action.command, waits.environment(container))
        others = [need for need in needs if all(_is_elsewhere(each.host, pod) for each in need)]
        if others:
            (place, *_) = others[0]
            text = f"when {place} is down, the kubelet kills this container again and again"
            remedy = "ask the app itself, and wait for the other in front of it"
            yield Hit(probe.line, text, remedy, container.name)


@rule("liveness-asks-readiness", Severity.INFO, "2.9")
def asks_readiness(pod: Pod) -> Hits:
    """A liveness probe asks whether the app is ready.

    Kubelet fact 2.9: a liveness probe that fails has its container killed. A path called
    `/ready`, `/readyz` or `/readiness` says no while the app waits for what it depends on, and so
    does the whole of Spring's `/actuator/health` or Quarkus' `/q/health`, which have the database
    in them: the app is restarted instead of left alone, at the start as well, where no startup
    probe comes first. Advice, as the path may say no more than that the app runs. Remedy: a path
    that says that the process answers (`/livez`, `/actuator/health/liveness`, `/q/health/live`),
    or no liveness probe.
    """
    for container, probe in _liveness(pod):
        if probe.action.kind == "httpGet" and _is_readiness(probe.action.path):
            text = "this says no while the app only waits for another, and then restarts it"
            remedy = "ask a path that says that it runs, or ask nothing"
            yield Hit(probe.action.line_of("path"), text, remedy, container.name)


def _is_elsewhere(host: str, pod: Pod) -> bool:
    """Whether *host* is outside of *pod*, and not called like it."""
    if is_loopback(host) or not _NAME.fullmatch(host):
        return False
    name, namespace = services.of_host(host)
    service = services.meant(pod, name, namespace)
    if service and pod.around.selects(service, pod):
        return False
    first = host.partition(".")[0]
    own = (pod.name, *(each.name for each in pod.containers))
    is_like = any(f"{first}-".startswith(f"{each}-") for each in own)
    return not (is_like or pod.name.startswith(f"{first}-"))


def _is_readiness(path: str) -> bool:
    parts = path.partition("?")[0].lower().strip("/").split("/")
    return tuple(parts[-2:]) in _WHOLE or any(_READINESS.fullmatch(each) for each in parts)


RULES = (on_dependency, asks_readiness)
