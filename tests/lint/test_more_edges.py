"""Small things that a manifest may hold, each beside a rule."""

from __future__ import annotations

import pytest

from gate.lint import lint, quantity
from gate.lint.run import Wish
from tests.lint.building import APP, PROBE, Fields, env, gate, pod, rules_of, sidecar

DEPENDENCY = env("GATE_DEPENDENCIES", "db tcp://db:5432")


@pytest.mark.parametrize(
    ("text", "number"),
    [("100m", 0.1), ("0.5", 0.5), (1, 1.0), ("96Mi", 96 * 2**20), ("1G", 1e9), (None, None)],
)
def test_a_quantity_is_read(text: str | int | None, number: float | None) -> None:
    assert quantity.parse(text) == number


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1e3", "-1", "1Qi"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert quantity.parse(text) is None


@pytest.mark.parametrize(
    ("path", "port", "rules"),
    [
        ("/startupz?hold=25s", "4283", []),
        ("/startupz?hold=soon", 4283, ["short-probe-budget"]),
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


def test_an_image_volume_has_its_version() -> None:
    text = pod(volumes=[{"name": "models", "image": {"reference": "x"}}])

    findings = lint([("x", text)], Wish(version=(1, 34))).findings

    assert [finding.rule for finding in findings] == ["kubernetes-version"]


@pytest.mark.parametrize(
    ("name", "fields", "rules"),
    [
        ("linkerd-proxy", {}, ["sidecar-without-startup-probe"]),
        ("agent", {"ports": [{"containerPort": 80}]}, ["sidecar-without-startup-probe"]),
        ("agent", {"ports": [{"containerPort": 81}]}, []),
        ("agent", {}, ["sidecar-without-startup-probe"]),
    ],
)
def test_who_depends_on_a_sidecar_is_seen_by_its_port(
    name: str, fields: Fields, rules: list[str]
) -> None:
    app = {**APP, "env": [env("AGENT", "http://localhost:80")]}

    assert rules_of(pod(sidecar(name, startupProbe=None, **fields), main=(app,))) == rules


@pytest.mark.parametrize("later", [APP, {**APP, "ports": [{"containerPort": 80}]}])
def test_a_hook_of_a_main_container_may_wait_for_the_sidecars_only(later: Fields) -> None:
    script = "timeout 9 sh -c 'until nc -z localhost 80; do sleep 1; done'"
    hook = {"postStart": {"exec": {"command": ["sh", "-c", script]}}}
    first = {"name": "first", "image": "first", "lifecycle": hook}

    found = rules_of(pod(main=(first, later)))

    assert ("waits-for-later" in found) is ("ports" in later)


def test_what_is_merged_keeps_its_lines() -> None:
    text = """kind: Pod
base: &base
  value: |
    db tcp://db
spec:
  initContainers:
    - name: gate
      image: gate
      args: [wait]
      env: [{<<: [*base], name: GATE_DEPENDENCIES}]
  containers: [{name: app, image: app}]
"""
    (finding,) = lint([("x", text)]).findings

    assert (finding.line, finding.rule) == (4, "gate-config")
