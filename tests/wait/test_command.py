"""`gate wait` as a real process, and `wait --once`."""

from __future__ import annotations

import io
import signal
import subprocess
from pathlib import Path

import pytest

from gate.config import Settings
from gate.core.errors import CheckFailed, NotReady
from gate.core.model import Dependency
from gate.report import log
from gate.report.wait_plan import WaitPlan
from gate.runtime.runner import DependencyCheck
from gate.wait import command
from tests.conftest import free_port
from tests.process import GATE, GateProcess, environment, listening, run_gate
from tests.virtual import now, play


def test_it_ends_with_0_when_all_is_ready_and_says_so_in_plain_lines() -> None:
    with listening() as port:
        code, out, err = run_gate("wait", f"db tcp://127.0.0.1:{port}")

    lines = [line.split(" ", 1)[1] for line in err.splitlines()]
    assert (code, out) == (0, "")
    assert lines[0].startswith("dependency.ready db after=")
    assert lines[1].startswith("gate.opened after=")


def test_it_waits_for_a_dependency_that_comes_late() -> None:
    port = free_port()
    with GateProcess("wait", f"db tcp://127.0.0.1:{port}") as gate:
        gate.until("dependency.waiting db")
        with listening(port):
            code = gate.end()

    assert code == 0


def test_it_ends_with_1_and_the_reasons_when_it_takes_too_long() -> None:
    code, _, err = run_gate("wait", "--timeout", "200ms", f"db tcp://127.0.0.1:{free_port()}")

    assert code == 1
    assert err.splitlines()[-1] == "gate: not ready in time: db: connection refused"


def test_a_deadline_that_passes_ends_it_with_1() -> None:
    code, _, err = run_gate("wait", f"db tcp://127.0.0.1:{free_port()} deadline=200ms")

    assert code == 1
    assert err.splitlines()[-1] == "gate: not ready in time: db: connection refused"


def test_the_command_takes_its_place_with_pid_and_exit_code() -> None:
    with GateProcess(
        "wait", "--allow-empty", "on", "--", "sh", "-c", "echo I am $$; exit 7"
    ) as gate:
        line = gate.until("I am")
        code = gate.end()

    assert line == f"I am {gate.pid}"
    assert code == 7


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGXFSZ])
def test_the_command_does_not_inherit_that_a_signal_is_ignored(number: signal.Signals) -> None:
    code, out, _ = run_gate(
        "wait", "--allow-empty", "on", "--", "grep", "SigIgn", "/proc/self/status"
    )

    ignored = int(out.split()[1], 16)
    assert code == 0
    assert not ignored & (1 << (number - 1))


@pytest.mark.parametrize(
    ("command", "expected", "text"),
    [
        ("no-such-command", 127, "gate: no-such-command: command not found"),
        ("/etc/passwd", 126, "gate: /etc/passwd: cannot be run: permission denied"),
    ],
)
def test_a_command_that_cannot_be_run(command: str, expected: int, text: str) -> None:
    code, _, err = run_gate("wait", "--allow-empty", "on", "--", command)

    assert code == expected
    assert err.splitlines()[-1] == text


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_with_128_and_its_number(number: signal.Signals, expected: int) -> None:
    with GateProcess("wait", f"db tcp://127.0.0.1:{free_port()}") as gate:
        gate.until("dependency.waiting")
        gate.signal(number)

        assert gate.end() == expected


def test_arguments_stand_instead_of_the_environment() -> None:
    env = {"GATE_DEPENDENCIES": f"other tcp://127.0.0.1:{free_port()}"}
    with listening() as port:
        code, _, err = run_gate("wait", f"db tcp://127.0.0.1:{port}", env=env)

    assert code == 0
    assert "other" not in err


def test_what_serve_does_when_overdue_is_not_for_it() -> None:
    env = {"GATE_ON_TIMEOUT": "open"}
    arguments = ("--timeout", "300ms", f"tcp://127.0.0.1:{free_port()}", "--", "echo", "started")
    code, out, _ = run_gate("wait", *arguments, env=env)

    assert (code, out) == (1, "")


@pytest.mark.parametrize("log", ["/dev/full", "&-"])
def test_a_log_that_nobody_takes_keeps_no_command_from_running(log: str) -> None:
    with listening() as port:
        words = [*GATE, "wait", f"tcp://127.0.0.1:{port}", "--", "echo", "started"]
        done = subprocess.run(
            ["sh", "-c", f'"$@" 2>{log}', "sh", *words],
            env=environment(free_port()),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stdout) == (0, "started\n")


def test_once_prints_a_table_and_ends_with_1_when_something_is_not_ready() -> None:
    gone = free_port()
    with listening() as port:
        code, out, err = run_gate(
            "wait", "--once", f"db tcp://127.0.0.1:{port}", f"cache tcp://127.0.0.1:{gone}"
        )

    lines = out.splitlines()
    assert (code, err) == (1, "")
    assert lines[0].split() == ["NAME", "STATE", "TOOK", "URL", "REASON"]
    assert lines[1].split()[:2] == ["db", "ready"]
    assert lines[2].endswith(f"tcp://127.0.0.1:{gone}  connection refused")


def test_once_asks_for_no_streak() -> None:
    with listening() as port:
        code, _, _ = run_gate("wait", "--once", f"tcp://127.0.0.1:{port} successes=3")

    assert code == 0


def test_once_becomes_the_command_only_if_all_is_ready() -> None:
    command = ("--", "echo", "started")
    with listening() as port:
        ready = run_gate("wait", "--once", f"tcp://127.0.0.1:{port}", *command)
    gone = run_gate("wait", "--once", f"tcp://127.0.0.1:{free_port()}", *command)

    assert (ready[0], ready[1].splitlines()[-1]) == (0, "started")
    assert (gone[0], "started" in gone[1]) == (1, False)


def test_once_looks_for_itself_also_where_the_gate_is_disabled() -> None:
    env = {"GATE_DISABLED": "INC-42"}
    gone = run_gate("wait", "--once", f"tcp://127.0.0.1:{free_port()}", env=env)
    wrong = run_gate("wait", "--once", "tpc://db:1", env=env)

    assert (gone[0], "connection refused" in gone[1]) == (1, True)
    assert (wrong[0], wrong[1]) == (2, "")
    assert wrong[2].startswith("gate: the configuration has 1 problem:\n")


def test_it_has_5_minutes_where_nothing_else_is_said() -> None:
    async def refused() -> None:
        msg = "connection refused"
        raise CheckFailed(msg)

    async def until_given_up() -> float:
        began = now()
        with pytest.raises(NotReady):
            await command.wait(plan)
        return now() - began

    logger = log.set_up(level="error", form="json", stream=io.StringIO())
    watch = DependencyCheck(Dependency(name="db", url="tcp://db:1"), refused)
    plan = WaitPlan(Settings(termination_log="off"), [watch], logger)

    assert play(until_given_up()) == pytest.approx(300.0)


def test_once_is_content_without_what_is_optional() -> None:
    code, out, _ = run_gate("wait", "--once", f"cache tcp://127.0.0.1:{free_port()} optional")

    assert code == 0
    assert "not ready (optional)" in out


def test_the_termination_message_names_the_reason_of_the_failure(tmp_path: Path) -> None:
    message = tmp_path / "log"
    env = {"GATE_TERMINATION_LOG": str(message), "GATE_TIMEOUT": "200ms"}
    run_gate("wait", f"db tcp://127.0.0.1:{free_port()}", env=env)

    assert message.read_text() == "gate: not ready in time: db: connection refused"


def test_it_can_log_json() -> None:
    with listening() as port:
        _, _, err = run_gate("wait", "--log-format", "json", f"db tcp://127.0.0.1:{port}")

    assert '"event": "gate.opened"' in err


def test_disabled_ends_with_0_at_once() -> None:
    env = {"GATE_DISABLED": "INC-42", "GATE_DEPENDENCIES": f"tcp://127.0.0.1:{free_port()}"}
    code, _, err = run_gate("wait", env=env)

    assert code == 0
    assert "gate.disabled reason=INC-42" in err
