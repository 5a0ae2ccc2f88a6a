"""Time limits against each other: of probe, hook, gate, deadlines, roll-out and Job."""

from __future__ import annotations

import pytest
import yaml

from gate.lint.rules import budgets
from gate.probe import client
from gate.wait import command
from tests.lint.building import FIRST, PROBE, Fields, env, gate, messages, pod, rules_of, secret

LATE = env("GATE_DEPENDENCIES", "db tcp://db:5432\ncache tcp://cache:1 optional deadline=10m")
REQUIRED = env("GATE_DEPENDENCIES", "db tcp://db:5432 deadline=30m")
PLAIN = env("GATE_DEPENDENCIES", "db tcp://db:5432")
OPEN = env("GATE_ON_TIMEOUT", "open")
HOOK = "hook-budget-below-timeout"
PROBED = "probe-budget-below-timeout"


def hooked(*variables: Fields, hold: str = "gate hold", **fields: object) -> str:
    hook = {"postStart": {"exec": {"command": hold.split()}}}
    return pod(FIRST, gate(*variables, lifecycle=hook, **fields))


def probed(*variables: Fields, failures: int = 60) -> str:
    return pod(gate(*variables, startupProbe={**PROBE, "failureThreshold": failures}))


def workload(kind: str, text: str, **spec: object) -> str:
    return yaml.safe_dump({"kind": kind, "spec": {**spec, "template": yaml.safe_load(text)}})


@pytest.mark.parametrize(
    ("variables", "hold", "rules"),
    [
        ([LATE], "gate hold", [HOOK]),
        ([LATE], "gate hold --timeout 5m", [HOOK]),
        ([LATE], "gate hold --timeout=10m", [HOOK]),
        ([LATE], "gate hold --timeout 11m", []),
        ([LATE], "gate hold --timeout $LIMIT", []),
        ([LATE, env("GATE_TIMEOUT", "2m"), OPEN], "gate hold", []),
        ([LATE, env("GATE_TIMEOUT", "2m"), OPEN], "gate hold --timeout 2m", [HOOK]),
        ([LATE, env("GATE_TIMEOUT", "2m")], "gate hold", [HOOK]),
        ([LATE, env("GATE_TIMEOUT", "20m")], "gate hold", []),
        ([LATE, env("GATE_TIMEOUT", "9m31s")], "gate hold", []),
        ([LATE, env("GATE_TIMEOUT", "9m30s")], "gate hold", [HOOK]),
        ([LATE, secret("GATE_TIMEOUT")], "gate hold --timeout 5m", []),
        ([PLAIN], "gate hold --timeout 1m", []),
        ([REQUIRED], "gate hold", [HOOK, PROBED]),
    ],
)
def test_a_hook_has_to_outlast_every_deadline(
    variables: list[Fields], hold: str, rules: list[str]
) -> None:
    assert rules_of(hooked(*variables, hold=hold)) == rules


def test_the_limits_are_those_of_gate_itself() -> None:
    assert command.TIMEOUT == client._TIMEOUT == budgets._UNBOUNDED
    assert client._MARGIN == budgets._HOOK_MARGIN


def test_a_hook_does_not_see_the_flags_of_gate() -> None:
    flags = ["serve", "--timeout", "10m", "--on-timeout", "open"]

    assert rules_of(hooked(PLAIN, args=flags)) == [HOOK]
    assert rules_of(hooked(PLAIN, args=flags, hold="gate hold --timeout 11m")) == []


@pytest.mark.parametrize(
    ("variables", "failures", "rules"),
    [
        ([LATE], 25, []),
        ([LATE], 24, [PROBED]),
        ([REQUIRED], 72, [PROBED]),
        ([REQUIRED], 73, []),
        ([REQUIRED, env("GATE_TIMEOUT", "5m"), OPEN], 13, []),
        ([REQUIRED, secret("GATE_TIMEOUT")], 60, []),
    ],
)
def test_a_probe_has_to_outlast_every_deadline(
    variables: list[Fields], failures: int, rules: list[str]
) -> None:
    assert rules_of(probed(*variables, failures=failures)) == rules


def test_it_is_told_what_is_never_reached() -> None:
    never = "a deadline of 10m is over: gate starts again and counts anew, for ever"

    assert messages(probed(LATE, failures=20)) == [
        f"the kubelet kills gate after 8m20s, before {never}"
    ]
    assert messages(hooked(LATE)) == [f"this hook fails after 5m, before {never}"]


def waits(*arguments: str, variables: tuple[Fields, ...] = (PLAIN,), **fields: object) -> str:
    one = {"name": "gate", "image": "gate", "args": ["wait", *arguments], "env": list(variables)}
    return pod({**one, **fields}, restartPolicy="Never")


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (waits("--timeout", "10m"), ["active-deadline"]),
        (waits("--timeout", "9m"), []),
        (waits(), []),
        (waits(variables=(PLAIN, env("GATE_TIMEOUT", "1h"))), ["active-deadline"]),
        (waits(variables=(PLAIN, secret("GATE_TIMEOUT"))), []),
        (waits("--timeout", "1h", variables=(env("GATE_DEPENDENCY_A", "tcp://a:1 optional"),)), []),
    ],
)
def test_a_job_has_to_outlast_gate_wait(text: str, rules: list[str]) -> None:
    assert rules_of(workload("Job", text, activeDeadlineSeconds=600)) == rules


def test_gate_wait_lasts_five_minutes_where_nothing_is_said() -> None:
    assert rules_of(workload("Job", waits(), activeDeadlineSeconds=300)) == ["active-deadline"]
    assert rules_of(workload("Job", waits(), activeDeadlineSeconds=301)) == []


@pytest.mark.parametrize("kind", ["Deployment", "Rollout"])
def test_a_roll_out_of_either_kind_has_to_outlast_its_gate(kind: str) -> None:
    text = workload(kind, pod(gate(PLAIN)), progressDeadlineSeconds=120)

    assert rules_of(text) == ["no-state-file", "progress-deadline"]
