"""What the Kubernetes API says and is asked: the words of the server in `kubernetes.py`."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
KINDS = {
    "v1": {
        "pods": "Pod",
        "events": "Event",
        "services": "Service",
        "nodes": "Node",
        "secrets": "Secret",
        "configmaps": "ConfigMap",
        "persistentvolumeclaims": "PersistentVolumeClaim",
        "namespaces": "Namespace",
    },
    "batch/v1": {"jobs": "Job"},
    "apps/v1": {
        "deployments": "Deployment",
        "statefulsets": "StatefulSet",
        "daemonsets": "DaemonSet",
    },
    "discovery.k8s.io/v1": {"endpointslices": "EndpointSlice"},
    "cert-manager.io/v1": {"certificates": "Certificate"},
}
"""API version to the resources it has, and the kind of their objects."""
_PATH = re.compile(
    r"/(?:api/(v1)|apis/([^/]+/[^/]+))(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/]+))?"
)
PROXY = re.compile(r"/api/v1/namespaces/([^/]+)/pods/([^/:]+):([0-9]+)/proxy(/.*)")
_CLUSTER_WIDE = frozenset({"nodes", "namespaces"})
USER = "system:serviceaccount:prod:app"


@dataclass(frozen=True)
class Asked:
    """One request for a list or a watch."""

    verb: str
    version: str
    resource: str
    namespace: str
    query: dict[str, str]
    name: str = ""
    """Of the one object that is fetched."""
    accept: str = ""

    @property
    def kind(self) -> str:
        return KINDS[self.version][self.resource]

    @property
    def group(self) -> str:
        return self.version.rpartition("/")[0]

    def selects(self, resource: str, thing: Object) -> bool:
        meta, labels = thing["metadata"], thing["metadata"].get("labels", {})
        if resource != self.resource or self.namespace not in {"", meta["namespace"]}:
            return False
        field, _, wanted = self.query.get("fieldSelector", "").partition("=")
        if field == "involvedObject.uid" and thing["involvedObject"]["uid"] != wanted:
            return False
        name = wanted if field == "metadata.name" else ""
        pairs = [pair.split("=") for pair in self.query.get("labelSelector", "").split(",") if pair]
        return name in {"", meta["name"]} and all(labels.get(key) == value for key, value in pairs)


@dataclass(frozen=True)
class Event:
    """One write, and the object before it."""

    version: int
    kind: str
    resource: str
    thing: Object
    before: Object | None


@dataclass(eq=False)
class Watcher:
    """One open watch."""

    asked: Asked
    writer: asyncio.StreamWriter
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, kind: str, thing: Object) -> None:
        # A list gives kind and version once, a watch with each object.
        thing = {"kind": self.asked.kind, "apiVersion": self.asked.version, **thing}
        chunk = json.dumps({"type": kind, "object": thing}).encode() + b"\n"
        self.writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    def offer(self, event: Event) -> None:
        """Send *event* as this watch sees it: by what it selects, before and after."""
        asked, before = self.asked, event.before
        matches = event.kind != "DELETED" and asked.selects(event.resource, event.thing)
        matched = before is not None and asked.selects(event.resource, before)
        if matches:
            self.send("MODIFIED" if matched else "ADDED", event.thing)
        elif matched:
            self.send("DELETED", event.thing)


def asked_by(path: str, query: dict[str, str], accept: str = "") -> Asked | None:
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    version, namespace, resource = found[1] or found[2], found[3] or "", found[4]
    # All of a resource that is in namespaces can be listed, one of them has its namespace.
    is_whole = bool(namespace) != (resource in _CLUSTER_WIDE) or not (namespace or found[5])
    if resource not in KINDS.get(version, ()) or not is_whole:
        return None
    verb = "watch" if query.get("watch") in {"1", "true"} else "get" if found[5] else "list"
    return Asked(verb, version, resource, namespace, query, found[5] or "", accept)


def status(code: int, reason: str, message: str) -> Object:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def not_found(asked: Asked) -> Object:
    missing = status(404, "NotFound", f'{asked.resource} "{asked.name}" not found')
    return {**missing, "details": {"name": asked.name, "kind": asked.resource}}


def forbidden(asked: Asked) -> Object:
    of = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    of += f' "{asked.name}"' if asked.name else ""
    scope = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    text = (
        f'{of} is forbidden: User "{USER}" cannot {asked.verb} resource "{asked.resource}" '
        f'in API group "{asked.group}" {scope}'
    )
    return status(403, "Forbidden", text)
