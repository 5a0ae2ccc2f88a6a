"""`gate wait --notify`, as systemd would be told: a real datagram socket takes what it says."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gate.core.errors import GateError, UsageError
from gate.core.latch import Latch
from gate.runtime.board import Board
from gate.wait.notify import Notify
from tests.conftest import free_port, run
from tests.process import PATIENCE, GateProcess, run_gate


@contextmanager
def manager(address: str) -> Iterator[socket.socket]:
    """Listen as a service manager does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE)
        sock.bind(address.replace("@", "\0", 1))
        yield sock


def until_ready(sock: socket.socket) -> list[str]:
    told = [sock.recv(4096).decode()]
    while told[-1] != "READY=1":
        told.append(sock.recv(4096).decode())
    return told


def queued(sock: socket.socket) -> list[str]:
    """Return what has been told and not yet been taken."""
    sock.settimeout(0)
    told = []
    with suppress(BlockingIOError):
        while True:
            told.append(sock.recv(4096).decode())
    return told


def test_it_tells_what_is_waited_for_and_that_it_is_over(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    port = free_port()
    command = [sys.executable, "-c", "import os; print(os.environ['NOTIFY_SOCKET'], flush=True)"]
    arguments = ["--notify", "--timeout", "2m", f"db tcp://127.0.0.1:{port}"]
    with (
        manager(address) as sock,
        GateProcess("wait", *arguments, "--", *command, env={"NOTIFY_SOCKET": address}) as gate,
    ):
        gate.until("dependency.waiting")
        with socket.create_server(("127.0.0.1", port)):
            told = until_ready(sock)
            gate.until(address)

    assert told[0] == "EXTEND_TIMEOUT_USEC=150000000"
    assert "STATUS=waiting for db: no answer yet" in told
    assert "STATUS=waiting for db: connection refused" in told
    assert told[-2:] == ["STATUS=open", "READY=1"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has abstract sockets")
def test_an_abstract_socket_will_do_and_a_disabled_gate_is_ready() -> None:
    address = f"@gate-{os.getpid()}"
    with manager(address) as sock:
        code, _, _ = run_gate(
            "wait", "--notify", env={"NOTIFY_SOCKET": address, "GATE_DISABLED": "drill"}
        )

        told = until_ready(sock)

    assert code == 0
    assert told[1] == "STATUS=opened without checking: disabled: drill"


def test_what_is_not_ready_in_time_is_never_told_to_be(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with manager(address) as sock:
        code, _, _ = run_gate(
            *("wait", "--notify", "--timeout", "200ms", f"db tcp://127.0.0.1:{free_port()}"),
            env={"NOTIFY_SOCKET": address},
        )
        told = queued(sock)

    assert code == 1
    assert told[-1] == "STATUS=overdue, waiting for db: connection refused"
    assert "READY=1" not in told


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("", "NOTIFY_SOCKET is not set; systemd does that for a unit with Type=notify"),
        ("vsock:2:1", "NOTIFY_SOCKET: vsock:2:1 is no unix socket"),
        ("/nonexistent/x", "NOTIFY_SOCKET: /nonexistent/x: no such file or directory"),
    ],
)
def test_where_nobody_can_be_told_it_is_a_mistake(address: str, text: str) -> None:
    with pytest.raises(UsageError) as wrong:
        Notify({"NOTIFY_SOCKET": address}, 1.0, print)

    assert str(wrong.value) == f"--notify: {text}"


def test_it_does_not_go_with_a_single_attempt() -> None:
    code, _, err = run_gate("wait", "--once", "--notify", "tcp://db:1")

    assert (code, err.partition(":")[2]) == (
        2,
        " --notify does not go with --once: systemd is told when the wait is over\n",
    )


def test_a_manager_that_goes_away_fails_the_opening(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    lost: list[OSError] = []
    with manager(address):
        notify = Notify({"NOTIFY_SOCKET": address}, 1.0, lost.append)

    async def opening() -> None:
        board = Board(Latch((), now=0.0))
        board.open("for the test")
        await notify.follow(board)
        notify.end(board)

    with pytest.raises(
        GateError, match="NOTIFY_SOCKET: cannot tell that gate has opened: connection refused"
    ):
        run(opening())

    assert len(lost) == 1
