"""Native sidecars that others depend on: what makes the kubelet wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import commands, gates, listening, well_known
from gate.pods.hit import Hit
from gate.pods.waits import before_it_works, waits

if TYPE_CHECKING:
    from gate.pods.pod import Container, Pod
    from gate.pods.waits import Wait

_SOON = 30
_REMEDY = "add a startupProbe to it, or let gate wait for it in a sidecar behind it"


@rule("sidecar-probe-does-not-hold", Severity.WARNING, "1.2")
def probe_does_not_hold(pod: Pod) -> Hits:
    """A sidecar has a readiness or liveness probe where only a startup probe holds.

    Kubelet fact 1.2: a native sidecar counts as started as soon as its process runs, unless it
    has a startupProbe. Readiness and liveness are not considered: the app starts at once, beside
    a sidecar that is not ready yet; a readiness probe only keeps the pod out of its Services, a
    liveness probe only restarts the sidecar. Said where a later container names the sidecar's
    port, or only the sidecar of the whole pod listens anywhere; not of one that stands in front
    of a main container and names its port. Remedy: add a startupProbe (it may ask the same
    question), or a gate behind the sidecar that waits for it.
    """
    for sidecar in pod.sidecars:
        if _is_held(sidecar, pod) or well_known.only_looks_on(sidecar):
            continue
        if _is_in_front(sidecar, pod) or not (
            _user_of(sidecar, pod) or _serves_alone(sidecar, pod)
        ):
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


@rule("sidecar-holds-nothing", Severity.INFO, "1.3")
def holds_nothing(pod: Pod) -> Hits:
    """A sidecar serves a port and holds nothing, where nobody is seen to use it.

    Kubelet fact 1.3: without a startupProbe a native sidecar counts as started as soon as its
    process runs. The manifest tells that it listens (a declared port, a well-known image, a
    readiness probe), but not who asks it: a host may stand in a Secret or a file. Advice
    therefore. Not said of log shippers and exporters, nor of what stands in front of the app.
    Remedy: a startupProbe, if the app needs it to start.
    """
    for sidecar in pod.sidecars:
        if _is_held(sidecar, pod) or well_known.only_looks_on(sidecar):
            continue
        is_told = _user_of(sidecar, pod) or (sidecar.probes and _serves_alone(sidecar, pod))
        if is_told or _is_in_front(sidecar, pod) or not _unheld(sidecar, pod):
            continue
        if listening.ports(sidecar, pod):
            text = (
                "this serves a port, and the containers behind it start as soon as its process "
                "runs; whether they use it is not written here"
            )
            yield Hit(sidecar.line, text, f"if they do, {_REMEDY}", sidecar.name)


@rule("startup-probe-period", Severity.INFO, "2.4, 2.5")
def default_period(pod: Pod) -> Hits:
    """A sidecar's startup probe is left at its default of one probe in ten seconds.

    Kubelet facts 2.4 and 2.5: periodSeconds is 10 unless it is set, and nothing makes the kubelet
    ask sooner. The first probe comes within a period of the start, most often before the sidecar
    serves, so the app starts up to ten seconds later than it could. Remedy: `periodSeconds: 1`
    with a failureThreshold that leaves the same time.
    """
    for sidecar in pod.sidecars:
        probe = sidecar.startup
        if probe and "periodSeconds" not in probe.lines and not gates.is_gate(sidecar):
            text = "the kubelet asks every 10s, so the app starts up to 10s later than it could"
            remedy = f"set periodSeconds: 1 and failureThreshold: {10 * probe.failures}"
            yield Hit(probe.line, text, remedy, sidecar.name)


def _is_held(sidecar: Container, pod: Pod) -> bool:
    """Whether something makes the kubelet, or a later container, wait for *sidecar*."""
    hook = sidecar.post_start
    is_hooked = hook is not None and (hook.kind == "exec" and commands.is_wait(hook.command))
    own = gates.is_gate(sidecar)  # has rules of its own
    return bool(sidecar.startup or is_hooked or own or _is_waited_for(sidecar, pod))


def _is_waited_for(sidecar: Container, pod: Pod) -> bool:
    return any(
        _is_for(wait, sidecar, pod)
        for wait in waits(pod)
        if wait.container.is_init and wait.container.index > sidecar.index
    )


def _is_for(wait: Wait, sidecar: Container, pod: Pod) -> bool:
    """Whether *wait* is for *sidecar*, as far as one can tell."""
    if well_known.known_as(sidecar) in wait.sidecars:
        return True
    ports = listening.ports(sidecar, pod)
    named = {place.port for need in wait.needs for place in need if place.is_local}
    return bool(named & ports or (named and not ports))


def _unheld(sidecar: Container, pod: Pod) -> list[Container]:
    """Return what is started behind *sidecar* without waiting for it by itself."""
    return [
        each
        for each in pod.after(sidecar)
        if not any(_is_for(wait, sidecar, pod) for wait in before_it_works(each, pod))
    ]


def _user_of(sidecar: Container, pod: Pod) -> str:
    """Return the name of a later container that needs *sidecar*, empty if none shows it."""
    later = _unheld(sidecar, pod)
    if well_known.known_as(sidecar) in ("istio", "linkerd"):
        return "every container behind it" if later else ""
    if not sidecar.ports and not listening.ports(sidecar, pod) and len(pod.sidecars) == 1:
        others = {port for each in pod.after(sidecar) for port in listening.ports(each, pod)}
        if found := [each.name for each in later if listening.local_ports_named(each) - others]:
            return found[0]
    return next(listening.users(sidecar, later, pod), "")


def _is_in_front(sidecar: Container, pod: Pod) -> bool:
    """Whether *sidecar* is itself one that asks a main container."""
    theirs = {port for each in pod.main for port in listening.ports(each, pod)}
    return bool(listening.local_ports_named(sidecar) & theirs)


def _serves_alone(sidecar: Container, pod: Pod) -> bool:
    """Whether it listens, and no main container does: then it is there for them."""
    is_server = bool(listening.ports(sidecar, pod))
    is_used = any(not each.is_init for each in _unheld(sidecar, pod))
    return is_server and is_used and not any(listening.ports(each, pod) for each in pod.main)


RULES = (
    probe_does_not_hold,
    without_startup_probe,
    liveness_kills_start,
    holds_nothing,
    default_period,
)
