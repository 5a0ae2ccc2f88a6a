"""Where a pod says what it waits for: its annotation, sidecars, wait containers and variables."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from gate.config import app_url, words
from gate.core import url as urls
from gate.core.names import annotation
from gate.inject.findings import url_of
from gate.inject.variables import expanded
from gate.inject.waiters import containers as wait_containers
from gate.inject.waiters.places import NotUnderstood, bare_url
from gate.pods import gates, listening, well_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.config.app_url import Named
    from gate.inject.findings import Findings
    from gate.inject.graph import Graph
    from gate.inject.variables import Variables
    from gate.inject.workloads import Workload
    from gate.pods.pod import Action, Container

SOURCES = ("annotation", "sidecars", "waits", "env")
"""What `--sources` can name, in the order in which they are asked."""
DEPENDENCIES, FROM_ENV = annotation("dependencies"), annotation("from-env")
_KEPT = {"sslmode", "ssl-mode", "tls", "ssl", "usessl"}
_ASKED_BY_NAME = {"http", "https", "tcp"}
"""Schemes of which only Services of the cluster are waited for."""


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


def from_variables(workload: Workload, found: Findings, graph: Graph) -> None:
    """Add what the variables of the main containers name, by value or by reference."""
    for container in workload.pod.main:
        if well_known.known_as(container):
            continue
        variables = workload.variables_of(container)
        for named in app_url.guess(variables.names):
            _add_named(named, container, variables, workload, found, graph)
        _add_from_env(container, variables, workload, found)


def _add_named(
    named: Named,
    container: Container,
    variables: Variables,
    workload: Workload,
    found: Findings,
    graph: Graph,
) -> None:
    place = f"variable {named.variable} of container {container.name}"
    needed = [name for name in (named.variable, named.port) if name]
    if all(name in variables.known for name in needed):
        try:
            text = app_url.translate(*_values(named, variables))
        except app_url.NoDependency as exc:
            found.notes.append(f"{place} is left out: it {exc}")
            return
        _add_value(text, place, workload, found, graph)
    elif any(variables.is_optional(name) for name in needed):
        found.notes.append(f"{place} is left out: its source is optional")
    elif app_url.kind_of(named.variable) or named.port or named.variable.endswith(("URL", "URI")):
        _by_reference(named, place, variables, found)


def _values(named: Named, variables: Variables) -> tuple[str, str, str]:
    known = variables.known
    return named.variable, known[named.variable], known.get(named.port, "")


def _add_value(text: str, place: str, workload: Workload, found: Findings, graph: Graph) -> None:
    try:
        plain = _without_login(text)
    except NotUnderstood as exc:
        found.notes.append(f"{place} is left out: {exc}")
        return
    url = url_of(plain)
    if url is None or (url.is_local and url.hosts):
        return  # its own pod: sidecars are a source of their own
    if url.scheme in _ASKED_BY_NAME and not graph.knows(url.host, workload):
        found.notes.append(f"{place} is left out: {url.host} is no Service of the input")
    elif graph.would_wait_for_itself(workload, [host.name for host in url.hosts]):
        found.notes.append(f"{place} is left out: {url.host} waits for this workload itself")
    else:
        graph.add(workload, [host.name for host in url.hosts])
        found.add([plain], place)


def _without_login(text: str) -> str:
    """Return *text* without user, password and what else of its query may be secret."""
    first, space, options = text.partition(" ")
    url = urls.parse(first)
    bare = bare_url(first)
    kept = [f"{name}={value}" for name, value in url.query if _is_kept(name, value)]
    query = f"?{'&'.join(kept)}" if kept and url.scheme not in ("http", "https") else ""
    return f"{bare}{query}{space}{options}"


def _is_kept(name: str, value: str) -> bool:
    return name.lower() in _KEPT and value.replace("-", "").isalnum()


def _by_reference(named: Named, place: str, variables: Variables, found: Findings) -> None:
    """Let gate read the variable when the pod runs: its value is not in the input."""
    entry = f"{named.variable}:{named.port}" if named.port else named.variable
    if entry in found.from_env:
        return
    found.from_env.append(entry)
    found.reasons.append(place)
    names = {each["name"] for each in found.entries}
    needed = [name for name in (named.variable, named.port) if name]
    found.entries += [each for each in variables.copied(needed) if each["name"] not in names]


def _add_from_env(
    container: Container, variables: Variables, workload: Workload, found: Findings
) -> None:
    """Let gate read what the annotation names, with the app's `envFrom` where it is there."""
    for entry in _listed(workload.annotations.get(FROM_ENV, "")):
        if entry in found.from_env:
            continue
        names = [name for name in entry.split(":") if name]
        is_here = any(name in variables.names for name in names)
        if not is_here and not variables.sources:
            continue
        found.from_env.append(entry)
        found.reasons.append(f"annotation {FROM_ENV}, container {container.name}")
        found.entries += [each for each in variables.copied(names) if each not in found.entries]
        if not is_here:
            found.env_sources += [s for s in variables.sources if s not in found.env_sources]


def _listed(text: str) -> Iterator[str]:
    yield from (word.strip() for word in text.split(",") if word.strip())
