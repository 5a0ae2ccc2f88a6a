"""Main containers that others of them depend on: nothing orders them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.lint.rules.waiting import MESHES, redirects_all
from gate.pods import cloud_run, commands, gates, listening, well_known
from gate.pods.hit import Hit
from gate.pods.waits import before_it_works

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.pod import Container, Pod

_REMEDY = (
    "make it a native sidecar (initContainers, restartPolicy: Always) with a startupProbe, or let "
    "the other one wait for it (gate wait … -- …)"
)

_INJECTORS = {
    "dapr": ("dapr.io/",),
    "istio": ("sidecar.istio.io/", "istio.io/", "traffic.sidecar.istio.io/", "proxy.istio.io/"),
    "linkerd": ("linkerd.io/", "config.linkerd.io/"),
    "vault-agent": ("vault.hashicorp.com/",),
}


@rule("sidecar-among-main-containers", Severity.WARNING, "1.5, 5.8")
def among_main(pod: Pod) -> Hits:
    """A main container depends on another main container of its pod.

    Kubelet facts 1.5 and 5.8: main containers are started one after the other without waiting for
    any of them to serve, and restarted whatever the others do. What uses another one's port on
    localhost (a database proxy, a mesh's or another proxy, a cache, a collector) may find nobody
    there, at the start and after each restart. Said where a variable or the command names the
    port, of the Cloud SQL proxy, which is there for the others only, and of a mesh's proxy that
    an init container of the pod sends all traffic to; not of a UDP port, of a proxy that
    stands in front of the app, of what is called a helper of it (a database's backup), of
    exporters and log shippers, of what an injector writes where the pod's annotations ask for it,
    nor of a container that waits by itself.
    Remedy: a native sidecar with a startupProbe (Kubernetes 1.29), or a wait in the
    command of what depends on it.
    """
    for helper in pod.main:
        if well_known.only_looks_on(helper) or gates.is_gate(helper) or _is_injected(helper, pod):
            continue
        if cloud_run.holds(helper, pod):
            continue
        if who := next(_dependants(helper, pod), ""):
            text = (
                f"{who} depends on this container, and the kubelet starts both at the same time: "
                "nothing makes it wait until this one serves"
            )
            yield Hit(helper.line, text, _REMEDY, helper.name)


def _is_injected(helper: Container, pod: Pod) -> bool:
    """Whether the pod asks an injector for *helper*: where it stands is not the user's choice."""
    marks = _INJECTORS.get(well_known.known_as(helper), ())
    return any(name.startswith(marks) for name in pod.annotations)


def _dependants(helper: Container, pod: Pod) -> Iterator[str]:
    others = [each for each in pod.main if _may_depend(each, helper, pod)]
    yield from listening.users(helper, others, pod)
    is_mesh = well_known.known_as(helper) in MESHES and redirects_all(pod)
    if is_mesh or well_known.known_as(helper) == "cloud-sql-proxy":
        yield from (each.name for each in others)


def _may_depend(other: Container, helper: Container, pod: Pod) -> bool:
    """Whether *other*, should it name the port of *helper*, is not held and needs it to start."""
    if other is helper or well_known.only_looks_on(other) or before_it_works(other, pod):
        return False
    hook = helper.post_start
    if hook and helper.index < other.index and commands.is_wait(hook.command):
        return False  # it is held, and another rule says how badly
    if well_known.is_server(helper) and well_known.tends_another(other):
        return False
    return well_known.is_helper(helper) or not _is_beside(other)


def _is_beside(other: Container) -> bool:
    """Whether *other* is there for the app, in front of it or beside it, and no app itself."""
    is_helping = well_known.stands_before(other) or well_known.helps_another(other)
    return is_helping or bool(well_known.known_as(other))


RULES = (among_main,)
