"""What a k8s dependency asks for: which objects, how many of them, and how each is judged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate.checks.k8s import readiness as judges
from gate.checks.k8s.api import Resource
from gate.checks.k8s.service_account import name_of
from gate.core.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.checks.k8s.readiness import Finding, Judge, Object
    from gate.core.target import Target

FORMS = "k8s:job/NAME, k8s:pod?selector=app=x or k8s:PLURAL.GROUP/VERSION/NAME"
KINDS = {
    "job": Resource(group="batch", plural="jobs"),
    "deployment": Resource(group="apps", plural="deployments"),
    "statefulset": Resource(group="apps", plural="statefulsets"),
    "daemonset": Resource(group="apps", plural="daemonsets"),
    "pod": Resource(plural="pods"),
    "service": Resource(plural="services"),
    "secret": Resource(plural="secrets"),
    "configmap": Resource(plural="configmaps"),
    "persistentvolumeclaim": Resource(plural="persistentvolumeclaims"),
    "namespace": Resource(plural="namespaces", is_cluster_wide=True),
}
_SHORT = {
    "deploy": "deployment",
    "sts": "statefulset",
    "ds": "daemonset",
    "po": "pod",
    "svc": "service",
    "cm": "configmap",
    "pvc": "persistentvolumeclaim",
    "ns": "namespace",
}
_SLICES = Resource(group="discovery.k8s.io", plural="endpointslices")
_JUDGES: dict[str, Judge] = {
    "job": judges.job,
    "deployment": judges.deployment,
    "statefulset": judges.stateful_set,
    "daemonset": judges.daemon_set,
    "pod": judges.pod,
    "secret": judges.exists,
    "configmap": judges.exists,
    "persistentvolumeclaim": judges.bound_claim,
    "namespace": judges.active_namespace,
}
_EXISTING = frozenset({"secret", "configmap"})
_WORKLOADS = frozenset({"deployment", "statefulset", "daemonset"})
_VERSION = re.compile(r"v[0-9]+((alpha|beta)[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The objects a dependency is about; `name` is empty where they are selected by labels."""

    kind: str
    """The word for one of them."""
    resource: Resource
    name: str = ""
    selector: str = ""
    minimum: int = 1
    """How many must be ready."""
    find: Callable[[Object], Finding]
    is_content_read: bool = True
    """Whether more than the metadata is asked for: a Secret's content never leaves the server."""

    @property
    def selection(self) -> dict[str, str]:
        """The query that selects them; a role can allow the one object it names."""
        if self.is_endpoints:
            return {"labelSelector": f"kubernetes.io/service-name={self.name}"}
        if self.name:
            return {"fieldSelector": f"metadata.name={self.name}"}
        return {"labelSelector": self.selector}

    @property
    def is_endpoints(self) -> bool:
        """Whether the ready endpoints of a Service are counted."""
        return self.resource is _SLICES

    def missing(self, namespace: str) -> str:
        """Return the words for that there is none of them."""
        place = self.resource.where(namespace)
        if self.is_endpoints:
            return f"no service {self.name} {place}, or none with endpoints"
        if self.name:
            return f"no {self.kind} {self.name} {place}"
        return f"no {self.resource.plural} {place} match the selector"

    def too_few(self, ready: int, reason: str) -> str:
        """Return the words for that only *ready* of them are; *reason* is that of one."""
        if self.name and not self.is_endpoints:
            return reason
        things = "endpoints" if self.is_endpoints else self.resource.plural
        count = f"{ready} of {self.minimum} {things} ready"
        return f"{count}: {reason}" if reason else count


def parse(target: Target) -> Wanted:
    """Return what *target* asks for."""
    kind, resource, name = _what(target)
    selector = _selector(target)
    condition = target.text("condition")
    exists = target.flag("exists")
    if exists and condition:
        target.problem("exists: does not go with condition; write one of the two")
    minimum = target.number("min", 0, least=1)
    if bool(name) == bool(selector):
        target.problem(f"the URL wants a name or a selector, one of the two; write {FORMS}")
    is_service = kind == "service" and not condition and not exists
    if is_service and selector:
        target.problem("selector: does not go with a service; write k8s:service/NAME")
    if not condition and not exists and kind not in KINDS:
        target.problem(f"condition: what makes {kind} ready? write condition=Type, or exists")
    is_counted = is_service or selector or (kind in _WORKLOADS and not condition and not exists)
    if minimum and not is_counted:
        target.problem("min: goes with a selector, a service or a workload")
    is_replicas = bool(minimum and name and kind in _WORKLOADS and not exists)
    return Wanted(
        kind=kind,
        resource=_SLICES if is_service else resource,
        name=name,
        selector=selector,
        minimum=1 if is_replicas else minimum or 1,
        find=partial(judges.finding, judges.exists)
        if exists
        else _finder(kind, condition, minimum if is_replicas else 0),
        is_content_read=bool(condition) or not (exists or kind in _EXISTING),
    )


def _finder(kind: str, condition: str, replicas: int) -> Callable[[Object], Finding]:
    if condition:
        name, _, status = condition.partition("=")
        return partial(judges.finding, judges.condition(name, status or "True"))
    if kind == "service":
        return judges.endpoints
    judge = judges.at_least(replicas) if replicas else _JUDGES.get(kind, judges.pod)
    return partial(judges.finding, judge)


def _what(target: Target) -> tuple[str, Resource, str]:
    """Return the word for the kind, its resource, and the name of the object if there is one."""
    word, *rest = (unquote(part) for part in target.url.path.split("/"))
    is_cluster_wide = target.flag("cluster")
    kind = _kind(word)
    if kind in KINDS and len(rest) <= 1:
        if is_cluster_wide and not KINDS[kind].is_cluster_wide:
            target.problem(f"cluster: a {kind} is always in a namespace")
        return kind, KINDS[kind], _name(target, rest)
    if 1 <= len(rest) <= 2 and _VERSION.fullmatch(rest[0]):  # noqa: PLR2004 -- version, name
        plural, _, group = word.partition(".")
        resource = Resource(
            group=group, version=rest[0], plural=plural, is_cluster_wide=is_cluster_wide
        )
        return word, resource, _name(target, rest[1:])
    near = closest(kind, KINDS)
    hint = f"; did you mean {near}?" if near and kind not in KINDS else ""
    target.problem(f"the URL names no kind of object; write {FORMS}{hint}")
    return "pod", KINDS["pod"], "none"


def _kind(word: str) -> str:
    word = word.lower()
    singular = _SHORT.get(word, word)
    return singular if singular in KINDS else singular.removesuffix("s")


def _name(target: Target, rest: list[str]) -> str:
    try:
        return name_of(rest[0]) if rest else ""
    except ValueError as exc:
        target.problem(f"the URL: {exc}")
        return "none"


def _selector(target: Target) -> str:
    """Return the label selector, given as in `?selector=app=db` or as an option."""
    target.show("selector")
    in_url = dict(target.url.query)
    given = in_url.pop("selector", "")
    if in_url:
        target.problem("the URL takes ?selector=… only; what else there is goes into options")
    option = target.text("selector")
    if given and option:
        target.problem("selector: is in the URL and in the options; write it once")
    return given or option
