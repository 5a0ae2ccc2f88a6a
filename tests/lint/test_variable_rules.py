"""References and `$` in values and commands."""

from __future__ import annotations

import pytest

from tests.lint.building import (
    APP,
    env,
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
    words = {key: ["sh", "-c", script]}

    assert rules_of(pod(main=({**APP, **words},))) == rules


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
    hook = {"preStop": {"exec": {"command": command}}}

    assert rules_of(pod(main=({**APP, "env": [env("MODE", "a")], "lifecycle": hook},))) == rules
