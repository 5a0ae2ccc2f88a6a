"""Time limits that contradict each other: of probe, gate, roll-out and Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.durations import show
from gate.lint import budget, gates
from gate.lint.finding import Hit, Severity
from gate.lint.rule import Hits, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.lint.gates import Gate
    from gate.lint.pod import Pod, Probe

_SHORTEST = 300
_PROGRESS = 600
_OPEN = "a GATE_TIMEOUT below it with GATE_ON_TIMEOUT=open"
_REMEDY = "raise failureThreshold: each counts as long as the hold, or periodSeconds"


def _held(pod: Pod) -> Iterator[tuple[Gate, Probe]]:
    for gate in gates.all_of(pod):
        if gate.mode == "serve" and gate.container.startup:
            yield gate, gate.container.startup


@rule("short-probe-budget", Severity.WARNING, "2.4, 2.16")
def short(pod: Pod) -> Hits:
    """A gate's startup probe gives up within five minutes.

    Kubelet facts 2.4, 2.14, 2.16 and 2.17: after failureThreshold (3 unless it is set) ×
    periodSeconds (10) the kubelet kills the gate that waits; with a budget below 300 s it then
    waits itself, up to five minutes, before each restart: a dependency that comes up meanwhile
    is not seen. Remedy: `periodSeconds: 1`, `timeoutSeconds: 30`, `failureThreshold: 60` with
    `?hold=25s` are about 25 minutes.
    """
    for gate, probe in _held(pod):
        seconds = budget.of(probe)
        if seconds < _SHORTEST:
            text = (
                f"the kubelet kills gate after {show(seconds)} of waiting, and soon pauses up to "
                "5m before it starts it again"
            )
            line = probe.lines.get("failureThreshold", probe.line)
            yield Hit(line, text, _REMEDY, gate.container.name)


@rule("probe-budget-below-timeout", Severity.WARNING, "2.14")
def below_timeout(pod: Pod) -> Hits:
    """The kubelet gives up before GATE_TIMEOUT does.

    Kubelet fact 2.14: when the startup probe's budget (failureThreshold × the longer of
    periodSeconds and hold) is over, gate is killed and starts from nothing. GATE_TIMEOUT, and
    what GATE_ON_TIMEOUT says, is then never reached: no status 424, no opening, no reason.
    Remedy: a budget above GATE_TIMEOUT.
    """
    for gate, probe in _held(pod):
        timeout = gate.settings.timeout
        seconds = budget.of(probe)
        if timeout is not None and seconds <= timeout:
            text = (
                f"the kubelet kills gate after {show(seconds)}, before GATE_TIMEOUT "
                f"({show(timeout)}) is over: GATE_ON_TIMEOUT never comes to bear"
            )
            line = probe.lines.get("failureThreshold", probe.line)
            yield Hit(line, text, _REMEDY, gate.container.name)


@rule("progress-deadline", Severity.WARNING, "1.14")
def progress(pod: Pod) -> Hits:
    """A Deployment is given up while its gate may still wait.

    Kubelet fact 1.14: the pod is Pending while gate waits, and progressDeadlineSeconds (600
    unless it is set) goes on: the roll-out is reported as failed, and tools that watch it roll
    back. Said where the deadline, or a GATE_TIMEOUT above it, is written. Remedy: a deadline
    above the time that gate may wait.
    """
    deadline = pod.progress_deadline or _PROGRESS
    if pod.kind != "Deployment":
        return
    for gate, probe in _held(pod):
        wait = _longest(gate, probe)
        is_meant = pod.progress_deadline is not None or (gate.settings.timeout or 0) > deadline
        if is_meant and wait > deadline:
            line = probe.line if pod.progress_deadline is None else pod.progress_deadline_line
            text = (
                f"the roll-out counts as failed after {show(deadline)}, while gate may wait "
                f"for {show(wait)}"
            )
            remedy = f"set progressDeadlineSeconds above {wait:.0f}, or {_OPEN}"
            yield Hit(line, text, remedy, gate.container.name)


@rule("active-deadline", Severity.WARNING, "6.11")
def active(pod: Pod) -> Hits:
    """A Job's time is over while its gate may still wait.

    Kubelet fact 6.11: activeDeadlineSeconds counts from the start of the pod, the time in gate
    included: all of it may be spent waiting, and the pod fails with DeadlineExceeded before the
    work began. Remedy: a deadline above the time that gate may wait plus that of the work, or
    a GATE_TIMEOUT below it with GATE_ON_TIMEOUT=open.
    """
    deadline = pod.active_deadline
    if deadline is None:
        return
    for gate, probe in _held(pod):
        wait = _longest(gate, probe)
        if wait >= deadline:
            text = (
                f"the pod is ended after {show(deadline)}, while gate alone may wait for "
                f"{show(wait)}: the work may never begin"
            )
            remedy = f"set activeDeadlineSeconds above {wait:.0f}, or {_OPEN}"
            yield Hit(pod.active_deadline_line, text, remedy, gate.container.name)


def _longest(gate: Gate, probe: Probe) -> float:
    """Return how long the first try may last."""
    timeout = gate.settings.timeout
    seconds = budget.of(probe)
    does_end = timeout is not None and gate.settings.on_timeout != "wait"
    return min(seconds, timeout) if does_end and timeout is not None else seconds


RULES = (short, below_timeout, progress, active)
