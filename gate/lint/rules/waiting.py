"""Waits that cannot end: for something that starts only after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import listening, well_known
from gate.pods.hit import Hit
from gate.pods.waits import Wait, waits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.commands import Place
    from gate.pods.pod import Container, Pod

_REDIRECTING = {"istio-init", "linkerd-init", "linkerd-network-validator", "istio-validation"}
MESHES = {"istio", "linkerd"}
_EXCLUDED = (
    "traffic.sidecar.istio.io/excludeOutboundPorts",
    "config.linkerd.io/skip-outbound-ports",
)
_RANGES = (
    "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "config.linkerd.io/skip-subnets",
)
_INCLUDED = "traffic.sidecar.istio.io/includeOutboundIPRanges"


@rule("waits-for-later", Severity.ERROR, "1.1, 1.8")
def for_later(pod: Pod) -> Hits:
    """Something waits for a container of its own pod that is started only after it.

    Kubelet facts 1.1 and 1.8: init containers and sidecars are started one by one, in the order
    of writing, and the main containers after all of them. A wait (gate, wait4x, dockerize, a loop
    around nc, curl or pg_isready, a hook, a sidecar's startup probe) for a later sidecar, or for
    the main container's own port on localhost, waits for ever: the pod stays in Init. Remedy:
    write what is waited for in front of what waits; of the app itself ask in its own probes.
    """
    for wait in waits(pod):
        for what in dict.fromkeys(_never(wait, pod)):
            text = f"{wait.what} waits for {what}, so neither of the two will ever go on"
            remedy = "move what is waited for in front of it, or do not wait for it"
            yield Hit(wait.line, text, remedy, wait.container.name)


def _never(wait: Wait, pod: Pod) -> Iterator[str]:
    later = _later(wait, pod)
    for need in wait.needs:
        reasons = [f"{place}, {why}" for place in need if (why := _nobody(place, wait, pod))]
        # One of them that answers is enough.
        if len(reasons) == len(need):
            yield reasons[0]
    for name in wait.sidecars:
        late = next((each for each in later if well_known.known_as(each) == name), None)
        early = any(well_known.known_as(each) == name for each in pod.before(wait.container))
        if late and not early:
            yield f"sidecar:{name}, which is {_started_later(late)}"


def _later(wait: Wait, pod: Pod) -> list[Container]:
    own = wait.container
    if own.is_init:
        return list(pod.after(own))
    return [each for each in pod.main if each.index > own.index]


def _nobody(place: Place, wait: Wait, pod: Pod) -> str:
    """Return why nobody can answer at *place* while *wait* lasts, empty if somebody may."""
    if not place.is_local or place.port is None or pod.has_host_network:
        return ""
    before = [each for each in pod.containers if _runs_with(each, wait, pod)]
    if any(place.port in _ports(each, wait, pod) for each in before):
        return ""
    late = next((e for e in _later(wait, pod) if place.port in _ports(e, wait, pod)), None)
    if late:
        return f"which is {_started_later(late)}"
    if before or place.port in well_known.INJECTED:
        return ""
    return "and nothing of this pod runs before it that could listen there"


def _ports(container: Container, wait: Wait, pod: Pod) -> set[int]:
    """Return where *container* listens; a probe that waits proves nothing of its own port."""
    if wait.is_own and (container is wait.container or not container.is_sidecar):
        return listening.declared(container)
    return listening.ports(container, pod)


def _runs_with(other: Container, wait: Wait, pod: Pod) -> bool:
    own = wait.container
    if other is own:
        return wait.is_own
    if own.is_init:
        return other in pod.before(own)
    return other.is_sidecar or (not other.is_init and other.index < own.index)


def _started_later(container: Container) -> str:
    kind = "sidecar" if container.is_sidecar else "container"
    return f"the {kind} {container.name}, started only after this"


@rule("init-before-mesh", Severity.ERROR, "1.1")
def before_mesh(pod: Pod) -> Hits:
    """An init container needs the network before the mesh's proxy is up.

    Kubelet fact 1.1 gives the order. The mesh's own init container has redirected all traffic of
    the pod to the proxy by then; where the proxy is a main container, or a sidecar further
    behind, nobody accepts it, and the wait never ends. Remedy: let the mesh inject its proxy as
    a native sidecar and write the wait behind it, or exclude the port from the redirection (the
    annotation `traffic.sidecar.istio.io/excludeOutboundPorts`, for Linkerd
    `config.linkerd.io/skip-outbound-ports`), or run the wait as the proxy's user (`runAsUser`
    1337, for Linkerd 2102).
    """
    redirected = _redirecting(pod)
    proxy = next((e for e in pod.containers if well_known.known_as(e) in MESHES), None)
    if not redirected or proxy is None or _may_be_excluded(pod):
        return
    for wait in waits(pod):
        own = wait.container
        is_between = own.is_init and min(redirected) < own.index < proxy.index
        if not is_between or own.user in well_known.PROXY_USERS:
            continue
        for need in wait.needs:
            if not any(place.is_local or is_excluded(place, pod) for place in need):
                text = (
                    f"{wait.what} waits for {need[0]}, and all traffic goes to {proxy.name}, "
                    "which is started only after this"
                )
                remedy = "write it behind the mesh's native sidecar, or exclude the port"
                yield Hit(wait.line, text, remedy, own.name)


def _redirecting(pod: Pod) -> list[int]:
    """Return the places of the containers after which all traffic of *pod* goes to its proxy."""
    return [each.index for each in pod.init if each.name in _REDIRECTING]


def redirects_all(pod: Pod) -> bool:
    """Whether the mesh's proxy gets all that the containers of *pod* send."""
    return bool(_redirecting(pod)) and not _may_be_excluded(pod)


def _may_be_excluded(pod: Pod) -> bool:
    """Whether addresses are left out of the redirection: whose they are is not known here."""
    return pod.annotations.get(_INCLUDED, "*") != "*" or any(
        pod.annotations.get(name) for name in _RANGES
    )


def is_excluded(place: Place, pod: Pod) -> bool:
    """Whether a mesh leaves *place* alone: its port, singly or in a range, or one not known."""
    written = ",".join(pod.annotations.get(name, "") for name in _EXCLUDED)
    ports = [each.strip().partition("-") for each in written.split(",") if each.strip()]
    if place.port is None:
        return bool(ports)
    return any(_number(first) <= place.port <= _number(last or first) for first, _, last in ports)


def _number(text: str) -> int:
    return int(text) if text.strip().isascii() and text.strip().isdigit() else -1


RULES = (for_later, before_mesh)
