"""`gate probe` and `gate hold` as real processes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gate.probe import client as asker
from tests.conftest import free_port
from tests.process import GATE, PATIENCE, GateProcess, environment, listening, run_gate

WAITING = b"HTTP/1.1 503 Service Unavailable\r\nServer: gate\r\n\r\nwaiting for db\n"
OPEN = b"HTTP/1.1 200 OK\r\nServer: gate\r\n\r\nopen\n"
FOREIGN = b"HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\nServer: gate\r\n"


def client(port: int, *arguments: str, **env: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a client of the gate on *port*."""
    done = subprocess.run(
        [*GATE, *arguments],
        check=False,
        env=environment(port, env),
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
    )
    return done.returncode, done.stdout, done.stderr


def told(port: int, *arguments: str, but: str) -> tuple[int, str, str]:
    """Return what the client says, asked again as long as that is *but* that."""
    end = time.monotonic() + PATIENCE
    while but in (said := client(port, *arguments))[1] and time.monotonic() < end:
        pass
    return said


@contextmanager
def answering(*answers: bytes, pause: float = 0.0) -> Iterator[tuple[int, list[str]]]:
    """Give *answers*, one to each who asks, and yield the port and what was asked.

    With a *pause* behind each byte, until the test is over.
    """
    asked: list[str] = []
    is_over = threading.Event()

    def serve() -> None:
        for answer in answers:
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(4096).decode())
                for byte in answer if pause else ():
                    if is_over.wait(pause):
                        return
                    connection.sendall(bytes([byte]))
                connection.sendall(b"" if pause else answer)

    with socket.create_server(("127.0.0.1", free_port())) as server:
        server.settimeout(PATIENCE)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], asked
        finally:
            if pause:
                is_over.set()
            thread.join()


def test_probe_prints_names_and_reasons_that_stay_the_same() -> None:
    deps = f"db tcp://127.0.0.1:{free_port()}; cache tcp://127.0.0.1:{free_port()}"
    with GateProcess("serve", env={"GATE_DEPENDENCIES": deps}) as gate:
        for _ in deps.split(";"):
            gate.event("dependency.waiting")
        first = client(gate.port, "probe")
        second = client(gate.port, "probe")

    text = "waiting for db: connection refused; cache: connection refused\n"
    assert first == second == (1, text, "")


def test_a_held_probe_ends_with_0_at_the_opening() -> None:
    port = free_port()
    with GateProcess("serve", env={"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{port}"}) as gate:
        gate.event("dependency.waiting")
        answers = []
        probe = threading.Thread(
            target=lambda: answers.append(client(gate.port, "probe", "--hold", "15s"))
        )
        probe.start()
        with listening(port):
            probe.join(PATIENCE)

    assert answers == [(0, "open\n", "")]


def test_probe_of_a_gate_that_is_not_up_is_1_and_says_so() -> None:
    port = free_port()

    assert client(port, "probe") == (
        1,
        f"gate is not running on port {port}: connection refused\n",
        "",
    )


def test_probe_ready_asks_for_readiness() -> None:
    with GateProcess("serve", "--allow-empty", "on") as gate:
        gate.event("gate.opened")

        assert client(gate.port, "probe", "--ready") == (
            0,
            "[+]gate open\nreadyz check passed\n",
            "",
        )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n<html>", "what answers on port {port} is not gate\n"),
        (b"SSH-2.0-OpenSSH\r\n", "what answers on port {port} is not gate\n"),
        (FOREIGN, "what answers on port {port} is not gate\n"),
        (b"", "gate on port {port} ended before it answered\n"),
    ],
)
def test_probe_of_something_else_is_1_and_says_so(answer: bytes, text: str) -> None:
    with answering(answer) as (port, _):
        result = client(port, "probe")

    assert result == (1, text.format(port=port), "")


def test_probe_of_an_overdue_gate_says_so() -> None:
    deps = {"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{free_port()}", "GATE_TIMEOUT": "100ms"}
    with GateProcess("serve", env=deps) as gate:
        gate.event("gate.overdue")
        result = told(gate.port, "probe", but="no answer yet")

    assert result == (1, "overdue, waiting for db: connection refused\n", "")


def test_hold_waits_for_a_gate_that_is_not_up_yet_and_for_its_opening() -> None:
    dependency = free_port()
    # Its first attempt has failed when this ends.
    with answering(b"") as (port, _):
        hold = subprocess.Popen([*GATE, "hold"], env=environment(port))
    env = {"GATE_LISTEN": f":{port}", "GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{dependency}"}
    with GateProcess("serve", env=env) as gate:
        gate.event("dependency.waiting")
        before = hold.poll()
        with listening(dependency):
            code = hold.wait(timeout=PATIENCE)

    assert (before, code) == (None, 0)


def test_hold_outlasts_a_gate_that_opens_when_its_time_is_over() -> None:
    env = {"GATE_TIMEOUT": "1s", "GATE_ON_TIMEOUT": "open"}
    with answering(b"") as (port, _):
        hold = subprocess.Popen([*GATE, "hold"], env=environment(port, env))
    env |= {"GATE_LISTEN": f":{port}", "GATE_DEPENDENCIES": f"tcp://127.0.0.1:{free_port()}"}
    with GateProcess("serve", env=env):
        code = hold.wait(timeout=PATIENCE)

    assert code == 0


def test_hold_takes_no_other_server_for_gate() -> None:
    with answering(FOREIGN, OPEN) as (port, asked):
        result = client(port, "hold")

    assert result == (0, "", "")
    assert len(asked) == 2


def test_hold_has_its_questions_held_and_asks_again_soon() -> None:
    with answering(*[WAITING] * 10, OPEN) as (port, asked):
        result = client(port, "hold", "--timeout", "20s")

    holds = [float(request.partition("hold=")[2].split()[0]) for request in asked]
    assert result == (0, "", "")
    assert 10 < max(holds) <= 20


def test_hold_ends_with_1_when_its_time_is_over() -> None:
    deps = {"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{free_port()}"}
    with GateProcess("serve", env=deps) as gate:
        gate.event("dependency.waiting")
        # It has a second for the last word, which may come too late where the machine is busy.
        result = told(gate.port, "hold", "--timeout", "300ms", but="does not answer")

    assert result == (1, "not open in time: waiting for db: connection refused\n", "")


def test_hold_waits_no_longer_for_an_answer_than_it_has_time() -> None:
    # Whole after 9 seconds: too late, but sooner than an answer is given up otherwise.
    with answering(OPEN, pause=9 / len(OPEN)) as (port, _):
        result = client(port, "hold", "--timeout", "1s")

    assert result == (1, f"not open in time: gate does not answer on port {port}\n", "")


@pytest.mark.parametrize(
    ("given", "env", "seconds"),
    [
        ({}, None, 300.0),
        ({}, "2m", 150.0),
        ({"--timeout": "2m"}, None, 120.0),
        ({"--timeout": "2m"}, "1s", 120.0),
    ],
)
def test_hold_has_5_minutes_or_somewhat_more_than_gate(
    given: dict[str, str], env: str | None, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_TIMEOUT", env or "")

    assert asker._time_limit(given) == seconds


@pytest.mark.parametrize("command", ["probe", "hold"])
@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_them_with_128_and_its_number(
    command: str, number: signal.Signals, expected: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        asking = subprocess.Popen(
            [*GATE, command],
            env=environment(server.getsockname()[1]),
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = server.accept()
        with connection:
            asking.send_signal(number)
            _, err = asking.communicate(timeout=PATIENCE)

    assert (asking.returncode, err) == (expected, "")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["probe", "--hold", "soon"], "gate probe: --hold: 'soon' is not a duration; "),
        (["probe", "--hold"], "gate probe: --hold: wants a value\n"),
        (["hold", "--holt"], "gate hold: unknown argument --holt; hold takes --timeout, --listen "),
        (["hold", "db", "it"], "gate hold: unknown argument number 3; hold takes --timeout, "),
        (["hold", "--timeout", "tcp://db:1"], "gate hold: --timeout: wants a value, not a depende"),
        (["probe", "--listen", "x"], "gate probe: --listen: 'x' is not an address to listen on; "),
        (["probe", "--ready", "--hold", "3s"], "gate probe: --hold: --ready is answered at once; "),
    ],
)
def test_a_wrong_command_line_is_2(arguments: list[str], text: str) -> None:
    code, out, err = run_gate(*arguments)

    assert (code, out) == (2, "")
    assert err.startswith(text)


def test_they_import_nothing_but_sockets() -> None:
    script = (
        "import __future__, _socket, sys; before = set(sys.modules); "
        "from gate.probe import client; "
        "client.main(['probe', '--listen', '127.0.0.1:1']); "
        "print(sorted(set(sys.modules) - before))"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout

    core = ["core", *(f"core.{name}" for name in ("address", "command_line", "durations"))]
    ours = [*core, "core.probe_arguments", "probe", "probe.client", "report", "report.output"]
    assert out.splitlines()[-1] == str(["gate", *(f"gate.{name}" for name in ours)])
