"""Native sidecars that others depend on: what makes the kubelet wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint import commands, gates, listening
from gate.lint.finding import Hit, Severity
from gate.lint.rule import Hits, rule
from gate.lint.waits import waits

if TYPE_CHECKING:
    from gate.lint.pod import Container, Pod

_SOON = 30
_REMEDY = "add a startupProbe to it, or let gate wait for it in a sidecar behind it"


@rule("sidecar-probe-does-not-hold", Severity.WARNING, "1.2")
def probe_does_not_hold(pod: Pod) -> Hits:
    """A sidecar has a readiness or liveness probe where only a startup probe holds.

    Kubelet fact 1.2: a native sidecar counts as started as soon as its process runs, unless it
    has a startupProbe. Readiness and liveness are not considered: the app starts at once, beside
    a sidecar that is not ready yet; a readiness probe only keeps the pod out of its Services, a
    liveness probe only restarts the sidecar. Remedy: add a startupProbe (it may ask the same
    question), or a gate behind the sidecar that waits for it.
    """
    for sidecar in pod.sidecars:
        if _is_held(sidecar, pod) or listening.only_looks_on(sidecar):
            continue
        for kind, probe in sidecar.probes.items():
            does = (
                "takes the pod out of its Services"
                if kind == "readinessProbe"
                else "restarts this sidecar"
            )
            text = (
                f"the kubelet does not wait for a {kind}: the containers behind start as soon as "
                f"this process runs, and a failure only {does}"
            )
            yield Hit(probe.line, text, _REMEDY, sidecar.name)


@rule("sidecar-without-startup-probe", Severity.WARNING, "1.3")
def without_startup_probe(pod: Pod) -> Hits:
    """A sidecar that a later container depends on has no startup probe.

    Kubelet fact 1.3: without a startupProbe "running" is enough, and the next container starts
    about a second later, whether the sidecar can serve or not. Said where a later container
    names the sidecar's port on localhost, or the sidecar is a proxy that the app's traffic goes
    through. Remedy: add a startupProbe, or a gate behind the sidecar that waits for it.
    """
    for sidecar in pod.sidecars:
        if sidecar.probes or _is_held(sidecar, pod):
            continue
        if who := _user_of(sidecar, pod):
            text = (
                f"{who} depends on this sidecar, and the kubelet starts it as soon as this "
                "process runs, whether it serves or not"
            )
            yield Hit(sidecar.line, text, _REMEDY, sidecar.name)


@rule("liveness-kills-start", Severity.WARNING, "2.9")
def liveness_kills_start(pod: Pod) -> Hits:
    """A sidecar's liveness probe may kill it while it starts.

    Kubelet fact 2.9: liveness waits for the startup probe; without one it begins at once, and
    after failureThreshold × periodSeconds (less than 30 s here) the kubelet kills the sidecar,
    again and again if it always needs longer (facts 2.11, 2.14). The app is neither held nor
    restarted. Remedy: add a startupProbe with a budget for the slowest start; liveness then
    begins after it.
    """
    for sidecar in pod.sidecars:
        liveness = sidecar.probes.get("livenessProbe")
        if liveness is None or sidecar.startup:
            continue
        budget = liveness.initial_delay + liveness.failures * liveness.period
        if budget < _SOON:
            text = (
                f"the kubelet kills this sidecar if it does not answer within {budget}s of its "
                "start, and again after each restart"
            )
            remedy = "add a startupProbe with a budget for the slowest start"
            yield Hit(liveness.line, text, remedy, sidecar.name)


def _is_held(sidecar: Container, pod: Pod) -> bool:
    """Whether something makes the kubelet, or a later container, wait for *sidecar*."""
    hook = sidecar.post_start
    is_hooked = hook is not None and (hook.kind == "exec" and commands.is_wait(hook.command))
    own = gates.is_gate(sidecar)  # has rules of its own
    return bool(sidecar.startup or is_hooked or own or _is_waited_for(sidecar, pod))


def _is_waited_for(sidecar: Container, pod: Pod) -> bool:
    ports = listening.ports(sidecar, pod)
    for wait in waits(pod):
        if wait.container.index <= sidecar.index or not wait.container.is_init:
            continue
        if listening.known_as(sidecar) in wait.sidecars:
            return True
        named = {place.port for place in wait.places if place.is_local}
        if named & ports or (named and not ports):
            return True
    return False


def _user_of(sidecar: Container, pod: Pod) -> str:
    """Return the name of a later container that needs *sidecar*, empty if none shows it."""
    later = pod.after(sidecar)
    if listening.known_as(sidecar) in ("istio", "linkerd"):
        return "every container behind it" if later else ""
    own = listening.ports(sidecar, pod)
    if not own and len(pod.sidecars) == 1:
        others = {port for each in later for port in listening.ports(each, pod)}
        return next((e.name for e in later if listening.local_ports_named(e) - others), "")
    return next((e.name for e in later if listening.local_ports_named(e) & own), "")


RULES = (probe_does_not_hold, without_startup_probe, liveness_kills_start)
