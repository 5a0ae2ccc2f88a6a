"""Whoever reaches the port cannot keep the kubelet's next probe out."""

from __future__ import annotations

import asyncio
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from gate.serve import connections
from tests.conftest import free_port, run
from tests.process import GATE, PATIENCE, GateProcess, environment, listening
from tests.serve.hostile_requests import ODD, REFUSED

PROBE = b"GET /startupz HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n"


@contextmanager
def few_descriptors(count: int, *arguments: str, waits_for: int = 0) -> Iterator[int]:
    """A gate that may open *count* files; yields its port."""
    port, missing = free_port(), waits_for or free_port()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

    process = subprocess.Popen(
        [*GATE, "serve", *(arguments or ("--shrink", "off"))],
        env=environment(port, {"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{missing}"}),
        stderr=subprocess.PIPE,
        preexec_fn=limit,  # noqa: PLW1509 -- nothing else runs in this process
    )
    with process:
        assert process.stderr is not None
        assert b"gate.started" in process.stderr.readline()
        try:
            yield port
        finally:
            process.terminate()


def ask(port: int, request: bytes = PROBE) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        sock.sendall(request)
        answer = b""
        while part := sock.recv(65536):
            answer += part
    return answer


def test_two_thousand_silent_connections_do_not_keep_a_probe_out() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    try:
        with few_descriptors(256) as port, ExitStack() as silent:
            for number in range(2000):
                sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
                silent.enter_context(sock)
                if number % 3 == 0:
                    sock.sendall(b"GET /startupz HTTP/1.1\r\nHost: ")
                if number % 200 == 0:
                    assert ask(port).startswith(b"HTTP/1.1 503 ")

            assert ask(port).startswith(b"HTTP/1.1 503 ")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_as_many_silent_connections_as_may_be_do_not_end_it_at_the_opening() -> None:
    missing = free_port()
    with (
        few_descriptors(64, "--log-level=info", waits_for=missing) as port,
        ExitStack() as silent,
    ):
        for _ in range(31):
            silent.enter_context(socket.create_connection(("127.0.0.1", port)))
        with listening(missing):
            held = PROBE.replace(b"/startupz", b"/startupz?hold=20s")
            opened = ask(port, held)
        later = ask(port)

    assert opened.startswith(b"HTTP/1.1 200 ")
    assert later.startswith(b"HTTP/1.1 200 ")


def test_held_requests_are_spared_and_only_so_many_are_held() -> None:
    held = b"GET /startupz?hold=60s HTTP/1.1\r\nHost: gate\r\n\r\n"
    with few_descriptors(128) as port, ExitStack() as stack:
        first = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        first.sendall(held)
        for _ in range(300):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            sock.sendall(held)
        answered = ask(port, held.replace(b"Host", b"Connection: close\r\nHost"))
        first.settimeout(0.2)

        assert answered.startswith(b"HTTP/1.1 503 "), "one too many is answered at once"
        with pytest.raises(TimeoutError):
            first.recv(1)


def test_a_connection_that_was_held_gives_its_place_back_with_the_answer() -> None:
    held = b"GET /startupz?hold=10ms HTTP/1.1\r\nHost: gate\r\n\r\n"
    with few_descriptors(64) as port, ExitStack() as stack:
        for _ in range(20):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            sock.sendall(held)
            assert sock.recv(65536).startswith(b"HTTP/1.1 503 ")
        late = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        late.sendall(held.replace(b"10ms", b"60s"))
        late.settimeout(0.2)

        with pytest.raises(TimeoutError):
            late.recv(1)


@pytest.mark.parametrize("sent", [b"", b"GET /live", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come_in_time_ends_the_connection(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    assert run(ended(sent))


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET"]
)
def test_a_head_that_has_come_may_be_held(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)
    assert not run(ended(sent))


async def ended(sent: bytes) -> bool:
    """Whether a server that never answers ends a connection on which *sent* was sent."""
    taken = connections.Connections(asyncio.Protocol, limit=8)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.setblocking(False)
        server = await connections.accept(sock, taken)
        reader, writer = await asyncio.open_connection(*sock.getsockname())
        try:
            for byte in sent:
                writer.write(bytes((byte,)))
                await asyncio.sleep(0)
            async with asyncio.timeout(0.6):
                return await reader.read() == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True
        finally:
            writer.close()
            server.close()


def test_the_limit_leaves_half_of_the_descriptors_to_the_checks() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        assert connections.most() == 128
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def gate() -> Iterator[GateProcess]:
    with GateProcess(
        "serve", env={"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{free_port()}"}
    ) as process:
        process.until("gate.started")
        yield process


@pytest.mark.parametrize("what", REFUSED)
def test_a_request_that_is_none_is_refused(gate: GateProcess, what: str) -> None:
    with socket.create_connection(("127.0.0.1", gate.port), timeout=PATIENCE) as sock:
        sock.sendall(REFUSED[what])
        answer = sock.recv(65536)

    assert answer.split()[1] == b"400", answer
    assert b"\r\nServer: gate\r\n" in answer
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in answer


@pytest.mark.parametrize("what", ODD)
def test_odd_requests_have_plain_answers(gate: GateProcess, what: str) -> None:
    request, code = ODD[what]
    answer = ask(gate.port, request + b"Connection: close\r\n\r\n")

    assert int(answer.split()[1]) == code
    assert_plain(answer)


def assert_plain(answer: bytes) -> None:
    """It leads nowhere, repeats nothing it was told, and no other site may read it."""
    assert b"\r\nServer: gate\r\n" in answer
    for stray in (b"location:", b"elsewhere", b"secret", b"<script", b"access-control"):
        assert stray not in answer.lower()


def test_the_page_is_framed_by_nobody_and_read_by_no_other_site(gate: GateProcess) -> None:
    answer = gate.ask("/", Origin="http://elsewhere.example")

    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_idle_connection_is_closed_after_its_answer(gate: GateProcess) -> None:
    assert connections.IDLE_SECONDS == 15.0
    with socket.create_connection(("127.0.0.1", gate.port), timeout=PATIENCE) as sock:
        sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
        began = time.monotonic()
        assert sock.recv(1) == b""

    assert time.monotonic() - began > 5
