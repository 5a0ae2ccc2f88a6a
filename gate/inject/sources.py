"""Where a pod says what it waits for: its annotation, sidecars and wait containers.

Its variables are another source, in `app_variables`.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from gate.config import words
from gate.core.names import annotation
from gate.inject.findings import url_of
from gate.inject.variables import expanded
from gate.inject.waiters import containers as wait_containers
from gate.inject.waiters.places import NotUnderstood
from gate.pods import gates, listening, well_known

if TYPE_CHECKING:
    from gate.inject.findings import Findings
    from gate.inject.variables import Variables
    from gate.inject.workloads import Workload
    from gate.pods.pod import Action, Container

SOURCES = ("annotation", "sidecars", "waits", "env")
"""What `--sources` can name, in the order in which they are asked."""
DEPENDENCIES = annotation("dependencies")


def from_annotation(workload: Workload, found: Findings) -> None:
    """Add what the annotation lists, written as in `GATE_DEPENDENCIES`."""
    text = workload.annotations.get(DEPENDENCIES, "")
    found.add((line.strip() for _, line in words.lines(text)), f"annotation {DEPENDENCIES}")


def from_sidecars(workload: Workload, found: Findings) -> None:
    """Add native sidecars that have a readiness probe and no startup probe: nothing waits for them.

    The kubelet itself holds back what stands behind a sidecar with a startup probe.
    """
    for sidecar in workload.pod.sidecars:
        probe = sidecar.probes.get("readinessProbe")
        if gates.is_gate(sidecar) or sidecar.startup or probe is None:
            continue
        if text := _of_probe(probe.action, sidecar):
            found.add([text], f"the readiness probe of sidecar {sidecar.name}")
        else:
            found.notes.append(
                f"sidecar {sidecar.name} is left out: its readiness probe runs a command; "
                f"give it a startup probe"
            )


def _of_probe(action: Action, sidecar: Container) -> str:
    port = listening.number_of(action, sidecar)
    if port is None or action.host:
        return ""
    if action.kind == "httpGet":
        scheme = action.scheme.lower()
        path = action.path if action.path.startswith("/") else f"/{action.path}"
        # The kubelet verifies no certificate.
        insecure = " insecure" if scheme == "https" else ""
        return f"{shlex.quote(f'{scheme}://localhost:{port}{path}')}{insecure}"
    if action.kind in ("tcpSocket", "grpc"):
        return f"{'tcp' if action.kind == 'tcpSocket' else 'grpc'}://localhost:{port}"
    return ""


def from_wait_containers(workload: Workload, found: Findings) -> None:
    """Add what init containers wait for that do nothing else, and remove them."""
    for container in workload.pod.init:
        if gates.is_gate(container) or not wait_containers.is_one(container):
            continue
        variables = workload.variables_of(container)
        try:
            _refuse_proxy_user(container)
            texts = wait_containers.understood(_expanded(container, variables), variables.known)
            _refuse_own(texts.texts, workload)
        except NotUnderstood as exc:
            found.notes.append(f"init container {container.name} stays: {exc}")
            continue
        found.add(texts.texts, f"in place of init container {container.name}")
        found.removed.append(container.name)


def _refuse_proxy_user(container: Container) -> None:
    if container.user in well_known.PROXY_USERS:
        why = f"as user {container.user} it gets past the mesh's redirection, and gate would not"
        raise NotUnderstood(why)


def _refuse_own(texts: tuple[str, ...], workload: Workload) -> None:
    """Raise `NotUnderstood` where the pod itself would have to answer first."""
    local = {port for sidecar in workload.pod.sidecars for port in listening.declared(sidecar)}
    for text in texts:
        url = url_of(text)
        if url and url.is_local and url.hosts and url.port not in local:
            why = "no sidecar of the pod is known to listen there"
            raise NotUnderstood(why)


def _expanded(container: Container, variables: Variables) -> Container:
    """Return *container* with the `$(NAME)` of its command put in, as the kubelet does."""

    def put_in(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            text if (value := expanded(text, variables.known)) is None else value for text in texts
        )

    return replace(container, command=put_in(container.command), args=put_in(container.args))
