"""What is a secret in a manifest, and what only looks like one."""

from __future__ import annotations

import pytest

from tests.lint.building import APP, env, gate, init, pod, report, rules_of

WAIT = ("sh", "-c", "until nc -z db 1; do sleep 1; done")
PASSWORDS = (
    "DB_PASSWORD",
    "PGPASSWORD",
    "MYSQL_PWD",
    "DB_PASS",
    "AWS_SECRET_ACCESS_KEY",
    "REDISCLI_AUTH",
    "OPENAI_API_KEY",
    "GITHUB_TOKEN",
)


def said(name: str, value: str) -> bool:
    return rules_of(pod(init(*WAIT, env=[env(name, value)]))) == ["plain-secret"]


@pytest.mark.parametrize("name", PASSWORDS)
def test_a_variable_with_the_name_of_a_secret_is_found(name: str) -> None:
    assert said(name, "hunter2")


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "BYPASS", "COMPASS", "TOKEN_URL", "AUTH"])
def test_other_names_are_no_secrets(name: str) -> None:
    assert not said(name, "hunter2")


@pytest.mark.parametrize(
    "value",
    [
        "${DB_PASSWORD}",
        "$DB_PASSWORD",
        "$(DB_PORT)",
        "pre-${DB_PASSWORD}",
        "vault:secret/data/db#password",
        "<path:secret/data/db#password>",
        "op://vault/db/password",
        "ref+vault://secret/db#password",
        "arn:aws:secretsmanager:eu-west-1:1:secret:db",
        "https://app.example.com/reset",
        "/run/secrets/db",
        "{{ vault.password }}",
        "*****",
        "false",
        "Enabled",
        "",
    ],
)
def test_a_value_that_stands_for_another_is_no_secret(value: str) -> None:
    assert not said("DB_PASSWORD", value)


def test_a_number_is_a_password_and_no_token() -> None:
    assert said("DB_PASSWORD", "4096")
    assert not said("OPENAI_MAX_TOKEN", "4096")
    assert not said("REFRESH_TOKEN", "15m")


@pytest.mark.parametrize(
    ("url", "is_plain"),
    [
        ("postgresql://u:hunter2@db/x", True),
        ("redis://:hunter2@r:1", True),
        ("a tcp://a:1\nb amqp://u:hunter%402@b", True),
        ("http://u:${PASS}@x", False),
        ("http://u:$PASS@x", False),
        ("http://u:$(cat /p)@x", False),
        ("http://u:<password>@x", False),
        ("http://u:***@x", False),
        ("http://u@x/a:b", False),
        (r"s,://([^:]+):([^@]+)@,,", False),
    ],
)
def test_a_url_with_a_password_is_found_wherever_it_stands(url: str, is_plain: object) -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", f"curl '{url}'"]}}}
    probe = {"exec": {"command": ["check", url]}}
    waiting = {**APP, "command": ["wait4x", "tcp", "db:1", "--", "app"]}
    containers = [
        {**waiting, "env": [env("URL", url)]},
        {**waiting, "command": [*waiting["command"], url]},
        {**waiting, "args": [f"--url={url}"]},
        {**waiting, "lifecycle": hook},
        {**waiting, "readinessProbe": probe},
    ]

    for container in containers:
        found = rules_of(pod(main=(container,)))

        assert ("plain-secret" in found) is is_plain, container


def test_what_an_app_holds_is_for_other_linters() -> None:
    app = {**APP, "args": ["http://u:hunter2@db/"], "env": [env("DB_PASSWORD", "hunter2")]}

    assert rules_of(pod(gate(env("GATE_DEPENDENCIES", "db tcp://db:1")), main=(app,))) == []


def test_a_dependency_of_gate_wait_may_be_one() -> None:
    wait = gate(args=["wait", "postgresql://u:hunter2@db/x"], restartPolicy=None, startupProbe=None)

    (finding,) = report(pod(wait)).findings

    assert finding.text == (
        "args holds a URL with a password that anyone can read; take it from a Secret: "
        "GATE_DEPENDENCY_<NAME>, a variable or a file"
    )
