"""Probes that kill a container while it starts, or waits, by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.core.durations import show
from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import asking, budget, gates, servers, waits
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from gate.pods.pod import Container, Pod, Probe

_BY_GATE = 300.0
"""What `gate wait` lasts where nothing is said."""
_SLOW = 60
_JVM = re.compile(
    r"(?:elasticsearch|opensearch|keycloak|jenkins|sonarqube|cassandra|neo4j|solr|logstash|tomcat"
    r"|wildfly|nexus3?|confluence|jira|kafka|openjdk|temurin|corretto|activemq|artemis)"
)


@rule("startup-budget-below-wait", Severity.WARNING, "2.9, 2.14")
def below_wait(pod: Pod) -> Hits:
    """A main container waits by itself for longer than its own probes let it.

    Kubelet facts 2.9 and 2.14: the probes begin with the container, not when its wait is over.
    Where its command first waits (`gate wait -- app`, wait4x, a loop in front of `exec app`) and
    the startup probe's budget, or without one the liveness probe's, is shorter, the kubelet kills
    it in mid-wait, again and again, with growing pauses. Remedy: wait in an init container or a
    gate in front, where no probe counts, or raise failureThreshold above the wait.
    """
    for container in pod.main:
        probe = container.startup or container.probes.get("livenessProbe")
        lasts = _longest_wait(container, pod)
        if probe is None or lasts is None or _budget(probe) >= lasts:
            continue
        how_long = "without an end" if lasts == float("inf") else f"for up to {show(lasts)}"
        text = (
            f"its command may wait {how_long}, and the kubelet kills it after "
            f"{show(_budget(probe))} of that"
        )
        remedy = "wait in an init container in front, or raise failureThreshold"
        yield Hit(probe.line, text, remedy, container.name)


def _longest_wait(container: Container, pod: Pod) -> float | None:
    if gates.is_gate(container):
        gate = gates.of(container, pod)
        is_known = gate.mode == "wait" and not gate.has_unknown_timeout
        return (gate.settings.timeout or _BY_GATE) if is_known else None
    if servers.loops_for_ever(container.words):
        return None  # that is its work
    found = [asking.longest(words) for words, _ in waits.own_command(container)]
    return next((each for each in found if each is not None), None)


def _budget(probe: Probe) -> float:
    if probe.kind == "startupProbe":
        return budget.of(probe)
    return float(probe.initial_delay + probe.failures * probe.period)


@rule("liveness-on-slow-start", Severity.INFO, "2.9, 2.14")
def slow_start(pod: Pod) -> Hits:
    """A program that is known to start slowly has a liveness probe and no startup probe.

    Kubelet facts 2.9 and 2.14: without a startup probe liveness counts from the start, and after
    initialDelaySeconds + failureThreshold × periodSeconds (below a minute here) the kubelet kills
    the container. A JVM on a busy node, Elasticsearch with many shards or Jenkins with many
    plug-ins may take longer, and is killed again at each try. Known by the image, or by `java` as
    the command. Remedy: a startupProbe with the same handler and a generous failureThreshold;
    liveness then begins after it.
    """
    for container in pod.main:
        liveness = container.probes.get("livenessProbe")
        if liveness is None or container.startup or _budget(liveness) >= _SLOW:
            continue
        if _is_slow(container):
            text = (
                f"the kubelet kills this if it does not answer within {show(_budget(liveness))} "
                "of its start, and it is known to start slowly"
            )
            remedy = "add a startupProbe with a budget for the slowest start"
            yield Hit(liveness.line, text, remedy, container.name)


def _is_slow(container: Container) -> bool:
    first = container.words[:1]
    is_java = bool(first) and first[0].rpartition("/")[2] == "java"
    return is_java or bool(_JVM.fullmatch(container.image_name))


RULES = (below_wait, slow_start)
