"""Features against the version of the cluster (facts 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.pod import Container, Pod

_SIDECARS = (1, 29)
_NEVER_FIXED = (1, 33)


class _Use(NamedTuple):
    since: tuple[int, int]
    what: str
    line: int
    container: str


@rule("kubernetes-version", Severity.ERROR, "10")
def too_old(pod: Pod) -> Hits:
    """A feature is used that the cluster does not have.

    Said with --kubernetes-version only, from the table of kubelet fact 10: native sidecars 1.29,
    startup probes 1.18, gRPC probes 1.24, the sleep action of hooks 1.30, image volumes 1.35,
    restart policies and rules of single containers 1.35 (RestartAllContainers 1.36), variables
    from files 1.35. An API server
    that does not know a field drops it or refuses the pod: a sidecar becomes an init container
    that never ends (fact 10.1). Remedy: another form, or a newer cluster.
    """
    if pod.version is None:
        return
    for use in _uses(pod):
        if pod.version < use.since:
            text = (
                f"{use.what} needs Kubernetes {_show(use.since)}; {_show(pod.version)} refuses "
                "the pod or drops the field"
            )
            remedy = f"use another form, or Kubernetes {_show(use.since)}"
            yield Hit(use.line, text, remedy, use.container)


def _uses(pod: Pod) -> Iterator[_Use]:
    for name, kind in pod.volumes.items():
        if kind == "image":
            yield _Use((1, 35), f"the image volume {name}", pod.line, "")
    for container in pod.containers:
        yield from _policies(container)
        yield from _actions(container)


def _policies(container: Container) -> Iterator[_Use]:
    name = container.name
    if container.is_sidecar:
        line = container.line_of("restartPolicy")
        yield _Use(_SIDECARS, "a native sidecar (restartPolicy: Always)", line, name)
    elif container.restart_policy:
        line = container.line_of("restartPolicy")
        yield _Use((1, 35), "a restartPolicy of a single container", line, name)
    if container.restart_actions is not None:
        line = container.line_of("restartPolicyRules")
        yield _Use((1, 35), "restartPolicyRules", line, name)
        if "RestartAllContainers" in container.restart_actions:
            yield _Use((1, 36), "RestartAllContainers", line, name)


def _actions(container: Container) -> Iterator[_Use]:
    name = container.name
    if container.startup:
        yield _Use((1, 18), "a startup probe", container.startup.line, name)
    for probe in container.probes.values():
        if probe.action.kind == "grpc":
            yield _Use((1, 24), "a gRPC probe", probe.action.line, name)
    for hook in container.hooks.values():
        if hook.kind == "sleep":
            yield _Use((1, 30), "the sleep action of a hook", hook.line, name)
    for variable in container.env:
        if variable.source == "fileKeyRef":
            yield _Use((1, 35), "a variable from a file", variable.line, name)


@rule("sidecar-lost-in-job", Severity.WARNING, "2.18")
def lost_in_job(pod: Pod) -> Hits:
    """A sidecar that ends once may hang a pod with restartPolicy Never for ever.

    Kubelet fact 2.18: before the fix in 1.33 to 1.35 the kubelet could lose the startup probe
    of a sidecar that had terminated once, and the main container never started. Said with
    --kubernetes-version below 1.33. Remedy: `gate wait` in a plain init container, or a budget
    so long that the sidecar is never killed while it waits.
    """
    if pod.version is None or not _SIDECARS <= pod.version < _NEVER_FIXED:
        return
    for sidecar in pod.sidecars:
        if sidecar.startup and pod.restart_policy == "Never":
            text = (
                f"a kubelet of {_show(pod.version)} can forget this probe after the sidecar has "
                "ended once; the pod then hangs for ever"
            )
            remedy = "use gate wait in a plain init container"
            yield Hit(sidecar.startup.line, text, remedy, sidecar.name)


def _show(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


RULES = (too_old, lost_in_job)
