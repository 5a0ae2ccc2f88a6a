"""The command line: what it refuses, and in which words."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.process import GATE, PATIENCE, GateProcess, environment, listening, run_gate

SECRET = "postgresql://app:hunter2@db:5432/app"


def test_all_problems_are_told_together_with_exit_code_2() -> None:
    env = {
        "GATE_TIMEUOT": "3s",
        "GATE_INTERVAL": "often",
        "GATE_DEPENDENCIES": "db tpc://db:1\nweb http://web timout=3s",
    }
    code, out, err = run_gate("serve", env=env)

    assert (code, out) == (2, "")
    assert err == (
        "gate: the configuration has 4 problems:\n"
        "  GATE_TIMEUOT: unknown variable; did you mean GATE_TIMEOUT?\n"
        "  GATE_INTERVAL: 'often' is not a duration; write 250ms, 3s, 1m30s, 2h or seconds\n"
        "  GATE_DEPENDENCIES line 1 (db): tpc: unknown scheme; did you mean tcp?\n"
        "  GATE_DEPENDENCIES line 2 (web): timout: unknown option; did you mean timeout?\n"
    )


def test_problems_reach_the_termination_message(tmp_path: Path) -> None:
    message = tmp_path / "log"
    run_gate("serve", env={"GATE_TERMINATION_LOG": str(message)})

    assert message.read_text() == (
        "gate: the configuration has 1 problem:\n"
        "  GATE_DEPENDENCIES: no dependency; set it, or GATE_ALLOW_EMPTY=true if there is none "
        "on purpose"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "gate: the following arguments are required: command (gate --help)\n"),
        (["wiat"], "gate: unknown command; did you mean wait? (gate --help)\n"),
        (["prob"], "gate: unknown command; did you mean probe? (gate --help)\n"),
        (["app"], "gate: unknown command; there are serve, wait, probe, hold, forget, lint, "),
        (["wait", "--output", "xml"], "gate: argument --output: invalid choice; there are lines,"),
        (["serve", "--timout", "3"], "gate: unknown argument --timout; did you mean --timeout?\n"),
        (["serve", "--", "app"], "gate: serve takes no command after --; gate wait does\n"),
        (["wait", "--"], "gate: nothing stands after --; name the command to become\n"),
        (["wait", "--", ""], "gate: the command after -- is empty; is a variable in it not set?\n"),
        (["serve", "--timeout"], "gate: argument --timeout: expected one argument (gate serve"),
    ],
)
def test_a_wrong_command_line_is_2_and_says_what_to_do(arguments: list[str], text: str) -> None:
    code, out, err = run_gate(*arguments)

    assert (code, out) == (2, "")
    assert err.startswith(text)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["serve", SECRET], "unknown argument number 2; serve takes no dependencies: set GATE_DEP"),
        (["serve", f"--dependency={SECRET}"], "unknown argument --dependency; did you mean --depe"),
        (["serve", "--timeout", SECRET], "argument --timeout: wants a value, not a dependency ("),
        (["wait", f"--once={SECRET}"], "argument --once: ignored explicit argument (gate wait"),
        (["wait", "--", SECRET], "after -- stands a dependency; name the command to become there"),
        ([SECRET], "a dependency is no command; gate wait takes dependencies (gate --help)"),
    ],
)
def test_a_dependency_in_the_wrong_place_is_told_without_its_password(
    arguments: list[str], text: str, tmp_path: Path
) -> None:
    message = tmp_path / "log"
    code, out, err = run_gate(*arguments, env={"GATE_TERMINATION_LOG": str(message)})

    assert (code, out) == (2, "")
    assert err.startswith(f"gate: {text}")
    assert "hunter2" not in err + message.read_text()


def test_a_flag_wins_over_its_variable_and_is_named_in_errors() -> None:
    env = {"GATE_TIMEOUT": "1s", "GATE_ALLOW_EMPTY": "on"}
    code, _, err = run_gate("wait", "--timeout", "never", env=env)

    assert code == 2
    assert err.splitlines()[1].startswith("  --timeout: 'never' is not a duration")


def test_dependencies_can_be_a_flag() -> None:
    flag = f"db tcp://127.0.0.1:{free_port()}"
    code, _, err = run_gate("wait", "--timeout", "4s", "--dependencies", flag)

    assert code == 1
    assert err.endswith("gate: not ready in time: db: connection refused\n")


def test_a_state_file_without_a_folder_is_refused() -> None:
    env = {"GATE_STATE_FILE": "/no/such/folder/opened", "GATE_ALLOW_EMPTY": "on"}
    code, _, err = run_gate("serve", env=env)

    assert code == 2
    assert err.splitlines()[1] == (
        "  GATE_STATE_FILE: there is no folder /no/such/folder; mount an emptyDir there"
    )


@pytest.mark.parametrize("command", [["--help"], ["serve", "-h"], ["wait", "-h"], ["probe", "-h"]])
def test_help_is_on_stdout_with_exit_code_0(command: list[str]) -> None:
    code, out, err = run_gate(*command)

    assert (code, err) == (0, "")
    assert out.startswith("usage: gate")


def test_the_flag_listen_is_heeded_before_anything_is_imported() -> None:
    port = free_port()
    with GateProcess("serve", f"--listen=127.0.0.1:{port}", "--allow-empty", "on") as gate:
        started = gate.event("gate.started")

    assert started["listen"] == f"127.0.0.1:{port}"


def test_an_address_that_cannot_be_read_is_told_with_the_other_problems() -> None:
    code, _, err = run_gate("serve", env={"GATE_LISTEN": "tcp://10.0.0.1:80", "GATE_X": ""})

    assert code == 2
    assert "  GATE_X: unknown variable" in err
    assert "  GATE_LISTEN: 'tcp://10.0.0.1:80' was put there by Kubernetes for a Service" in err


def test_variables_that_a_service_called_gate_injects_are_ignored() -> None:
    env = {
        "GATE_SERVICE_HOST": "10.0.0.1",
        "GATE_SERVICE_PORT": "80",
        "GATE_PORT": "tcp://10.0.0.1:80",
        "GATE_PORT_80_TCP": "tcp://10.0.0.1:80",
        "GATE_PORT_80_TCP_ADDR": "10.0.0.1",
        "GATE_ALLOW_EMPTY": "on",
    }

    assert run_gate("wait", env=env)[0] == 0


@pytest.mark.parametrize("form", [["--termination-log", "{}"], ["--termination-log={}"]])
def test_problems_reach_the_termination_message_that_a_flag_names(
    form: list[str], tmp_path: Path
) -> None:
    message = tmp_path / "log"
    run_gate("wait", *(word.format(message) for word in form))

    assert message.read_text().startswith("gate: the configuration has 1 problem:")


def test_a_flag_of_the_command_behind_is_not_ours(tmp_path: Path) -> None:
    message = tmp_path / "log"
    run_gate("wait", "--", "app", "--termination-log", str(message))

    assert not message.exists()


PRINTING = [
    ["--help"],
    ["wait", "--once", "--allow-empty", "on"],
    ["manifest", "--mode", "init", "--image", "gate:1", "--allow-empty", "on"],
    ["lint", "--explain", "all"],
    ["probe"],
]


def printing_to(stdout: str, *arguments: str) -> tuple[int, str]:
    """Return exit code and stderr of a gate whose stdout the shell has put there."""
    done = subprocess.run(
        ["sh", "-c", f'"$@" >{stdout}', "sh", *GATE, *arguments],
        check=False,
        env=environment(free_port()),
        stderr=subprocess.PIPE,
        text=True,
        timeout=2 * PATIENCE,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", PRINTING, ids=lambda arguments: arguments[0])
def test_output_that_cannot_be_written_is_1_and_told_in_a_line(arguments: list[str]) -> None:
    told = "gate: the output cannot be written: no space left on device\n"

    assert printing_to("/dev/full", *arguments) == (1, told)


@pytest.mark.parametrize("arguments", [["--help"], ["probe"]], ids=lambda arguments: arguments[0])
def test_a_closed_stdout_is_1_and_told_in_a_line(arguments: list[str]) -> None:
    told = "gate: the output cannot be written: stdout is closed\n"

    assert printing_to("&-", *arguments) == (1, told)


@pytest.mark.parametrize("arguments", PRINTING, ids=lambda arguments: arguments[0])
def test_a_reader_that_has_gone_is_1_without_a_word(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as stdout:
        done = subprocess.run(
            [*GATE, *arguments],
            check=False,
            env=environment(free_port()),
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=2 * PATIENCE,
        )

    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("stdout", ["/dev/full", "&-"])
def test_lines_of_json_that_cannot_be_written_keep_nothing_waiting(stdout: str) -> None:
    with listening() as port:
        arguments = ("wait", "--output", "json", f"tcp://127.0.0.1:{port}", "--", "true")
        code, err = printing_to(stdout, *arguments)

    assert code == 0
    assert err.count("gate: the output cannot be written: ") == 1
    assert "Traceback" not in err
