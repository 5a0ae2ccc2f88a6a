"""How a gate is probed: what counts as holding."""

from __future__ import annotations

import json

import pytest

from gate.lint.run import LintOptions
from tests.lint.building import (
    APP,
    FIRST,
    PROBE,
    Fields,
    env,
    gate,
    pod,
    report,
    rules_of,
    sidecar,
)

DEPENDENCY = env("GATE_DEPENDENCIES", "db tcp://db:5432")


@pytest.mark.parametrize(
    ("path", "port", "rules"),
    [
        ("/startupz?hold=25s", "4283", []),
        ("/startupz?hold=soon", 4283, ["gate-probe-path", "short-probe-budget"]),
        ("/readyz?hold=25s", 4283, ["gate-probe-path"]),
        ("/start?hold=25s", 4283, ["gate-probe-path"]),
        ("/startupz?hold=25s", "web", ["probe-port-name"]),
    ],
)
def test_a_gate_is_asked_at_its_own_path_and_port(
    path: str, port: str | int, rules: list[str]
) -> None:
    probe = {**PROBE, "httpGet": {"path": path, "port": port}}

    assert rules_of(pod(gate(DEPENDENCY, startupProbe=probe))) == rules


@pytest.mark.parametrize("arguments", [["wait", "--help"], ["probe"], ["--version"]])
def test_a_gate_that_does_something_else_is_let_be(arguments: list[str]) -> None:
    one = {"name": "gate", "image": "gate", "args": arguments, "env": [DEPENDENCY]}

    assert rules_of(pod(one)) == []


def test_a_gate_that_another_container_asks_needs_no_probe() -> None:
    hook = {"postStart": {"exec": {"command": ["gate", "hold", "--listen", "localhost:4283"]}}}

    text = pod(FIRST, gate(DEPENDENCY, startupProbe=None), sidecar(lifecycle=hook))

    assert rules_of(text) == []
    assert rules_of(text.replace("4283", "4284")) == ["gate-holds-nothing"]


@pytest.mark.parametrize(
    ("args", "rules"),
    [(["hold"], []), (["wait", "tcp://db:5432"], ["gate-holds-nothing"])],
)
def test_a_gate_with_one_that_holds_behind_it_needs_no_probe(
    args: list[str], rules: list[str]
) -> None:
    behind = {"name": "gate-hold", "image": "gate", "args": args}

    assert rules_of(pod(gate(DEPENDENCY, startupProbe=None), behind)) == rules
    assert "gate-holds-nothing" in rules_of(pod(behind, gate(DEPENDENCY, startupProbe=None)))


@pytest.mark.parametrize(
    ("version", "rules"),
    [(None, ["gate-not-durable"]), ((1, 36), ["gate-not-durable"]), ((1, 34), [])],
)
def test_which_kubelets_forget_a_probe_is_told_by_version(
    version: tuple[int, int] | None, rules: list[str]
) -> None:
    found = report(pod(gate(DEPENDENCY)), wish=LintOptions(version=version)).findings

    assert [each.rule for each in found] == rules


LOOP = {"exec": {"command": ["timeout", "60", "sh", "-c", "until nc -z db 1; do sleep 1; done"]}}


@pytest.mark.parametrize(
    ("labels", "spec", "rules"),
    [
        ({}, {}, ["poststart-without-pod-ip"]),
        ({"istio.io/dataplane-mode": "none"}, {}, ["poststart-without-pod-ip"]),
        ({"istio.io/dataplane-mode": "ambient"}, {}, ["poststart-under-ambient"]),
        ({}, {"hostNetwork": True}, []),
    ],
)
def test_a_hook_that_waits_wants_an_address(
    labels: dict[str, str], spec: Fields, rules: list[str]
) -> None:
    text = pod(main=({**APP, "lifecycle": {"postStart": LOOP}},), **spec)
    labelled = json.dumps({"name": "shop", "labels": labels})

    assert rules_of(text.replace('{"name": "shop"}', labelled)) == rules


@pytest.mark.parametrize(
    ("host", "rules"), [("db", ["poststart-without-pod-ip"]), ("127.0.0.1", [])]
)
def test_a_hook_that_asks_only_its_own_pod_needs_no_address(host: str, rules: list[str]) -> None:
    script = f"until nc -z localhost 1 && nc -z {host} 2; do :; done"
    hook = {"exec": {"command": ["timeout", "60", "sh", "-c", script]}}

    assert rules_of(pod(main=({**APP, "lifecycle": {"postStart": hook}},))) == rules
