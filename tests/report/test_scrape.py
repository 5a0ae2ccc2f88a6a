"""examples/monitoring/scrape.yaml: the operator finds every gate of the examples by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.examples.test_examples import gates, manifests
from tests.process import GateProcess
from tests.stand_ins import EXAMPLES

FILES = [*manifests(), EXAMPLES / "kustomize" / "gate" / "gate.yaml"]


def wanted() -> dict[str, Any]:
    """Return what the PodMonitor scrapes of a pod."""
    monitor = yaml.safe_load((EXAMPLES / "monitoring" / "scrape.yaml").read_text())
    assert (monitor["apiVersion"], monitor["kind"]) == ("monitoring.coreos.com/v1", "PodMonitor")
    assert monitor["spec"]["selector"] == {}  # any label would be one that some pod lacks
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    return dict(endpoint)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_gate_that_serves_has_the_port_that_is_scraped(path: Path) -> None:
    for gate in gates(path):
        serves = gate.get("args") is None

        assert gate.get("ports", []) == (
            [{"name": wanted()["port"], "containerPort": 4283}] if serves else []
        )


def test_what_is_scraped_is_what_gate_serves() -> None:
    with GateProcess("serve", env={"GATE_DISABLED": "a test"}) as gate:
        gate.event("gate.opened")
        answer = gate.ask(wanted()["path"])

    assert "\ngate_open 1" in answer.body
