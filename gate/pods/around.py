"""What stands around a pod in the same input, found by name and label instead of one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.pods.pod import Pod

Amount = str | int | float | None
_DEFAULT = "default"
_NO_LABEL = ("", "")
_MODE = "istio.io/dataplane-mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service of the input."""

    name: str
    namespace: str
    selector: dict[str, str]
    is_headless: bool
    is_elsewhere: bool
    """Whether it is another name for something outside (`ExternalName`)."""
    publishes_not_ready: bool
    ports: tuple[tuple[int, str | int], ...]
    """Number, and number or name at the pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A PodDisruptionBudget of the input."""

    name: str
    namespace: str
    selector: dict[str, str]
    """Its `matchLabels`; none: all pods of the namespace."""
    least: Amount
    """`minAvailable`."""
    most: Amount
    """`maxUnavailable`."""

    def allows(self, replicas: int) -> int:
        """Return how many of *replicas* pods may be evicted; of a percentage, rounded up."""
        if self.most is not None:
            return _count(self.most, replicas)
        return max(0, replicas - _count(self.least, replicas))


def _count(amount: Amount, replicas: int) -> int:
    """Return *amount*, a number or a percentage of *replicas*; what is neither counts as all."""
    text = str(amount).strip()
    number = text.removesuffix("%")
    if not (number.isascii() and number.isdigit()):
        return replicas
    return math.ceil(int(number) * replicas / 100) if text.endswith("%") else int(number)


@dataclass(frozen=True, slots=True)
class Group:
    """The pods behind a Service: Services of one selector share them."""

    pods: list[Pod]
    known: dict[str, Any] = field(default_factory=dict)
    """What has been found out of them once."""


@dataclass(slots=True)
class Around:
    """What all pods of a run share; it is filled while the input is read."""

    version: tuple[int, int] | None = None
    """Of the cluster, where it was told."""
    services: dict[tuple[str, str], Service] = field(default_factory=dict)
    """By namespace and name."""
    like_gate: list[Service] = field(default_factory=list)
    """Those whose variables begin as gate's do."""
    namespaces: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """The labels of each."""
    pods: list[Pod] = field(default_factory=list)
    stuck: dict[int, Any] | None = None
    """What waits in a circle, once it has been looked for."""
    _groups: dict[tuple[str, frozenset[tuple[str, str]]], Group] = field(default_factory=dict)
    _budgets: dict[tuple[str, str, str], list[Budget]] = field(default_factory=dict)
    """By one of the labels that they select."""
    _scaled: set[tuple[str, str, str]] = field(default_factory=set)
    _replicas: dict[tuple[str, str, str], list[int | None]] = field(default_factory=dict)
    _kinds: set[str] = field(default_factory=set)
    _workloads: dict[tuple[str, str, str], Pod] = field(default_factory=dict)
    _labelled: dict[tuple[str, str, str], list[Pod]] = field(default_factory=dict)

    def add_service(self, service: Service) -> None:
        """Take *service* in; of one that is written for two stages, what either allows."""
        key = (service.namespace or _DEFAULT, service.name)
        if other := self.services.get(key):
            is_headless = service.is_headless or other.is_headless
            ports = tuple(dict.fromkeys((*other.ports, *service.ports)))
            service = replace(service, is_headless=is_headless, ports=ports)
        self.services[key] = service
        if f"{service.name}-".startswith("gate-"):
            self.like_gate.append(service)

    def add_pod(self, pod: Pod) -> None:
        """Take *pod* in."""
        self.pods.append(pod)
        self._kinds.add(pod.kind.lower())
        key = (pod.namespace or _DEFAULT, pod.kind.lower(), pod.name)
        self._workloads[key] = pod
        self._replicas.setdefault(key, []).append(pod.scale.replicas)
        for label in pod.labels.items():
            self._labelled.setdefault((pod.namespace or _DEFAULT, *label), []).append(pod)

    def add_scaler(self, namespace: str, kind: str, name: str) -> None:
        """Note that something else decides how many pods this workload has."""
        self._scaled.add((namespace or _DEFAULT, kind, name))

    def replicas_of(self, pod: Pod) -> int | None:
        """Return how many of *pod* there are, None where that is not written or may change.

        Of a workload that is written twice, as for two stages, the greater number.
        """
        key = (pod.namespace or _DEFAULT, pod.kind.lower(), pod.name)
        counts = self._replicas.get(key, [])
        written = [each for each in counts if each is not None]
        is_known = key not in self._scaled and len(written) == len(counts)
        return max(written, default=None) if is_known else None

    def add_budget(self, budget: Budget) -> None:
        """Take *budget* in."""
        label = next(iter(budget.selector.items()), _NO_LABEL)
        self._budgets.setdefault((budget.namespace or _DEFAULT, *label), []).append(budget)

    def budgets_of(self, pod: Pod) -> list[Budget]:
        """Return the disruption budgets that count *pod*."""
        namespace, labels = pod.namespace or _DEFAULT, pod.labels.items()
        lists = (self._budgets.get((namespace, *label), ()) for label in (*labels, _NO_LABEL))
        return [each for some in lists for each in some if each.selector.items() <= labels]

    def service(self, name: str, namespace: str) -> Service | None:
        """Return the Service *name* of *namespace*, empty for the default one."""
        return self.services.get((namespace or _DEFAULT, name))

    def has_kind(self, kind: str) -> bool:
        """Whether there is a workload of this *kind*, in small letters."""
        return kind in self._kinds

    def workload(self, kind: str, name: str, namespace: str) -> Pod | None:
        """Return the pod of the workload of this *kind*, in small letters, and *name*."""
        return self._workloads.get((namespace or _DEFAULT, kind, name))

    def group_of(self, service: Service) -> Group:
        """Return the pods that *service* selects, none where it selects nothing.

        It is asked once all of the input is read.
        """
        namespace = service.namespace or _DEFAULT
        wanted = service.selector.items()
        key = (namespace, frozenset(wanted))
        if key not in self._groups:
            lists = [self._labelled.get((namespace, *pair), []) for pair in wanted]
            some = min(lists, key=len, default=[])
            self._groups[key] = Group([pod for pod in some if wanted <= pod.labels.items()])
        return self._groups[key]

    def selected_by(self, service: Service) -> list[Pod]:
        """Return the pods that *service* selects."""
        return self.group_of(service).pods

    def selects(self, service: Service, pod: Pod) -> bool:
        """Whether *pod* stands behind *service*."""
        is_beside = (service.namespace or _DEFAULT) == (pod.namespace or _DEFAULT)
        wanted = service.selector.items()
        return is_beside and bool(wanted) and wanted <= pod.labels.items()

    def is_ambient(self, pod: Pod) -> bool:
        """Whether Istio's ambient mode takes *pod* in, by its own label or its namespace's."""
        beside = self.namespaces.get(pod.namespace or _DEFAULT, {})
        return pod.labels.get(_MODE, beside.get(_MODE)) == "ambient"
