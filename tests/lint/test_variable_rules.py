"""References and `$` in values and commands."""

from __future__ import annotations

import pytest

from tests.lint.building import (
    APP,
    env,
    init,
    pod,
    rules_of,
)


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
    waiting = f"{script}; until nc -z db 1; do sleep 1; done"
    container = {**init(), "command": ["sh"], key: ["sh", "-c", waiting]}
    if key == "args":
        del container["command"]

    assert rules_of(pod(container)) == rules


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        (["sh", "-c", "kill $(PIDS)"], []),
        (["sh", "-c", "kill $(MODE)"], ["hook-variable"]),
        (["sh", "-c", "kill $(pidof x)"], []),
        (["notify", "$(PIDS)"], ["hook-variable"]),
    ],
)
def test_in_a_script_a_reference_may_be_a_command(command: list[str], rules: list[str]) -> None:
    hook = {"postStart": {"exec": {"command": command}}}

    assert rules_of(pod(main=({**APP, "env": [env("MODE", "a")], "lifecycle": hook},))) == rules


def test_a_variable_that_an_app_has_twice_is_for_other_linters() -> None:
    twice = [env("MODE", "a"), env("MODE", "b")]
    wait = init("wait4x", "tcp", "db:5432", env=twice)

    assert rules_of(pod(main=({**APP, "env": twice},))) == []
    assert rules_of(pod(wait)) == ["duplicate-variable"]


def test_what_an_app_does_with_dollars_is_for_other_linters() -> None:
    hook = {"preStop": {"exec": {"command": ["notify", "$(MODE)"]}}}
    app = {**APP, "args": ["$(NONE)", "a$$b"], "env": [env("MODE", "a$$b")], "lifecycle": hook}

    assert rules_of(pod(main=(app,))) == []


@pytest.mark.parametrize("place", ["postStart", "startupProbe"])
def test_a_hook_or_a_probe_that_waits_makes_its_container_one_that_waits(place: str) -> None:
    action = {"exec": {"command": ["timeout", "9", "wait4x", "tcp", "db:1"]}}
    fields = {"startupProbe": {**action, "periodSeconds": 1}}
    if place == "postStart":
        fields = {"lifecycle": {"postStart": action}}
    app = {**APP, "env": [env("MODE", "$(NONE)")], **fields}

    assert "undefined-reference" in rules_of(pod(main=(app,)))
