"""Where a dependency leads: names of Services, and of objects, to the workloads behind them.

A host is taken as the cluster's DNS takes it: `db`, `db.prod`, `db.prod.svc.cluster.local`, a pod
of a headless Service (`db-0.db.prod.svc`), or a cluster address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gate.checks.k8s import options
from gate.core.one_line import one_line
from gate.status.seen import LONGEST, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gate.core.target import Target
    from gate.status.seen import SeenPod

    Object = dict[str, Any]

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_WORKLOADS = frozenset({"deployment", "statefulset", "daemonset", "job"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service: what it selects, and where it is."""

    namespace: str
    name: str
    selector: frozenset[tuple[str, str]]
    addresses: frozenset[str]

    def __str__(self) -> str:
        return f"service {self.name} in namespace {self.namespace}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """Where a dependency leads."""

    via: str = ""
    """The Service in between, in words."""
    workloads: tuple[Workload, ...] = ()
    missing: str = ""
    """What should be there and is not."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a host may mean."""

    service: str
    namespace: str
    is_sure: bool
    """Whether it can mean nothing else."""


@dataclass(slots=True)
class World:
    """The pods and Services that were looked at."""

    pods: list[SeenPod] = field(default_factory=list)
    services: dict[tuple[str, str], Service] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    """Namespaces whose Services and pods may not be looked at."""
    _inside: dict[str, list[SeenPod]] = field(default_factory=dict)
    """The pods by namespace."""
    _at: dict[str, Service] = field(default_factory=dict)
    """The Services by address."""
    _behind: dict[Service, Lead] = field(default_factory=dict)

    def add_pods(self, pods: list[SeenPod]) -> None:
        """Add *pods*."""
        self.pods += pods
        self._behind.clear()
        for pod in pods:
            self._inside.setdefault(pod.namespace, []).append(pod)

    def add_services(self, services: list[Object]) -> None:
        """Add *services* as the API server lists them."""
        for thing in services:
            found = _service(thing)
            self.services[found.namespace, found.name] = found
            self._at.update(dict.fromkeys(found.addresses, found))

    def lead(self, target: Target, namespace: str) -> Lead:
        """Return where *target*, a dependency of a pod in *namespace*, leads."""
        if target.url.scheme == "k8s":
            return self._object(target, namespace)
        if target.url.is_local:
            return Lead()
        leads = [self._host(host.name, namespace) for host in target.url.hosts]
        return Lead(
            via=", ".join(lead.via for lead in leads if lead.via),
            workloads=tuple(dict.fromkeys(each for lead in leads for each in lead.workloads)),
            missing=", ".join(lead.missing for lead in leads if lead.missing),
        )

    def _host(self, host: str, namespace: str) -> Lead:
        places = places_of(host, namespace)
        found = [self.services.get((each.namespace, each.service)) for each in places]
        service = next(filter(None, (*found, self._at.get(host))), None)
        if service is not None:
            return self._lead_of(service)
        sure = next((each for each in places if each.is_sure), None)
        return Lead() if sure is None else self._no_service(sure.service, sure.namespace)

    def _no_service(self, name: str, namespace: str) -> Lead:
        if namespace in self.unseen:
            return Lead()
        return Lead(missing=f"no service {name} in namespace {namespace}")

    def _lead_of(self, service: Service) -> Lead:
        if not service.selector:
            return Lead(via=str(service))  # it leads out of the cluster, or somebody else fills it
        if service not in self._behind:
            labels = dict(service.selector)
            self._behind[service] = self._selected(service.namespace, labels, str(service))
        return self._behind[service]

    def _selected(self, namespace: str, selector: Mapping[str, str], via: str) -> Lead:
        found = [
            pod.workload
            for pod in self._inside.get(namespace, ())
            if selector.items() <= pod.labels.items()
        ]
        if not found:
            return Lead(via=via, missing=f"{via} selects no pod")
        return Lead(via=via, workloads=tuple(dict.fromkeys(found)))

    def _object(self, target: Target, own: str) -> Lead:
        wanted = options.parse(target)
        namespace = target.text("namespace") or own
        if wanted.is_endpoints:
            found = self.services.get((namespace, wanted.name))
            return self._lead_of(found) if found else self._no_service(wanted.name, namespace)
        if wanted.kind == "pod" and wanted.selector:
            pairs = (each.partition("=") for each in wanted.selector.split(","))
            labels = {key.strip(): value.lstrip("=").strip() for key, _, value in pairs}
            return self._selected(
                namespace, labels, f"pods with {one_line(wanted.selector, LONGEST)}"
            )
        if wanted.kind not in _WORKLOADS | {"pod"} or namespace in self.unseen:
            return Lead()
        return self._named(namespace, wanted.kind, wanted.name)

    def _named(self, namespace: str, kind: str, name: str) -> Lead:
        found = [
            pod.workload
            for pod in self._inside.get(namespace, ())
            if pod.workload == Workload(namespace, kind, name)
            or (kind == "pod" and pod.name == name)
        ]
        if not found:
            return Lead(missing=f"no pod of {kind}/{name} in namespace {namespace}")
        return Lead(workloads=(found[0],))


def is_label(text: str) -> bool:
    """Whether *text* can be the name of a namespace or Service (RFC 1123)."""
    return _LABEL.fullmatch(text) is not None


def namespaces_of(target: Target) -> Iterator[tuple[str, bool]]:
    """Yield the other namespaces that *target* names, and whether it surely names one."""
    if target.url.scheme == "k8s":
        if is_label(named := target.text("namespace")):
            yield named, True
    elif not target.url.is_local:
        for host in target.url.hosts:
            places = places_of(host.name, "")
            yield from ((each.namespace, each.is_sure) for each in places if each.namespace)


def places_of(host: str, own: str) -> list[Place]:
    """Return what *host* may mean to a pod in the namespace *own*, the likeliest first."""
    labels = host.lower().rstrip(".").split(".")
    if not all(map(is_label, labels)) or labels[-1].isdigit():
        return []  # an address, or nothing that an object can be called
    if len(labels) == 1:
        return [Place(labels[0], own, is_sure=True)]
    if "svc" in labels[2:4]:
        end = labels.index("svc", 2)
        return [Place(labels[end - 2], labels[end - 1], is_sure=True)]
    if len(labels) == 2:  # noqa: PLR2004 -- SERVICE.NAMESPACE, or POD.SERVICE
        first, last = labels
        return [Place(first, last, is_sure=False), Place(last, own, is_sure=False)]
    return []


def _service(thing: Object) -> Service:
    meta, spec = thing["metadata"], thing.get("spec") or {}
    addresses = {spec.get("clusterIP"), *(spec.get("clusterIPs") or ())} - {None, "", "None"}
    return Service(
        namespace=str(meta.get("namespace") or ""),
        name=one_line(str(meta.get("name")), LONGEST),
        selector=frozenset((spec.get("selector") or {}).items()),
        addresses=frozenset(map(str, addresses)),
    )
