"""The state file and its volume: what lint wants, and what it leaves alone."""

from __future__ import annotations

import pytest
import yaml

from gate.lint import lint
from tests.lint.building import (
    Fields,
    env,
    gate,
    pod,
    rules_of,
)

DEPENDENCY = env("GATE_DEPENDENCIES", "db tcp://db:5432")


STATE = env("GATE_STATE_FILE", "/run/gate/opened")


MOUNT: Fields = {"name": "run", "mountPath": "/run/gate/"}


def workload(kind: str, text: str, **spec: object) -> str:
    """Return the pod of *text* as the template of a workload."""
    inner = yaml.safe_load(text)
    whole = {"kind": kind, "metadata": {"name": "shop"}, "spec": {**spec, "template": inner}}
    return yaml.safe_dump(whole)


@pytest.mark.parametrize(
    ("mount", "volume", "rules"),
    [
        (MOUNT, {"emptyDir": {}}, []),
        (MOUNT, {"persistentVolumeClaim": {"claimName": "x"}}, []),
        ({**MOUNT, "readOnly": True}, {"emptyDir": {}}, ["state-file-volume"]),
        ({**MOUNT, "mountPath": "/run/gat"}, {"emptyDir": {}}, ["state-file-volume"]),
        (MOUNT, {"configMap": {"name": "x"}}, ["state-file-volume"]),
        (MOUNT, {"name": "another", "emptyDir": {}}, ["state-file-volume"]),
    ],
)
def test_the_mark_wants_a_volume_that_can_be_written(
    mount: Fields, volume: Fields, rules: list[str]
) -> None:
    text = pod(gate(DEPENDENCY, STATE, volumeMounts=[mount]), volumes=[{"name": "run", **volume}])

    assert rules_of(text) == rules


@pytest.mark.parametrize(
    ("args", "rules"),
    [
        (["serve", "--state-file", "/run/gate/opened"], []),
        (["serve", "--state-file=/run/gate/opened"], []),
        (["serve", "--state-file", "/elsewhere/opened"], ["state-file-volume"]),
    ],
)
def test_the_mark_may_be_set_by_a_flag(args: list[str], rules: list[str]) -> None:
    one = gate(DEPENDENCY, args=args, volumeMounts=[MOUNT])
    text = pod(one, volumes=[{"name": "run", "emptyDir": {}}])

    assert rules_of(workload("Deployment", text)) == rules


def test_the_line_is_that_of_the_flag() -> None:
    text = """kind: Pod
spec:
  initContainers:
    - name: gate
      image: gate
      restartPolicy: Always
      args: [serve, --state-file, /state/opened]
      env: [{name: GATE_DEPENDENCIES, value: "db tcp://db:5432"}]
      startupProbe: {httpGet: {path: "/startupz", port: 4283}, failureThreshold: 60}
  containers: [{name: app, image: app}]
"""
    assert [
        each.line for each in lint([("x", text)]).findings if each.rule == "state-file-volume"
    ] == [7]


def test_a_stateful_set_brings_volumes_along() -> None:
    text = pod(gate(DEPENDENCY, STATE, volumeMounts=[MOUNT]))
    claims = [{"metadata": {"name": "run"}, "spec": {}}]

    assert rules_of(workload("StatefulSet", text, volumeClaimTemplates=claims)) == []
    assert rules_of(workload("StatefulSet", text)) == ["state-file-volume"]


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
def test_a_pod_that_ends_needs_no_mark_whatever_makes_it(policy: str) -> None:
    inner = yaml.safe_load(pod(gate(DEPENDENCY), restartPolicy=policy))
    whole = {"kind": "ScaledJob", "spec": {"jobTargetRef": {"template": inner}}}

    assert rules_of(yaml.safe_dump(whole)) == []
    assert rules_of(workload("Deployment", pod(gate(DEPENDENCY)))) == ["no-state-file"]
