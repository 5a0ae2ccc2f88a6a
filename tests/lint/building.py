"""Small manifests for tests of one behaviour."""

from __future__ import annotations

import json
from typing import Any

from gate.lint import Report, lint
from gate.lint.run import LintOptions

WITHOUT_ADVICE = LintOptions(ignore=frozenset({"gate-not-durable"}))
"""Nearly every gate here has nothing behind it that holds, and is about something else."""
Fields = dict[str, Any]
PROBE: Fields = {
    "httpGet": {"path": "/startupz?hold=25s", "port": 4283},
    "periodSeconds": 1,
    "timeoutSeconds": 30,
    "failureThreshold": 60,
}
APP: Fields = {"name": "app", "image": "app"}


def pod(*init: Fields, main: tuple[Fields, ...] = (APP,), **spec: Any) -> str:
    """Return a Pod as text."""
    whole = {"initContainers": list(init), "containers": list(main), **spec}
    return json.dumps({"kind": "Pod", "metadata": {"name": "shop"}, "spec": whole})


def gate(*env: Fields, **fields: Any) -> Fields:
    """Return a gate as a native sidecar."""
    base = {"name": "gate", "image": "gate", "restartPolicy": "Always", "startupProbe": PROBE}
    return {**base, "env": list(env), **fields}


def init(*command: str, **fields: Any) -> Fields:
    """Return an init container."""
    return {"name": "init", "image": "tools", "command": list(command), **fields}


FIRST: Fields = {"name": "first", "image": "tools", "command": ["true"]}
"""A plain init container: with one in front, the pod has its address early."""


def sidecar(name: str = "agent", **fields: Any) -> Fields:
    """Return a native sidecar with a startup probe."""
    probe = {"tcpSocket": {"port": 1}, "periodSeconds": 1, "failureThreshold": 99}
    base = {"name": name, "image": name, "restartPolicy": "Always", "startupProbe": probe}
    return {**base, **fields}


def env(name: str, value: str) -> Fields:
    return {"name": name, "value": value}


def secret(name: str) -> Fields:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}


def report(*texts: str, wish: LintOptions = WITHOUT_ADVICE) -> Report:
    return lint([(f"{number}.yaml", text) for number, text in enumerate(texts)], wish)


def rules_of(*texts: str) -> list[str]:
    """Return the rules that say something, each once."""
    return sorted({finding.rule for finding in report(*texts).findings})


def messages(*texts: str) -> list[str]:
    return [finding.message for finding in report(*texts).findings]
