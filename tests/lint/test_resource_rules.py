"""Limits under which a sidecar cannot start in time."""

from __future__ import annotations

import pytest

from tests.lint.building import env, gate, pod, rules_of, sidecar

DEPENDENCY = env("GATE_DEPENDENCIES", "db tcp://db:5432")


@pytest.mark.parametrize(
    ("limit", "rules"), [("19m", ["cpu-limit"]), ("20m", []), ("100m", []), ("0.01", ["cpu-limit"])]
)
def test_a_probed_sidecar_needs_a_little_cpu(limit: str, rules: list[str]) -> None:
    limited = sidecar(resources={"limits": {"cpu": limit}})
    unprobed = sidecar(resources={"limits": {"cpu": limit}}, startupProbe=None)

    assert rules_of(pod(limited)) == rules
    assert "cpu-limit" not in rules_of(pod(unprobed))


@pytest.mark.parametrize(("limit", "rules"), [("99m", ["cpu-limit"]), ("100m", [])])
def test_a_gate_needs_more(limit: str, rules: list[str]) -> None:
    assert rules_of(pod(gate(DEPENDENCY, resources={"limits": {"cpu": limit}}))) == rules
