"""Limits under which a sidecar cannot start or answer in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import gates, quantity
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from gate.pods.pod import Container, Pod

_LEAST_CPU = 0.1
_LEAST_CPU_OF_OTHERS = 0.02
_MIB = 2**20
_SERVE = 40
_WAIT = 28
_HELD_BY_EXEC = 12
"""One `gate probe` beside the gate: a Python of its own."""


@rule("cpu-limit", Severity.WARNING, "13.2")
def cpu(pod: Pod) -> Hits:
    """A CPU limit stretches the start of a sidecar beyond what its probes allow.

    Kubelet fact 13.2: a start of Python costs 0.1 to 0.3 s of CPU. Under a limit of 10m to 50m
    that is seconds, and each probe or exec pays again: probes time out although all is well.
    Said of a gate below 100m, of any probed sidecar below 20m. Remedy: set a request and no CPU
    limit, or one of 200m.
    """
    for container in pod.containers:
        limit = quantity.parse(container.limits.get("cpu"))
        if limit is None or not (gates.is_gate(container) or container.is_sidecar):
            continue
        least = _LEAST_CPU if gates.is_gate(container) else _LEAST_CPU_OF_OTHERS
        if limit < least and (gates.is_gate(container) or container.probes):
            text = (
                f"with {limit * 1000:.0f}m of CPU the start takes seconds, and probes time out "
                "although all is well"
            )
            line = container.line_of("resources")
            yield Hit(line, text, "request CPU and set no limit, or 200m", container.name)


@rule("memory-limit", Severity.WARNING, "7.2")
def memory(pod: Pod) -> Hits:
    """A gate has a memory limit below what it was measured to need.

    A gate that serves needs about 40 MiB, `gate wait` about 28, each exec probe or hook beside
    it some 12 more; drivers of databases add to that. Above the limit the kernel kills it, and
    (kubelet fact 7.2) a gate that restarts takes a healthy pod out of its Services until it has
    opened again. Remedy: a limit of 96Mi, 128Mi with an exec probe.
    """
    for gate in gates.all_of(pod):
        limit = quantity.parse(gate.container.limits.get("memory"))
        needed = _needed(gate.container, gate.mode)
        if limit is not None and needed and limit < needed * _MIB:
            text = f"gate needs about {needed} MiB here, so the kernel kills it"
            line = gate.container.line_of("resources")
            remedy = "set limits.memory to 96Mi, 128Mi with an exec probe"
            yield Hit(line, text, remedy, gate.container.name)


def _needed(container: Container, mode: str) -> int:
    actions = [*container.hooks.values(), *(probe.action for probe in container.probes.values())]
    beside = _HELD_BY_EXEC if any(action.kind == "exec" for action in actions) else 0
    return {"serve": _SERVE + beside, "wait": _WAIT}.get(mode, 0)


RULES = (cpu, memory)
