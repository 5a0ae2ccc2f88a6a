"""A gate's configuration in a manifest: read as at run time, and silent about the unknown."""

from __future__ import annotations

import pytest

from tests.lint.building import APP, Fields, env, gate, messages, pod, report, rules_of, secret

DEPENDENCY = env("GATE_DEPENDENCIES", "db tcp://db:5432")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            [env("GATE_DEPENDENCIES", "db tpc://db:1")],
            "GATE_DEPENDENCIES line 1 (db): tpc: unknown",
        ),
        (
            [env("GATE_DEPENDENCIES", "a tcp://a:1\nb tcp://b")],
            "GATE_DEPENDENCIES line 2 (b): the URL",
        ),
        (
            [env("GATE_DEPENDENCY_DB", "tcp://db:1 timeot=1s")],
            "GATE_DEPENDENCY_DB: timeot: unknown",
        ),
        ([DEPENDENCY, env("GATE_TIMEOUT", "soon")], "GATE_TIMEOUT: 'soon' is not a duration"),
        ([DEPENDENCY, env("GATE_TIMEOT", "5m")], "GATE_TIMEOT: unknown variable; did you mean"),
        ([DEPENDENCY, secret("GATE_TIMEOT")], "GATE_TIMEOT: unknown variable; did you mean"),
        (
            [env("GATE_DEPENDENCIES", "tcp://$(DB):1")],
            "GATE_DEPENDENCIES line 1: $(DB) is not defined",
        ),
        ([env("GATE_LOG_LEVEL", "info")], "GATE_DEPENDENCIES: no dependency"),
    ],
)
def test_what_gate_would_refuse_is_found(variables: list[Fields], said: str) -> None:
    (message,) = messages(pod(gate(*variables)))

    assert message.startswith(f"gate would refuse this and end with 2: {said}")


@pytest.mark.parametrize(
    "variables",
    [
        [secret("GATE_DEPENDENCIES")],
        [secret("GATE_DEPENDENCY_DB"), secret("GATE_TIMEOUT")],
        [secret("P"), env("GATE_DEPENDENCIES", "tcp://db:$(P)\npostgresql://u:$(P)@db/x")],
        [secret("URL"), env("GATE_DEPENDENCIES", "db $(URL)\ncache tcp://c:1")],
        [env("GATE_DEPENDENCIES", "tcp://$(DB_SERVICE_HOST):$(DB_SERVICE_PORT)")],
        [env("H", "db"), env("GATE_DEPENDENCIES", "tcp://$(H):1")],
        [DEPENDENCY, secret("GATE_LISTEN")],
        [
            env(
                "GATE_DEPENDENCIES",
                "postgresql://u@db/x query='select 1'\nk8s:job/x\nkafka://k:9092",
            )
        ],
    ],
)
def test_what_comes_from_elsewhere_is_let_be(variables: list[Fields]) -> None:
    assert rules_of(pod(gate(*variables))) == []


def test_what_is_known_beside_the_unknown_is_still_checked() -> None:
    variables = [secret("P"), env("GATE_DEPENDENCIES", "a tcp://a:$(P)\nb tcp://b:1 x=1")]

    (message,) = messages(pod(gate(*variables)))

    assert "GATE_DEPENDENCIES line 2 (b): option 1: unknown" in message


def test_env_from_may_bring_anything() -> None:
    text = pod(gate(env("GATE_TIMEOUT", "$(LIMIT)"), envFrom=[{"configMapRef": {"name": "c"}}]))

    assert rules_of(text) == []


@pytest.mark.parametrize(
    ("arguments", "rules"),
    [
        (["serve", "--listen=:4283"], []),
        (["serve", "--listn=:4283"], ["gate-config"]),
        (["serve", "--timeout", "soon"], ["gate-config"]),
        (["serve", "--timeout", "$(LIMIT)"], ["undefined-reference"]),
    ],
)
def test_flags_are_read_too(arguments: list[str], rules: list[str]) -> None:
    assert rules_of(pod(gate(DEPENDENCY, args=arguments))) == rules


@pytest.mark.parametrize("variable", [DEPENDENCY, env("A", "b")])
def test_another_program_called_gate_is_no_gate(variable: Fields) -> None:
    other = {"name": "gate", "image": "spinnaker/gate:1", "env": [variable]}

    is_gate = variable is DEPENDENCY
    assert rules_of(pod(main=(other, APP))) == (["gate-holds-nothing"] if is_gate else [])


def test_the_line_is_that_of_the_block_scalar() -> None:
    text = """kind: Pod
spec:
  initContainers:
    - name: gate
      image: gate
      args: [wait]
      env:
        - name: GATE_DEPENDENCIES
          value: |
            # a comment
            db tcp://db:1
            cache tcp://cache
  containers: [{name: app, image: app}]
"""
    (finding,) = report(text).findings

    assert (finding.line, finding.rule) == (12, "gate-config")


@pytest.mark.parametrize(
    ("name", "value", "rules"),
    [
        ("DB_PASSWORD", "hunter2", ["plain-secret"]),
        ("URL", "redis://:hunter2@r:1", ["plain-secret"]),
        ("DB_PASSWORD", "$(OTHER_PORT)", []),
        ("PASSWORD_FILE", "/run/x", []),
        ("DB_PASSWORD", "", []),
        ("ALLOW_EMPTY_PASSWORD", "yes", []),
        ("URL", "redis://user@r:1", []),
        ("PATTERN", "a$$b", ["dollar-dollar"]),
        ("URL", "http://$(NOWHERE)/", ["undefined-reference"]),
        ("URL", "http://$(URL)/", ["undefined-reference"]),
        ("SCRIPT", "echo $(date) $(hostname)", []),
        ("PATTERN", "$$(X)$$$$", []),
    ],
)
def test_secrets_and_dollars(name: str, value: str, rules: list[str]) -> None:
    waiting = {**APP, "command": ["wait4x", "tcp", "db:1"], "env": [env(name, value)]}

    assert rules_of(pod(main=(waiting,))) == rules


FROM_ENV = env("GATE_FROM_ENV", "DB_URL,REDIS_*")


@pytest.mark.parametrize(
    "variables",
    [
        [env("DB_URL", "jdbc:mysql://db/x"), env("REDIS_HOST", "r"), env("REDIS_PORT", "6379")],
        [secret("DB_URL"), secret("REDIS_HOST"), secret("REDIS_PORT")],
        [secret("P"), env("DB_URL", "redis://:$(P)@db"), env("REDIS_ADDR", "$(P):1")],
        [secret("DB_URL"), secret("REDIS_URL"), env("GATE_OPTIONS_DB", "optional deadline=20s")],
        [secret("DB_URL"), secret("REDIS_URL"), secret("GATE_OPTIONS_DB")],
    ],
)
def test_what_gate_reads_of_the_app_is_right_or_not_known(variables: list[Fields]) -> None:
    assert rules_of(pod(gate(*variables, FROM_ENV))) == []


def test_of_env_from_any_variable_may_come() -> None:
    options = env("GATE_OPTIONS_DB", "optional")

    assert rules_of(pod(gate(FROM_ENV, options, envFrom=[{"secretRef": {"name": "s"}}]))) == []


def test_a_variable_that_gate_is_not_given_is_told() -> None:
    told = messages(pod(gate(env("REDIS_HOST", "r"), FROM_ENV)))

    assert len(told) == 1
    assert "DB_URL: is not set in gate's own container" in told[0]


def test_who_names_variables_for_gate_is_a_gate() -> None:
    other = {"name": "gate", "image": "spinnaker/gate:1", "env": [FROM_ENV]}

    assert "gate-holds-nothing" in rules_of(pod(main=(other, APP)))
