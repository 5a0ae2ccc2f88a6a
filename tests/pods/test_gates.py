"""What counts as a gate, and what of its command lines and probes is wrong."""

from __future__ import annotations

import pytest

from gate.config import flags
from gate.core.errors import UsageError
from tests.lint.building import APP, FIRST, PROBE, Fields, env, gate, init, messages, pod, rules_of

DEPENDENCY = env("GATE_DEPENDENCIES", "db tcp://db:5432")
WRONG = env("GATE_DEPENDENCIES", "db bogus://x")


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"image": "acme-gate", "env": [WRONG]}, ["gate-config"]),
        ({"image": "app", "env": [WRONG]}, ["gate-config"]),
        ({"image": "app", "env": [env("GATE_DEPENDENCY_DB", "bogus://x")]}, ["gate-config"]),
        ({"image": "app", "command": ["sh", "-c", "gate wait"], "env": [WRONG]}, ["gate-config"]),
        ({"image": "app", "command": ["python", "-m", "gate", "serve"]}, ["gate-config"]),
        ({"image": "app", "env": [env("GATE_HOME", "/opt")]}, []),
        ({"image": "app", "env": [DEPENDENCY], "startupProbe": None}, ["gate-holds-nothing"]),
    ],
)
def test_a_gate_is_known_by_its_command_or_its_dependencies(
    fields: Fields, rules: list[str]
) -> None:
    assert rules_of(pod({**gate(), **fields})) == rules


@pytest.mark.parametrize(
    "fields",
    [
        {"image": "spinnaker/gate:6", "env": [env("GATE_HOME", "/opt/gate")]},
        {"image": "app", "env": [DEPENDENCY], "args": ["python", "app.py"]},
        {"image": "app", "env": [DEPENDENCY], "command": ["/entrypoint.sh"]},
    ],
)
def test_an_app_may_wrap_gate_or_share_its_name(fields: Fields) -> None:
    assert rules_of(pod(main=({"name": "app", **fields},))) == []


@pytest.mark.parametrize(
    "arguments",
    [["server"], ["--listen", ":9000"], ["serve", "serve"], ["serve", "--lisetn", ":1"]],
)
def test_a_command_line_is_read_as_at_run_time(arguments: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        flags.parse(arguments)

    assert f"gate would refuse this and end with 2: args: {refused.value}" in messages(
        pod(gate(DEPENDENCY, args=arguments))
    )


def test_another_program_of_the_name_is_not_told_what_gate_takes() -> None:
    assert rules_of(pod(init(image="acme/gate", command=None, args=["--foo"]))) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["gate", "probe", "--holdd", "25s"], "gate probe: unknown argument --holdd"),
        (["sh", "-c", "exec gate probe --hold 25x"], "gate probe: --hold: '25x' is not a duration"),
        (["gate", "probe", "--hold"], "gate probe: --hold: wants a value"),
        (["gate", "probe", "--listen", "x"], "gate probe: --listen: 'x' is not an address"),
    ],
)
def test_an_exec_probe_is_read_as_at_run_time(command: list[str], said: str) -> None:
    probe = {**PROBE, "httpGet": None, "exec": {"command": command}, "failureThreshold": 999}

    (message,) = messages(pod(gate(DEPENDENCY, image="with-shell", startupProbe=probe)))

    assert f"gate would refuse this and end with 2: {said}" in message


@pytest.mark.parametrize(
    "command",
    [["gate", "probe", "--hold", "25s"], ["gate", "probe", "--help"], ["gate", "probe", "$(X)"]],
)
def test_a_right_or_unknown_command_line_is_let_be(command: list[str]) -> None:
    probe = {**PROBE, "httpGet": None, "exec": {"command": command}, "failureThreshold": 999}

    assert rules_of(pod(gate(DEPENDENCY, startupProbe=probe))) == []


def test_a_hook_is_read_as_at_run_time() -> None:
    hook = {"postStart": {"exec": {"command": ["gate", "hold", "--timeot", "2m"]}}}

    (message,) = messages(pod(FIRST, gate(DEPENDENCY, lifecycle=hook)))

    assert "gate hold: unknown argument --timeot; " in message


def test_a_gate_that_is_disabled_lets_its_configuration_be() -> None:
    assert rules_of(pod(gate(WRONG, env("GATE_DISABLED", "a test")))) == []


MONITORED = env("GATE_DEPENDENCIES", "db tcp://localhost:5432 monitor")
ASKING: Fields = {"periodSeconds": 1, "failureThreshold": 9}


@pytest.mark.parametrize(
    ("kind", "action", "rules"),
    [
        ("readinessProbe", {"httpGet": {"path": "/readyz", "port": 4283}}, []),
        ("readinessProbe", {"httpGet": {"path": "/startupz", "port": 4283}}, []),
        ("readinessProbe", {"httpGet": {"path": "/ready", "port": 4283}}, ["gate-probe-path"]),
        ("readinessProbe", {"tcpSocket": {"port": 4283}}, []),
        ("readinessProbe", {"grpc": {"port": 4283}}, ["gate-probe-path"]),
        (
            "readinessProbe",
            {"httpGet": {"path": "/readyz", "port": 4283, "scheme": "HTTPS"}},
            ["gate-probe-path"],
        ),
        ("livenessProbe", {"httpGet": {"path": "/livez", "port": 4283}}, []),
        ("livenessProbe", {"httpGet": {"path": "/health", "port": 4283}}, ["gate-probe-path"]),
        ("livenessProbe", {"httpGet": {"path": "/readyz", "port": 4283}}, ["gate-probe-path"]),
        (
            "livenessProbe",
            {"exec": {"command": ["gate", "probe", "--ready"]}, "timeoutSeconds": 9},
            ["gate-probe-path"],
        ),
    ],
)
def test_each_probe_asks_what_it_is_for(kind: str, action: Fields, rules: list[str]) -> None:
    one = gate(MONITORED, ports=[{"containerPort": 4283}], **{kind: {**ASKING, **action}})

    assert rules_of(pod(one, hostNetwork=True)) == rules


def test_readyz_cannot_kill_what_monitors_nothing() -> None:
    probe = {**ASKING, "httpGet": {"path": "/readyz", "port": 4283}}

    assert rules_of(pod(gate(DEPENDENCY, livenessProbe=probe))) == []


@pytest.mark.parametrize(
    ("http", "rules"),
    [
        ({"path": "/startupz?hold=25s", "scheme": "HTTPS"}, ["gate-probe-path"]),
        ({"path": "/startupz?hold=abc"}, ["gate-probe-path"]),
        ({"path": "/startupz?hold="}, []),
    ],
)
def test_a_startup_probe_has_to_be_answered(http: Fields, rules: list[str]) -> None:
    probe = {**PROBE, "httpGet": {"port": 4283, **http}, "failureThreshold": 999}

    assert rules_of(pod(gate(DEPENDENCY, startupProbe=probe))) == rules


def test_the_hold_is_read_from_a_script_too() -> None:
    script = {"exec": {"command": ["sh", "-c", "gate probe --hold 25s"]}}
    probe = {**PROBE, "httpGet": None, **script}

    assert rules_of(pod(gate(DEPENDENCY, image="with-shell", startupProbe=probe))) == []


@pytest.mark.parametrize(("memory", "rules"), [("27Mi", ["memory-limit"]), ("28Mi", [])])
def test_a_gate_that_waits_has_its_own_need_of_memory(memory: str, rules: list[str]) -> None:
    waiting = init("gate", "wait", env=[DEPENDENCY], resources={"limits": {"memory": memory}})

    assert rules_of(pod(waiting, main=(APP,))) == rules
