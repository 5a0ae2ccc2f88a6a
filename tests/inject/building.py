"""Small manifests for gate inject, and what became of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from gate.inject.plan import InjectOptions
from gate.inject.sources import SOURCES

if TYPE_CHECKING:
    from gate.inject.run import Outcome

IMAGE = "registry.example.com/gate:0.1.0"
OPTIONS = InjectOptions(image=IMAGE, sources=SOURCES)


def pod_with(container: dict[str, Any], **spec: Any) -> str:
    """Return a Pod as text, with *container* as the init container `wait`."""
    init = [{"name": "wait", **container}]
    whole = {"initContainers": init, "containers": [{"name": "app", "image": "app"}], **spec}
    return json.dumps({"kind": "Pod", "metadata": {"name": "shop"}, "spec": whole})


def app_with(*env: dict[str, Any], kind: str = "Pod", **fields: Any) -> str:
    """Return a Pod or a Deployment as text, whose app has the variables *env*."""
    app = {"name": "app", "image": "app", "env": list(env), **fields}
    spec: dict[str, Any] = {"containers": [app]}
    if kind != "Pod":
        spec = {"template": {"metadata": {"labels": {"app": "shop"}}, "spec": spec}}
    return json.dumps({"kind": kind, "metadata": {"name": "shop"}, "spec": spec})


def variable(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value}


def written(outcome: Outcome, number: int = 0) -> dict[str, Any]:
    """Return the only document of a file after the change."""
    found: dict[str, Any] = yaml.safe_load(outcome.files[number][2])
    return found


def told(outcome: Outcome) -> str:
    return "\n".join(outcome.told)
