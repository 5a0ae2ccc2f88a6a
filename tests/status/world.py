"""Pods as an API server shows them while the kubelet starts them, and a kubeconfig to ask it by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from gate.config import flags
from gate.status import command
from tests.canary import CANARY, look
from tests.checks.servers.kubernetes import Kubernetes

Object = dict[str, Any]
Prepare = Callable[[Kubernetes], None]
TOKEN = CANARY
IMAGE = "registry.example.com/gate:0.1.0"
RUNNING: Object = {"running": {"startedAt": "2026-01-02T03:00:00Z"}}
SIDECAR: Object = {"name": "gate", "image": IMAGE, "restartPolicy": "Always"}
PLAIN: Object = {"name": "gate", "image": IMAGE, "args": ["wait"]}
APP: Object = {"name": "app", "image": "app:1"}


def env(dependencies: str) -> list[Object]:
    return [{"name": "GATE_DEPENDENCIES", "value": dependencies}]


def sidecar(dependencies: str, **more: Any) -> Object:
    return {**SIDECAR, "env": env(dependencies), **more}


def gate_status(state: Object = RUNNING, *, started: bool = False, **more: Any) -> Object:
    return {"name": "gate", "state": state, "started": started, **more}


def pod(
    gate: Object,
    of_gate: Object | None = None,
    *,
    workload: str = "shop",
    address: str = "10.1.2.3",
    **more: Any,
) -> Object:
    """Return a pod of a Deployment whose only init container is *gate*."""
    return {
        "metadata": {
            "labels": {"app": workload, "pod-template-hash": "5d9c"},
            "ownerReferences": [
                {"kind": "ReplicaSet", "name": f"{workload}-5d9c", "controller": True}
            ],
        },
        "spec": {"initContainers": [gate], "containers": [APP]},
        "status": {
            "phase": "Pending",
            "startTime": "2026-01-02T02:59:00Z",
            "podIP": address,
            "initContainerStatuses": [gate_status() if of_gate is None else of_gate],
            "containerStatuses": [
                {"name": "app", "state": {"waiting": {"reason": "PodInitializing"}}}
            ],
        },
        **more,
    }


def write_kubeconfig(path: Path, cluster: Object, user: Object, **context: str) -> Path:
    """Write the kubeconfig with one context for *cluster* and *user*."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "admin@prod",
        "contexts": [
            {
                "name": "admin@prod",
                "context": {"cluster": "prod", "user": "admin", "namespace": "prod", **context},
            }
        ],
        "clusters": [{"name": "prod", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


async def told(*arguments: str) -> tuple[str, int]:
    """Return what `gate status` with *arguments* prints, and its exit code."""
    written: list[str] = []

    def put(text: str) -> int:
        written.append(text)
        return 0

    code = await command.run(flags.parse(["status", *arguments]), put)
    look("gate status", "".join(written))
    return "".join(written), code
