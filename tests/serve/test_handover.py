"""After the opening `serve` becomes the small responder; nobody notices, but for the memory."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from gate.core.latch import Latch
from gate.core.model import Dependency
from gate.runtime.board import Board
from gate.serve import handover
from gate.serve.answers import Answers
from gate.serve.server import Server
from tests.conftest import free_port, needs, run
from tests.process import GATE, PATIENCE, GateProcess, environment, listening

PATHS = (
    *("/startupz", "/startupz?brief", "/startupz?hold=25s", "/startupz?hold=soon", "/startupz/db"),
    *("/startupz/nobody", "/startupz/", "/readyz", "/readyz?verbose", "/livez", "/healthz"),
    *("/status", "/status?seen=0&hold=1s", "/metrics", "/", "/nothing", "//livez"),
)
FORMS: tuple[dict[str, str], ...] = (
    {},
    {"User_Agent": "kube-probe/1.36"},
    {"Accept": "application/openmetrics-text; version=1.0.0; charset=utf-8"},
)
GROWING = {"date", "connection", "content-length"}
NUMBER = re.compile(r"\d+(\.\d+)?(e-\d+)?(ms|s|Z)?")


def is_small(pid: int) -> bool:
    return b"gate.serve.responder" in Path(f"/proc/{pid}/cmdline").read_bytes()


def until_small(gate: GateProcess) -> None:
    end = time.monotonic() + PATIENCE
    while not is_small(gate.pid):
        assert time.monotonic() < end, gate.lines
        time.sleep(0.01)


def answers(gate: GateProcess) -> dict[str, object]:
    """Return everything that *gate* answers, without what differs from one time to the next."""
    found: dict[str, object] = {}
    for path in PATHS:
        for form in FORMS:
            for method in ("GET", "HEAD", "POST"):
                answer = gate.ask(path, method, **form)
                headers = {k: v for k, v in answer.headers.items() if k not in GROWING}
                # Durations and moments differ from one process to the other.
                body = answer.body if path == "/" else NUMBER.sub("N", answer.body)
                found[f"{method} {path} {form}"] = (answer.status, headers, body)
    return found


@pytest.mark.parametrize("degraded", ["", "cache tcp://127.0.0.1:1 optional deadline=200ms"])
def test_the_small_one_answers_as_the_whole_one_did(degraded: str) -> None:
    with listening() as port:
        lines = f"db tcp://127.0.0.1:{port}\n{degraded}"
        with GateProcess("serve", "--shrink", "off", env={"GATE_DEPENDENCIES": lines}) as whole:
            whole.until("gate.opened")
            expected = answers(whole)
            assert not is_small(whole.pid)
        with GateProcess("serve", env={"GATE_DEPENDENCIES": lines}) as small:
            small.until("gate.opened")
            until_small(small)
            found = answers(small)

    assert found.keys() == expected.keys()
    assert {what: found[what] for what in found if found[what] != expected[what]} == {}


def test_with_status_off_the_small_one_shows_verdicts_only() -> None:
    line = f"secretive tcp://127.0.0.1:{free_port()} optional deadline=1ms"
    with GateProcess("serve", env={"GATE_DEPENDENCIES": line, "GATE_STATUS": "off"}) as gate:
        gate.until("gate.opened")
        until_small(gate)
        hidden = [gate.ask(path) for path in ("/status", "/metrics", "/")]
        shown = [gate.ask(path) for path in ("/startupz", "/startupz/nobody", "/readyz", "/x")]
        kubelet = gate.ask("/startupz", User_Agent="kube-probe/1.36")

    assert [answer.status for answer in hidden] == [404] * 3
    assert [answer.status for answer in (*shown, kubelet)] == [200, 404, 200, 404, 300]
    assert (shown[0].body, kubelet.body) == ("open\n", "open\n")
    for answer in (*hidden, *shown, kubelet):
        assert "secretive" not in answer.body
        assert "refused" not in answer.body


def test_it_keeps_the_pid_and_ends_on_sigterm_with_the_same_line_in_the_log() -> None:
    with (
        listening() as port,
        GateProcess("serve", f"--dependencies=tcp://127.0.0.1:{port}") as gate,
    ):
        gate.until("gate.opened")
        pid = gate.pid
        until_small(gate)
        assert gate.ask("/livez").status == 200
        gate.signal(signal.SIGTERM)

        assert gate.end() == 0
        line = json.loads(gate.lines[-1])
        assert (line["event"], line["level"], line["open"]) == ("gate.stopping", "info", True)
        assert (gate.pid, next(iter(line))) == (pid, "time")


@pytest.mark.parametrize("settings", [{"GATE_SHRINK": "off"}, {}])
def test_what_still_has_work_to_do_stays_whole(settings: dict[str, str]) -> None:
    option = "" if settings else "monitor"
    with listening() as port:
        lines = {"GATE_DEPENDENCIES": f"tcp://127.0.0.1:{port} {option}", **settings}
        with GateProcess("serve", env=lines) as gate:
            gate.until("gate.opened")
            for _ in range(20):
                assert gate.ask("/readyz").status == 200
            assert not is_small(gate.pid)


def test_one_that_opens_at_once_shrinks_too() -> None:
    with GateProcess("serve", env={"GATE_DISABLED": "night"}) as gate:
        gate.until("gate.opened")
        until_small(gate)

        assert "disabled: night" in gate.ask("/startupz").body


def test_who_had_connected_and_not_asked_yet_is_answered_by_the_small_one() -> None:
    target = free_port()
    begun, rest = b"GET /livez HT", b"TP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with (
        GateProcess("serve", f"--dependencies=tcp://127.0.0.1:{target}") as gate,
        ExitStack() as stack,
    ):
        gate.until("dependency.waiting")
        silent, slow = (
            stack.enter_context(socket.create_connection(("127.0.0.1", gate.port), PATIENCE))
            for _ in range(2)
        )
        slow.sendall(begun)
        assert gate.ask("/livez").status == 200  # it has come to what was before
        with socket.create_server(("127.0.0.1", target)):
            until_small(gate)
        silent.sendall(begun + rest)
        slow.sendall(rest)

        found = [b"".join(iter(partial(one.recv, 4096), b"")) for one in (silent, slow)]

    assert [each.partition(b" ")[2][:3] for each in found] == [b"200", b"200"]


def test_no_request_is_lost_while_it_turns() -> None:
    failures: list[BaseException] = []
    for _ in range(3):
        port, is_over = free_port(), threading.Event()
        with GateProcess("serve", env={"GATE_DEPENDENCIES": f"tcp://127.0.0.1:{port}"}) as gate:
            gate.until("gate.started")
            asking = [
                threading.Thread(target=ask_on, args=(gate.port, number, is_over, failures))
                for number in range(6)
            ]
            for thread in asking:
                thread.start()
            with listening(port):
                gate.until("gate.opened")
                until_small(gate)
            # The new one has answered some of them.
            gate.ask("/livez")
            is_over.set()
            for thread in asking:
                thread.join(PATIENCE)

    assert failures == []


def ask_on(port: int, number: int, is_over: threading.Event, failures: list[BaseException]) -> None:
    """Ask again and again, some in two pieces, the first one held."""
    path = b"/startupz?hold=20s" if number % 2 else b"/status"
    request = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path
    while not is_over.is_set():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
                for piece in (request[:9], request[9:]) if number % 3 else (request,):
                    sock.sendall(piece)
                answer = b""
                while part := sock.recv(65536):
                    answer += part
            assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 ")), answer
            assert answer.endswith(b"\n"), answer
        except (OSError, AssertionError) as exc:
            failures.append(exc)


def test_sigterm_ends_it_with_0_at_whatever_moment_it_comes() -> None:
    chance = random.Random(4)
    with listening() as port:
        for _ in range(12):
            dependency = f"--dependencies=tcp://127.0.0.1:{port}"
            with GateProcess("serve", "--listen", f":{free_port()}", dependency) as gate:
                gate.until("gate.started")
                time.sleep(chance.uniform(0.0, 0.08))
                gate.signal(signal.SIGTERM)

                assert gate.end() == 0, gate.lines
            assert not [line for line in gate.lines if "Traceback" in line]


def test_as_pid_1_the_small_one_still_heeds_sigterm() -> None:
    """The kernel drops signals to PID 1 that it has no handler for."""
    unshare = needs("unshare", "util-linux")
    with listening() as port:
        own = free_port()
        process = subprocess.Popen(
            [
                *(unshare, "--user", "--map-root-user", "--pid", "--fork", "--kill-child"),
                *(*GATE, "serve", f"--dependencies=tcp://127.0.0.1:{port}"),
            ],
            env=environment(own),
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stderr is not None
            while "gate.opened" not in (line := process.stderr.readline()):
                assert line
            (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            end = time.monotonic() + PATIENCE
            while not is_small(int(child)):
                assert time.monotonic() < end
                time.sleep(0.01)
            try:
                leave_an_orphan_to(child)
            finally:
                subprocess.run(["kill", child], check=True)

            assert process.wait(PATIENCE) == 0
            assert "gate.stopping" in process.stderr.read()


def leave_an_orphan_to(pid_1: str) -> None:
    """Have a process end whose parent has gone, and see it cleared away."""
    enter = [needs("nsenter", "util-linux"), "--target", pid_1, "--user", "--pid", "--preserve"]
    subprocess.run([*enter, "sh", "-c", "sleep 0.1 &"], check=True)
    children = Path(f"/proc/{pid_1}/task/{pid_1}/children")
    end = time.monotonic() + PATIENCE
    while not (orphans := children.read_text().split()):
        assert time.monotonic() < end, "it has not been inherited"
    while children.read_text():
        assert time.monotonic() < end, f"{orphans} stay as zombies"
        time.sleep(0.01)


def test_where_it_cannot_be_replaced_it_goes_on_and_says_so_once() -> None:
    code = "import sys; sys.executable = '/nonexistent'; from gate.__main__ import run; run()"
    with listening() as port:
        own = free_port()
        process = subprocess.Popen(
            [sys.executable, "-c", code, "serve", f"--dependencies=tcp://127.0.0.1:{port}"],
            env=environment(own),
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stderr is not None
            while "gate.not_shrunk" not in (line := process.stderr.readline()):
                assert line
            with socket.create_connection(("127.0.0.1", own), timeout=PATIENCE) as sock:
                sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = sock.recv(65536)
            process.terminate()

            assert process.wait(PATIENCE) == 0
            rest = process.stderr.read()

    assert json.loads(line)["reason"] == "no such file or directory"
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert "gate.not_shrunk" not in rest


def test_where_there_are_no_files_in_memory_it_cannot_be_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "memfd_create")

    with pytest.raises(OSError, match="only Linux"):
        handover._execute(0, b"", ())


def test_a_held_probe_is_answered_before_the_change_is_prepared() -> None:
    """Preparing takes tens of milliseconds, which the app would wait for."""

    async def main() -> tuple[bytes, bytes]:
        board = Board(Latch([Dependency(name="db", url="tcp://db:1")], now=0.0))
        server = Server(board, Answers(board))
        with socket.create_server(("127.0.0.1", 0)) as sock:
            await server.start(sock)
            with socket.create_connection(sock.getsockname()) as client:
                client.sendall(b"GET /startupz?hold=25s HTTP/1.1\r\nHost: gate\r\n\r\n")
                assert server._connections
                while not server._connections._held:  # noqa: ASYNC110 -- nothing tells of it
                    await asyncio.sleep(0.01)
                board.open()
                await server.let_answer()
                answer = client.recv(1000, socket.MSG_DONTWAIT)
                await server.let_answer()
                end = client.recv(1000, socket.MSG_DONTWAIT)
            await server.close()
        return answer, end

    answer, end = run(main())

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert end == b"", "an open connection would delay the change"
