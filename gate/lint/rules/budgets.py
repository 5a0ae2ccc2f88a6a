"""Time limits that contradict each other: of probe, gate, roll-out and Job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate import config
from gate.core.durations import show
from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import budget, cloud_run, commands, gates
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.gates import Gate
    from gate.pods.pod import Pod, Probe

_SHORTEST = 300
_PROGRESS = 600
_UNBOUNDED = 300
"""What `gate wait` and `gate hold` last where nothing is said."""
_HOOK_MARGIN = 30
"""What `gate hold` adds to GATE_TIMEOUT."""
_ROLLED_OUT = {"Deployment", "Rollout"}
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
    for gate, probe in [] if cloud_run.is_meant_for(pod) else _held(pod):
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
    """The kubelet gives up before GATE_TIMEOUT, or a dependency's deadline, is over.

    Kubelet fact 2.14: when the startup probe's budget (failureThreshold × the longer of
    periodSeconds and hold) is over, gate is killed and starts from nothing. GATE_TIMEOUT, and
    what GATE_ON_TIMEOUT says, is then never reached: no status 424, no opening, no reason. And
    each start begins all deadlines anew: an optional dependency with a longer one is never given
    up, so the app never starts. Remedy: a budget above them.
    """
    for gate, probe in _held(pod):
        longest = config.longest_wait(gate.settings, gate.dependencies)
        seconds = budget.of(probe)
        if longest and seconds <= longest and not gate.has_unknown_timeout:
            text = f"the kubelet kills gate after {show(seconds)}, before {_never(gate, longest)}"
            line = probe.lines.get("failureThreshold", probe.line)
            yield Hit(line, text, _REMEDY, gate.container.name)


@rule("hook-budget-below-timeout", Severity.WARNING, "5.7")
def hook_below_timeout(pod: Pod) -> Hits:
    """A gate's own hook gives up before GATE_TIMEOUT, or a dependency's deadline, is over.

    Kubelet fact 5.7: a postStart hook that fails has its container killed and started again,
    here the gate itself, which begins all deadlines anew: an optional dependency with a longer
    one is never given up, so the app never starts. `gate hold` lasts 30s longer than
    GATE_TIMEOUT, or 5m where there is none. Remedy: `gate hold --timeout` above the longest.
    """
    for gate in gates.all_of(pod):
        hook = gate.container.post_start
        words = commands.gate_words(hook.command) if hook else []
        if hook is None or words[:1] != ["hold"] or gate.mode != "serve":
            continue
        longest = config.longest_wait(gate.settings, gate.dependencies)
        seconds = _of_hook(words, gate)
        if longest and seconds is not None and seconds <= longest:
            text = f"this hook fails after {show(seconds)}, before {_never(gate, longest)}"
            remedy = f"write gate hold --timeout {show(longest + _HOOK_MARGIN)}"
            yield Hit(hook.line, text, remedy, gate.container.name)


def _of_hook(words: list[str], gate: Gate) -> float | None:
    """Return how long `gate hold` waits, None where that is not known."""
    if gate.has_unknown_timeout:
        return None
    if any(word.partition("=")[0] == "--timeout" for word in words):
        return budget.seconds(budget.option(words, "--timeout"))
    # A flag of `gate serve` is not seen by the hook.
    is_set = any(variable.name == "GATE_TIMEOUT" for variable in gate.container.env)
    timeout = gate.settings.timeout if is_set else None
    return _UNBOUNDED if timeout is None else timeout + _HOOK_MARGIN


def _never(gate: Gate, longest: float) -> str:
    """Return what is not reached when *gate* is killed before *longest*."""
    if longest == gate.settings.timeout:
        return f"GATE_TIMEOUT ({show(longest)}) is over: GATE_ON_TIMEOUT never comes to bear"
    return f"a deadline of {show(longest)} is over: gate starts again and counts anew, for ever"


@rule("progress-deadline", Severity.WARNING, "1.14")
def progress(pod: Pod) -> Hits:
    """A Deployment is given up while its gate may still wait.

    Kubelet fact 1.14: the pod is Pending while gate waits, and progressDeadlineSeconds (600
    unless it is set) goes on: the roll-out is reported as failed, and tools that watch it roll
    back. Said of an Argo Rollout too, and only where the deadline, or a GATE_TIMEOUT above it,
    is written. Remedy: a deadline above the time that gate may wait.
    """
    deadline = pod.progress_deadline or _PROGRESS
    if pod.kind not in _ROLLED_OUT:
        return
    for gate, line, wait in _waiting(pod):
        is_meant = pod.progress_deadline is not None or (gate.settings.timeout or 0) > deadline
        if is_meant and wait > deadline:
            place = line if pod.progress_deadline is None else pod.progress_deadline_line
            text = (
                f"the roll-out counts as failed after {show(deadline)}, while gate may wait "
                f"for {show(wait)}"
            )
            remedy = f"set progressDeadlineSeconds above {wait:.0f}, or {_shorter(gate)}"
            yield Hit(place, text, remedy, gate.container.name)


@rule("active-deadline", Severity.WARNING, "6.11")
def active(pod: Pod) -> Hits:
    """A Job's time is over while its gate may still wait.

    Kubelet fact 6.11: activeDeadlineSeconds counts from the start of the pod, the time in gate
    included: all of it may be spent waiting, and the pod fails with DeadlineExceeded before the
    work began. Remedy: a deadline above the time that gate may wait plus that of the work, or
    a GATE_TIMEOUT below it: with GATE_ON_TIMEOUT=open, or of `gate wait` (5m unless it is set).
    """
    deadline = pod.active_deadline
    if deadline is None:
        return
    for gate, _, wait in _waiting(pod):
        if wait >= deadline:
            text = (
                f"the pod is ended after {show(deadline)}, while gate alone may wait for "
                f"{show(wait)}: the work may never begin"
            )
            remedy = f"set activeDeadlineSeconds above {wait:.0f}, or {_shorter(gate)}"
            yield Hit(pod.active_deadline_line, text, remedy, gate.container.name)


def _shorter(gate: Gate) -> str:
    ending = " with GATE_ON_TIMEOUT=open" if gate.mode == "serve" else ""
    return f"a GATE_TIMEOUT below it{ending}"


def _waiting(pod: Pod) -> Iterator[tuple[Gate, int, float]]:
    """Return each gate that holds the pod, the line that says so, how long the first try lasts."""
    for gate, probe in _held(pod):
        yield gate, probe.line, _longest(gate, probe)
    for gate in gates.all_of(pod):
        if gate.mode == "wait" and gate.container.is_init and not gate.has_unknown_timeout:
            timeout = gate.settings.timeout or _UNBOUNDED
            is_needed = any(not wanted.dependency.optional for wanted in gate.dependencies)
            ends = config.longest_wait(config.Settings(), gate.dependencies)
            seconds = timeout if is_needed or gate.has_unknown else min(timeout, ends)
            yield gate, gate.container.line, seconds


def _longest(gate: Gate, probe: Probe) -> float:
    """Return how long the first try may last."""
    timeout = gate.settings.timeout
    seconds = budget.of(probe)
    does_end = timeout is not None and gate.settings.on_timeout != "wait"
    return min(seconds, timeout) if does_end and timeout is not None else seconds


RULES = (short, below_timeout, hook_below_timeout, progress, active)
