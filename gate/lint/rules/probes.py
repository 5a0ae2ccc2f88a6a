"""Probes of any container that cannot pass, or pass by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.core.url import is_loopback
from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import commands, gates, images, listening, well_known
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.pod import Action, Container, Pod, Probe

_SIGNING_IN = {"oauth", "oauth2", "sso", "saml", "saml2", "authorize", "openid-connect"}
_STARTS = {*_SIGNING_IN, "start", "login"} - {"openid-connect"}
"""What such a path ends with where it sends people to sign in; /oauth2/ping answers by itself."""
_REWRITE = "sidecar.istio.io/rewriteAppHTTPProbers"
_EXCLUDED = "traffic.sidecar.istio.io/excludeInboundPorts"
_REFUSED = "where mutual TLS is STRICT it refuses the kubelet, which has no certificate"
_THROUGH_MESH = {
    "tcpSocket": "it accepts this connection, whether the app listens or not",
    "httpGet": _REFUSED,
    "grpc": _REFUSED,
}
_PYTHON = {"python", "python3", "gate"}
_WITHOUT = {
    "startupProbe": "the container never counts as started",
    "readinessProbe": "the pod is never ready",
    "livenessProbe": "the container runs without it",
}
_NOT_STARTED = {
    "startupProbe": "this probe can neither pass nor fail, and the app never starts",
    "readinessProbe": "this probe can neither pass nor fail, and the pod is never ready",
    "livenessProbe": "this probe does nothing",
    "preStop": "this hook does nothing",
}
_HOOK = "this hook fails, and the kubelet kills the container again and again"


def _probes(pod: Pod) -> Iterator[tuple[Container, Probe]]:
    for container in pod.containers:
        for probe in container.probes.values():
            yield container, probe


@rule("probe-port-name", Severity.ERROR, "2.13")
def port_name(pod: Pod) -> Hits:
    """A probe names a port that its container does not declare.

    Kubelet fact 2.13: that is an internal error, not a failure: its result is thrown away, so
    the probe neither passes nor fails. With a startup probe the container never counts as
    started, without a restart; with a readiness probe the pod is never ready; a liveness probe
    does nothing. Remedy: declare the name under the container's `ports`, or write the
    number.
    """
    for container, probe in _probes(pod):
        port = probe.action.port
        known = {name for name, _ in container.ports}
        if isinstance(port, str) and not port.isdigit() and port not in known:
            text = (
                "the container declares no port of this name, so the probe can neither pass nor "
                f"fail, and {_WITHOUT[probe.kind]}"
            )
            line = probe.action.line_of("port")
            yield Hit(line, text, "declare it under ports, or write the number", container.name)


@rule("probe-through-mesh", Severity.WARNING, "4.6")
def through_mesh(pod: Pod) -> Hits:
    """A probe goes through Istio's proxy, as its rewriting is turned off for the pod.

    Istio's injector rewrites probes so that its agent asks the app beside the proxy. With the
    annotation `sidecar.istio.io/rewriteAppHTTPProbers: "false"` it does not. All incoming
    connections are accepted by the proxy then: a tcpSocket probe passes whether the app listens
    or not (as in kubelet fact 4.6, where a port is open before anything is ready). And where
    mutual TLS is STRICT, httpGet and grpc fail for ever, as the kubelet has no certificate.
    Said of main containers, not of ports that the mesh leaves alone
    (`traffic.sidecar.istio.io/excludeInboundPorts`). Remedy: take the annotation out, exclude the
    port, or ask by exec.
    """
    if pod.annotations.get(_REWRITE) != "false":
        return
    for container, probe in _probes(pod):
        action, number = probe.action, listening.number_of(probe.action, container)
        is_told = not container.is_init and action.kind in _THROUGH_MESH
        if (
            is_told
            and well_known.known_as(container) != "istio"
            and str(number) not in _excluded(pod)
        ):
            text = f"Istio's proxy stands in front: {_THROUGH_MESH[action.kind]}"
            yield Hit(action.line, text, "let Istio rewrite it", container.name)


def _excluded(pod: Pod) -> set[str]:
    return {each.strip() for each in pod.annotations.get(_EXCLUDED, "").split(",")}


@rule("probe-host", Severity.ERROR, "3.10")
def host(pod: Pod) -> Hits:
    """A probe goes to `host: 127.0.0.1` or `localhost`.

    Kubelet fact 3.10: the kubelet probes from the node, in the node's network: this is the
    node's own loopback address, where nothing of the pod listens, or another program answers.
    (With hostNetwork it is right.) Remedy: leave `host` out and let the server listen on all
    addresses; what listens on loopback only is asked by exec.
    """
    for container, probe in _probes(pod):
        if is_loopback(probe.action.host) and not pod.has_host_network:
            text = "the kubelet takes this for the node's own address: the pod is never asked"
            remedy = "remove host, and listen on all addresses"
            yield Hit(probe.action.line_of("host"), text, remedy, container.name)


@rule("probe-redirect", Severity.WARNING, "3.6")
def redirect(pod: Pod) -> Hits:
    """A probe asks a path that leads to a login page.

    Kubelet fact 3.6: a redirect to another host is not followed and counts as success: behind
    an auth proxy the probe passes whether the app runs or not. Remedy: ask a path that answers
    by itself (`/healthz`, `/ping`), left out of the login.
    """
    for container, probe in _probes(pod):
        if probe.action.kind != "httpGet":
            continue
        parts = probe.action.path.partition("?")[0].lower().strip("/").split("/")
        if parts[-1] in _STARTS and not _SIGNING_IN.isdisjoint(parts):
            text = (
                "a login path answers with a redirect, which the kubelet takes for success, "
                "whether the app runs or not"
            )
            line = probe.action.line_of("path")
            yield Hit(line, text, "ask a path that answers by itself", container.name)


@rule("probe-exec-timeout", Severity.WARNING, "4.5, 13.2")
def exec_timeout(pod: Pod) -> Hits:
    """An exec probe starts a Python and has one second for it.

    Said of startup probes and of gate's.
    Kubelet facts 2.4, 4.5 and 13.2: timeoutSeconds is 1 unless it is set, and each probe pays a
    start of the interpreter inside the container's CPU limit: on a busy node it is cut off, and
    counts as failed although all is well. Remedy: timeoutSeconds of 5 or more (above the hold,
    where there is one), or an httpGet probe.
    """
    for container, probe in _probes(pod):
        if probe.kind != "startupProbe" and not gates.is_gate(container):
            continue
        words = commands.text(probe.action.command).split()
        if probe.timeout <= 1 and any(commands.program([word]) in _PYTHON for word in words[:2]):
            text = (
                f"the kubelet cuts it off after {probe.timeout}s, the start of Python included: "
                "on a busy node it fails although all is well"
            )
            line = (
                probe.line_of("timeoutSeconds") if "timeoutSeconds" in probe.lines else probe.line
            )
            yield Hit(line, text, "set timeoutSeconds: 5 or more", container.name)


@rule("exec-not-in-image", Severity.ERROR, "4.3, 5.7")
def not_in_image(pod: Pod) -> Hits:
    """An exec probe or a hook runs a shell or a tool that its image does not hold.

    Said of images that are known to hold neither: gate's own, `distroless/…`, cloud-sql-proxy,
    the OpenTelemetry collector, nats, and a few more, by their plain tags. Kubelet fact 4.3: a
    command that cannot be started is no failure: the result is thrown away, and a startup probe
    never passes. Kubelet fact 5.7: a hook that cannot be started fails, and its container is
    killed again and again. Remedy: httpGet, tcpSocket or grpc; in gate's own image
    `gate probe --hold 25s`; or a tag with a shell.
    """
    for container in pod.containers:
        for what, action in _actions(container):
            program = action.command[0] if action.command else ""
            if _is_missing(program, container):
                text = f"the image holds no {program}, so {_NOT_STARTED.get(what, _HOOK)}"
                remedy = "ask by httpGet or tcpSocket"
                if gates.is_gate(container):
                    remedy = "run gate itself: gate probe --hold 25s, gate hold"
                yield Hit(action.line_of("command"), text, remedy, container.name)


def _actions(container: Container) -> Iterator[tuple[str, Action]]:
    yield from ((kind, probe.action) for kind, probe in container.probes.items())
    yield from container.hooks.items()


def _is_missing(program: str, container: Container) -> bool:
    if gates.is_gate(container) and container.image_name == "gate":
        return images.is_tool(program)
    return images.lacks(container, program)


RULES = (port_name, through_mesh, host, redirect, exec_timeout, not_in_image)
