"""Features against the version of the cluster."""

from __future__ import annotations

import pytest

from gate.lint import lint
from gate.lint.run import LintOptions
from tests.lint.building import (
    APP,
    Fields,
    env,
    gate,
    pod,
)

DEPENDENCY = env("GATE_DEPENDENCIES", "db tcp://db:5432")


def test_an_image_volume_has_its_version() -> None:
    text = pod(volumes=[{"name": "models", "image": {"reference": "x"}}])

    findings = lint([("x", text)], LintOptions(version=(1, 34))).findings

    assert [finding.rule for finding in findings] == ["kubernetes-version"]


@pytest.mark.parametrize(
    ("version", "rules"),
    [((1, 28), ["kubernetes-version"]), ((1, 32), ["sidecar-lost-in-job"]), ((1, 33), [])],
)
def test_what_a_version_lacks_or_gets_wrong(version: tuple[int, int], rules: list[str]) -> None:
    text = pod(gate(DEPENDENCY), restartPolicy="Never")

    findings = lint([("x", text)], LintOptions(version=version)).findings

    assert [finding.rule for finding in findings] == rules


@pytest.mark.parametrize(
    ("container", "since"),
    [
        ({"readinessProbe": {"grpc": {"port": 1}}}, 24),
        ({"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}, 30),
        ({"restartPolicy": "Never"}, 35),
        ({"restartPolicyRules": []}, 35),
        ({"restartPolicyRules": [{"action": "Restart"}]}, 35),
        ({"restartPolicyRules": [{"action": "RestartAllContainers"}]}, 36),
        ({"env": [{"name": "A", "valueFrom": {"fileKeyRef": {}}}]}, 35),
        ({"startupProbe": {"tcpSocket": {"port": 1}}}, 18),
    ],
)
def test_each_feature_has_its_version(container: Fields, since: int) -> None:
    text = pod(main=({**APP, **container},))

    before, at = (
        lint([("x", text)], LintOptions(version=(1, minor))) for minor in (since - 1, since)
    )

    assert [finding.rule for finding in before.findings] == ["kubernetes-version"]
    assert at.findings == ()
