"""`gate probe` and `gate hold` as real processes."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import free_port
from tests.process import GATE, GateProcess, environment, listening, run_gate


def client(port: int, *arguments: str, **env: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a client of the gate on *port*."""
    done = subprocess.run(
        [*GATE, *arguments],
        check=False,
        env=environment(port, env),
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Serve *answer* to whoever asks, once, and yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_probe_prints_names_and_reasons_that_stay_the_same() -> None:
    deps = f"db tcp://127.0.0.1:{free_port()}; cache tcp://127.0.0.1:{free_port()}"
    with GateProcess("serve", env={"GATE_DEPENDENCIES": deps}) as gate:
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
            probe.join(10)

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
        (b"", "gate on port {port} ended before it answered\n"),
    ],
)
def test_probe_of_something_else_is_1_and_says_so(answer: bytes, text: str) -> None:
    with answering(answer) as port:
        result = client(port, "probe")

    assert result == (1, text.format(port=port), "")


def test_hold_waits_for_a_gate_that_is_not_up_yet_and_for_its_opening() -> None:
    port, dependency = free_port(), free_port()
    hold = subprocess.Popen([*GATE, "hold"], env=environment(port))
    env = {"GATE_LISTEN": f":{port}", "GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{dependency}"}
    with GateProcess("serve", env=env) as gate:
        gate.event("dependency.waiting")
        before = hold.poll()
        with listening(dependency):
            code = hold.wait(timeout=10)

    assert (before, code) == (None, 0)


def test_hold_ends_with_1_when_its_time_is_over() -> None:
    deps = {"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{free_port()}"}
    with GateProcess("serve", env=deps) as gate:
        gate.event("dependency.waiting")
        began = time.monotonic()
        result = client(gate.port, "hold", GATE_TIMEOUT="300ms")

    assert result == (1, "not open in time: waiting for db: connection refused\n", "")
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["probe", "--hold", "soon"], "gate probe: --hold: 'soon' is not a duration; "),
        (["probe", "--hold"], "gate probe: --hold: wants a value\n"),
        (["hold", "--holt"], "gate hold: unknown argument --holt; it takes --timeout, --listen "),
        (["probe", "--listen", "x"], "gate probe: --listen: 'x' is not an address to listen on; "),
    ],
)
def test_a_wrong_command_line_is_2(arguments: list[str], text: str) -> None:
    code, out, err = run_gate(*arguments)

    assert (code, out) == (2, "")
    assert err.startswith(text)


def test_they_import_nothing_but_sockets() -> None:
    script = (
        "import __future__, socket, sys; before = set(sys.modules); from gate import client; "
        "client.main(['probe', '--listen', '127.0.0.1:1']); "
        "print(sorted(set(sys.modules) - before))"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout

    assert out.splitlines()[-1] == "['gate', 'gate.address', 'gate.client', 'gate.durations']"
