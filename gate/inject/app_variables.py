"""What the variables of a pod's main containers name, by value or by reference to a Secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.config import app_url
from gate.config.app_url import Named
from gate.core import url as urls
from gate.core.names import annotation
from gate.inject.findings import url_of
from gate.inject.waiters.places import NotUnderstood, bare_url
from gate.pods import clients, well_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.inject.findings import Findings
    from gate.inject.graph import Graph
    from gate.inject.variables import Variables
    from gate.inject.workloads import Workload
    from gate.pods.pod import Container

FROM_ENV = annotation("from-env")
_KEPT = {"sslmode", "ssl-mode", "tls", "ssl", "usessl"}
_ASKED_BY_NAME = {"http", "https", "tcp"}
"""Schemes of which only Services of the cluster are waited for."""


def add(workload: Workload, found: Findings, graph: Graph) -> None:
    """Add what the variables of the main containers name."""
    for container in workload.pod.main:
        if not well_known.known_as(container):
            variables = workload.variables_of(container)
            _Reading(workload, container, variables, found, graph).add_all()


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads the variables of one container."""

    workload: Workload
    container: Container
    variables: Variables
    found: Findings
    graph: Graph

    def add_all(self) -> None:
        guessed = app_url.guess(self.variables.names)
        for named in guessed:
            self._add(named)
        known = {name for each in guessed for name in (each.variable, each.port)}
        for name, value in self.variables.known.items():
            if name not in known and self._names_a_service(value):
                self._add(Named(name))
        self._add_from_env()

    def _add(self, named: Named) -> None:
        place = f"variable {named.variable} of container {self.container.name}"
        needed = [name for name in (named.variable, named.port) if name]
        if all(name in self.variables.known for name in needed):
            self._add_known(named, place)
        elif any(self.variables.is_optional(name) for name in needed):
            self._leave_out(place, "its source is optional")
        elif _is_surely_one(named):
            self._add_by_reference(needed, place)

    def _leave_out(self, place: str, why: str) -> None:
        self.found.notes.append(f"{place} is left out: {why}")

    def _names_a_service(self, value: str) -> bool:
        """Whether *value* is a URL of a Service of the input."""
        hosts = clients.of_url(value.strip()) if "://" in value else []
        return any(self.graph.knows(host, self.workload) for host, _ in hosts)

    def _add_known(self, named: Named, place: str) -> None:
        known = self.variables.known
        value, port = known[named.variable], known.get(named.port, "")
        try:
            text = _without_login(app_url.translate(named.variable, value, port))
        except app_url.NoDependency as exc:
            self._leave_out(place, f"it {exc}")
        except NotUnderstood as exc:
            self._leave_out(place, str(exc))
        else:
            self._add_text(text, place)

    def _add_text(self, text: str, place: str) -> None:
        url = url_of(text)
        if url is None or (url.is_local and url.hosts):
            return  # its own pod: sidecars are a source of their own
        hosts = [host.name for host in url.hosts]
        if url.scheme in _ASKED_BY_NAME and not self.graph.knows(url.host, self.workload):
            self._leave_out(place, f"{url.host} is no Service of the input")
        elif self.graph.would_wait_for_itself(self.workload, hosts):
            self._leave_out(place, f"{url.host} waits for this workload itself")
        else:
            self.graph.add(self.workload, hosts)
            self.found.add([text], place)

    def _add_by_reference(self, needed: list[str], place: str) -> None:
        """Let gate read the variable when the pod runs: its value is not in the input."""
        entry = ":".join(needed)
        if entry not in self.found.from_env:
            self.found.from_env.append(entry)
            self.found.reasons.append(place)
            self._copy(needed)

    def _add_from_env(self) -> None:
        """Let gate read what the annotation names, with the app's `envFrom` where it is there."""
        wanted = list(_listed(self.workload.annotations.get(FROM_ENV, "")))
        for entry in wanted:
            names = [name for name in entry.split(":") if name]
            is_here = any(name in self.variables.names for name in names)
            if entry in self.found.from_env or not (is_here or self.variables.sources):
                continue
            self.found.from_env.append(entry)
            self.found.reasons.append(f"annotation {FROM_ENV}, container {self.container.name}")
            self._copy(names)
            if not is_here:
                own = self.found.env_sources
                own += [source for source in self.variables.sources if source not in own]
        if self.variables.sources and not wanted:
            self.found.notes.append(
                f"what envFrom brings into container {self.container.name} is not in the input; "
                f"name what of it to wait for by the annotation {FROM_ENV}"
            )

    def _copy(self, names: list[str]) -> None:
        taken = {each["name"] for each in self.found.entries}
        new = self.variables.copied(names)
        self.found.entries += [each for each in new if each["name"] not in taken]


def _is_surely_one(named: Named) -> bool:
    """Whether the name alone says that there is something to wait for."""
    is_url = named.variable.endswith(("URL", "URI"))
    return bool(app_url.kind_of(named.variable) or named.port or is_url)


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


def _listed(text: str) -> Iterator[str]:
    yield from (word.strip() for word in text.split(",") if word.strip())
