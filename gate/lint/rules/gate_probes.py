"""How a gate is probed: whether it holds at all, where, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import budget, cloud_run, commands, gates, holders, listening
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from gate.pods.gates import Gate
    from gate.pods.pod import Container, Pod, Probe

_ALWAYS = {"/livez", "/healthz", "/status", "/metrics", "/"}
_HELD = {"/startupz", "/status"}
_PATHS = {*_ALWAYS, *_HELD, "/readyz"}
_RIGHT = {
    "startupProbe": "/startupz?hold=25s",
    "readinessProbe": "/readyz",
    "livenessProbe": "/livez",
}
_NEVER = {
    "startupProbe": "and the app never starts",
    "readinessProbe": "and the pod is never ready",
    "livenessProbe": "and the kubelet kills gate again and again",
}


def _serving(pod: Pod) -> list[Gate]:
    return [gate for gate in gates.all_of(pod) if gate.mode == "serve"]


@rule("gate-holds-nothing", Severity.ERROR, "1.3")
def holds_nothing(pod: Pod) -> Hits:
    """A gate has no startup probe, so it holds nothing.

    Kubelet fact 1.3: a sidecar without a startupProbe is passed as soon as its process runs;
    among the main containers all are started without waiting at all. Not said where another
    container asks this gate in a hook or a probe of its own, or as a plain init container behind
    it. Remedy: a native sidecar with a startupProbe on /startupz?hold=25s.
    """
    for gate in _serving(pod):
        container = gate.container
        hook = container.post_start
        is_hooked = hook is not None and commands.is_wait(hook.command)
        if container.is_plain_init or is_hooked or _is_asked(gate, pod):
            continue
        if cloud_run.holds(container, pod):
            continue
        if container.is_sidecar and container.startup is None:
            text = "the kubelet starts the containers behind gate as soon as its process runs"
            remedy = "add a startupProbe: httpGet, path /startupz?hold=25s"
            yield Hit(container.line, text, remedy, container.name)
        elif not container.is_init:
            text = "the kubelet starts main containers one after the other without waiting for any"
            remedy = "move gate to initContainers, with restartPolicy: Always and a startupProbe"
            yield Hit(container.line, text, remedy, container.name)


def _is_asked(gate: Gate, pod: Pod) -> bool:
    """Whether another container waits for this gate by itself."""
    port = gate.settings.listen[1]
    for other in pod.containers:
        actions = [*other.hooks.values(), *(probe.action for probe in other.probes.values())]
        words = [word for action in actions for word in action.command] + list(other.words)
        if other is gate.container:
            continue
        if port in commands.local_ports(words) or "startupz" in " ".join(words):
            return True
    return holders.is_held_behind(gate.container, pod)


@rule("gate-probe-path", Severity.ERROR, "2.11, 4.6")
def probe_path(pod: Pod) -> Hits:
    """A probe of a gate asks something that does not say what it is asked for.

    For a startupProbe only /startupz does. /livez, /healthz, /status, /metrics and / answer 200
    from the start, and so does a tcpSocket, as gate listens before anything else (kubelet fact
    4.6): the app is started at once. /readyz may go back to 503 later, which kills the gate after
    a restart of an older kubelet (fact 2.19), and as a livenessProbe whenever a monitored
    dependency fails. In any probe other paths are answered 404 and a hold that is no duration
    400, and gate speaks neither TLS nor gRPC: the probe fails for ever (fact 2.11). Remedy:
    `httpGet: {path: "/startupz?hold=25s", port: 4283}`, or exec `gate probe --hold 25s`;
    /readyz for readiness, /livez for liveness.
    """
    for gate in _serving(pod):
        for kind, probe in gate.container.probes.items():
            if why := _why_wrong(probe, gate):
                action = probe.action
                line = action.line_of("path") if action.kind == "httpGet" else probe.line
                remedy = f"ask {_RIGHT[kind]}"
                yield Hit(line, why, remedy, gate.container.name)


def _why_wrong(probe: Probe, gate: Gate) -> str:
    """Return why *probe* does not ask *gate* what it is for, empty if it does."""
    path = _path(probe)
    if why := _why_unanswered(probe, path):
        return f"{why}, so the probe never passes {_NEVER[probe.kind]}"
    if probe.kind == "startupProbe":
        return _why_not_startup(probe, path)
    is_watching = any(wanted.dependency.monitor for wanted in gate.dependencies)
    if probe.kind == "livenessProbe" and path == "/readyz" and is_watching:
        return "/readyz goes to 503 when a monitored dependency fails, and the kubelet kills gate"
    return ""


def _why_unanswered(probe: Probe, path: str) -> str:
    action = probe.action
    if action.kind == "grpc":
        return "gate has no gRPC service here"
    if action.kind != "httpGet":
        return ""
    if action.scheme == "HTTPS":
        return "gate serves plain HTTP and no TLS"
    if path not in _PATHS:
        return "gate answers 404 here"
    hold = dict(parse_qsl(action.path.partition("?")[2])).get("hold")
    is_wrong = hold is not None and path in _HELD and budget.hold_of(probe) is None
    return "gate answers 400, as this hold is no duration" if is_wrong else ""


def _why_not_startup(probe: Probe, path: str) -> str:
    if probe.action.kind == "tcpSocket":
        return "gate listens from the start, so this passes at once and the app is not held"
    if path == "/readyz":
        return "/readyz may go back to 503, and a kubelet up to 1.34 that restarts then kills gate"
    if path in _ALWAYS:
        return f"gate answers 200 to {path} from the start, so the app is not held"
    return ""


def _path(probe: Probe) -> str:
    """Return what *probe* asks of gate, empty where it does not."""
    if probe.action.kind == "httpGet":
        return probe.action.path.partition("?")[0]
    words = commands.gate_words(probe.action.command)
    return "/readyz" if words[:1] == ["probe"] and "--ready" in words else ""


@rule("gate-probe-port", Severity.ERROR, "2.11")
def probe_port(pod: Pod) -> Hits:
    """A gate is probed on a port that it does not listen on.

    Kubelet fact 2.11: a refused connection is a failed probe: after failureThreshold of them
    the gate is killed, and the app never starts. Gate listens on 4283, or where GATE_LISTEN
    says; GATE_LISTEN on a loopback address refuses the kubelet as well (fact 3.10). Remedy:
    the same port in both.
    """
    for gate in _serving(pod):
        name, number = gate.settings.listen
        is_hidden = name.startswith("127.") or name in ("localhost", "::1")
        for probe in gate.container.probes.values():
            asked = listening.number_of(probe.action, gate.container)
            if asked is None or gate.has_unknown_listen:
                continue
            if asked != number or (is_hidden and not pod.has_host_network):
                where = f"{name}:{number}" if is_hidden else f"port {number}"
                text = f"gate listens on {where}, so the kubelet is refused and kills it in the end"
                line = probe.action.line_of("port")
                yield Hit(line, text, f"probe port {number} on all addresses", gate.container.name)


@rule("hold-not-below-timeout", Severity.WARNING, "2.2, 2.3")
def hold_not_below_timeout(pod: Pod) -> Hits:
    """A held probe is cut off before gate answers it.

    Kubelet facts 2.2, 2.3 and 3.3: timeoutSeconds (1 unless it is set) ends the request, hold
    or not. Each probe then fails after timeoutSeconds: the budget is that much shorter than it
    looks, and the events tell of a deadline exceeded instead of a status or a reason. Remedy:
    timeoutSeconds a few seconds above the hold.
    """
    for container in _with_startup(pod):
        probe = container.startup
        hold = budget.hold_of(probe) if probe else None
        if probe is None or hold is None or hold < probe.timeout:
            continue
        text = (
            f"the kubelet cuts each probe off after {probe.timeout}s, before the hold of "
            f"{hold:g}s is over: the budget is {budget.of(probe):.0f}s, and the events say nothing"
        )
        remedy = f"set timeoutSeconds: {int(hold) + 5}"
        yield Hit(_timeout_line(probe), text, remedy, container.name)


def _timeout_line(probe: Probe) -> int:
    return probe.lines.get("timeoutSeconds", probe.line)


@rule("slow-probe", Severity.INFO, "2.5, 1.9")
def slow_probe(pod: Pod) -> Hits:
    """A gate is asked seldom, and without a hold.

    Kubelet facts 1.9 and 2.5: the app is started right after the probe that passes, so on
    average half a periodSeconds (10 unless it is set) after the gate has opened. Remedy:
    periodSeconds 1 and `?hold=25s`: the answer comes the moment it opens, and one held probe
    counts as one failure.
    """
    for gate in _serving(pod):
        probe = gate.container.startup
        if probe is None or probe.period <= 1 or budget.hold_of(probe) is not None:
            continue
        text = f"the app starts up to {probe.period}s later than it could"
        line = probe.lines.get("periodSeconds", probe.line)
        yield Hit(line, text, "set periodSeconds: 1, and ask with ?hold=25s", gate.container.name)


def _with_startup(pod: Pod) -> list[Container]:
    return [each for each in pod.containers if each.startup and gates.is_gate(each)]


RULES = (
    holds_nothing,
    probe_path,
    probe_port,
    hold_not_below_timeout,
    slow_probe,
)
