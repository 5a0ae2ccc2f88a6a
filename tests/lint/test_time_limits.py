"""Time limits that contradict each other: where exactly the bounds are."""

from __future__ import annotations

import pytest
import yaml

from tests.lint.building import (
    PROBE,
    Fields,
    env,
    gate,
    messages,
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


def probed(**fields: object) -> str:
    return pod(gate(DEPENDENCY, startupProbe={**PROBE, **fields}))


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"failureThreshold": 12}, []),
        ({"failureThreshold": 11}, ["short-probe-budget"]),
        ({"failureThreshold": 11, "initialDelaySeconds": 30}, []),
        (
            {"failureThreshold": 20, "timeoutSeconds": 10},
            ["hold-not-below-timeout", "short-probe-budget"],
        ),
        ({"failureThreshold": 60, "timeoutSeconds": 10}, ["hold-not-below-timeout"]),
        ({"failureThreshold": 10, "periodSeconds": 30}, []),
        ({"periodSeconds": 0}, []),
    ],
)
def test_a_budget_is_thresholds_times_what_each_probe_lasts(
    fields: dict[str, object], rules: list[str]
) -> None:
    assert rules_of(probed(**fields)) == rules


@pytest.mark.parametrize(
    ("variables", "spec", "rules"),
    [
        ([], {}, []),
        ([env("GATE_TIMEOUT", "5m")], {}, []),
        ([env("GATE_TIMEOUT", "15m")], {}, ["progress-deadline"]),
        ([], {"progressDeadlineSeconds": 900}, ["progress-deadline"]),
        ([], {"progressDeadlineSeconds": 1500}, []),
        (
            [env("GATE_TIMEOUT", "5m"), env("GATE_ON_TIMEOUT", "open")],
            {"progressDeadlineSeconds": 400},
            [],
        ),
    ],
)
def test_a_roll_out_has_to_outlast_its_gate(
    variables: list[Fields], spec: dict[str, object], rules: list[str]
) -> None:
    one = gate(DEPENDENCY, STATE, *variables, volumeMounts=[MOUNT])
    text = pod(one, volumes=[{"name": "run", "emptyDir": {}}])

    assert rules_of(workload("Deployment", text, **spec)) == rules


def test_the_message_names_budget_and_timeout() -> None:
    slow = gate(DEPENDENCY, env("GATE_TIMEOUT", "30m"), env("GATE_ON_TIMEOUT", "exit"))

    assert messages(pod(slow)) == [
        (
            "the kubelet kills gate after 25m, before GATE_TIMEOUT (30m) is over: "
            "GATE_ON_TIMEOUT never comes to bear"
        )
    ]
