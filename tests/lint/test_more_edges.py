"""Small things that a manifest may hold, each beside a rule."""

from __future__ import annotations

import pytest

from gate.lint import lint
from gate.lint.run import LintOptions
from gate.pods import quantity
from tests.lint.building import APP, PROBE, Fields, env, gate, messages, pod, rules_of, sidecar

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


def test_an_image_volume_has_its_version() -> None:
    text = pod(volumes=[{"name": "models", "image": {"reference": "x"}}])

    findings = lint([("x", text)], LintOptions(version=(1, 34))).findings

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


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("/oauth2/start?rd=/", ["probe-redirect"]),
        ("/oauth/authorize", ["probe-redirect"]),
        ("/saml/login/", ["probe-redirect"]),
        ("/sso", ["probe-redirect"]),
        ("/oauth2/ping", []),
        ("/saml/metadata", []),
        ("/realms/shop/protocol/openid-connect/certs", []),
        ("/login", []),
        ("/start", []),
    ],
)
def test_only_a_path_that_sends_people_to_sign_in_redirects(path: str, rules: list[str]) -> None:
    probe = {"httpGet": {"path": path, "port": 80}}

    assert rules_of(pod(main=({**APP, "readinessProbe": probe},))) == rules


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("startupProbe", "the container never counts as started"),
        ("readinessProbe", "the pod is never ready"),
        ("livenessProbe", "the container runs without it"),
    ],
)
def test_a_port_that_is_not_declared_does_what_its_probe_is_for(kind: str, said: str) -> None:
    probe = {"httpGet": {"port": "nope"}}

    assert messages(pod(main=({**APP, kind: probe},))) == [
        (
            "the container declares no port of this name, so the probe can neither pass nor "
            f"fail, and {said}"
        )
    ]


@pytest.mark.parametrize(
    ("script", "rules"),
    [
        ("echo $$ > /run/pid", ["dollar-dollar"]),
        ("touch /tmp/$$.lock", ["dollar-dollar"]),
        ("kill $$", ["dollar-dollar"]),
        ("echo $$$$ > /run/pid", []),
        ("echo $$HOME $${HOME} $$(date) $$? $$1", []),
        ("echo $HOME", []),
    ],
)
@pytest.mark.parametrize("key", ["command", "args"])
def test_a_shell_s_own_number_is_no_more(script: str, rules: list[str], key: str) -> None:
    words = {key: ["sh", "-c", script]}

    assert rules_of(pod(main=({**APP, **words},))) == rules


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
