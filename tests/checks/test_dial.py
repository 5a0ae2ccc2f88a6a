from __future__ import annotations

import asyncio
import errno
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gate.checks.wire import address_race, dial
from gate.core import attempt
from gate.core.errors import CheckFailed
from tests.conftest import free_port, nobody, open_files, outcome, run, why_not
from tests.unhurried import Unhurried

NO_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
AGAIN = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


class Book(Unhurried):
    """Knows the names of a book only: to addresses, what is raised, or when it ends."""

    names: dict[str, list[str] | OSError | threading.Event]

    def resolve(self, *args: Any) -> Any:
        found = self.names[args[0]]
        if isinstance(found, OSError):
            raise found
        if isinstance(found, threading.Event):
            found.wait()
            return []
        return [entry for address in found for entry in socket.getaddrinfo(address, *args[1:])]


def run_with(names: dict[str, list[str] | OSError | threading.Event], main: Awaitable[Any]) -> Any:
    async def whole() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Book)
        loop.names = names
        return await main

    with asyncio.Runner(loop_factory=Book) as runner:
        return runner.run(whole())


@contextmanager
def listening(host: str, port: int = 0) -> Iterator[int]:
    """A server that the kernel accepts connections for."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as server:
        yield server.getsockname()[1]


@contextmanager
def silent(host: str, port: int = 0) -> Iterator[int]:
    """An address that never answers: the queue of its server is full, so SYNs are dropped."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_localhost_is_found_on_either_address(host: str) -> None:
    with listening(host) as port:
        assert run(why_not(f"tcp://localhost:{port}")) == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[0:0:0:0:0:0:0:1]"])
def test_an_address_is_not_looked_up(host: str) -> None:
    with listening(host.strip("[]")) as port:
        assert run_with({}, why_not(f"tcp://{host}:{port}")) == ""


def test_localhost_is_not_looked_up() -> None:
    with listening("127.0.0.1") as port:
        assert run_with({}, why_not(f"tcp://LocalHost.:{port}")) == ""


def test_localhost_does_not_wait_for_a_silent_address() -> None:
    async def main(port: int) -> tuple[bool, float]:
        result = await outcome(f"tcp://localhost:{port}")
        return result.ok, result.finished - result.started

    with silent("127.0.0.1") as port, listening("::1", port):
        is_ready, seconds = run(main(port))

    assert is_ready
    assert seconds >= address_race.STAGGER


def test_every_address_of_a_name_is_tried() -> None:
    with listening("127.0.0.4") as port:
        book: dict[str, Any] = {"db": ["127.0.0.2", "127.0.0.3", "127.0.0.4"]}

        assert run_with(book, why_not(f"tcp://db:{port}")) == ""


def test_a_name_with_one_address_is_connected_to() -> None:
    with listening("127.0.0.2") as port:
        assert run_with({"db": ["127.0.0.2"]}, why_not(f"tcp://db:{port}")) == ""


def test_a_silent_address_holds_up_the_next_for_a_moment_only() -> None:
    async def main(port: int) -> float:
        result = await outcome(f"tcp://db:{port}")
        assert result.ok
        return result.finished - result.started

    with silent("127.0.0.2") as port, listening("127.0.0.3", port):
        seconds = run_with({"db": ["127.0.0.2", "127.0.0.3"]}, main(port))

    assert seconds >= address_race.STAGGER


def test_families_take_turns() -> None:
    six, four = socket.AF_INET6, socket.AF_INET
    given: list[tuple[int, str]] = [(six, "a"), (six, "b"), (six, "c"), (four, "d")]

    assert [name for _, name in dial._alternating(given)] == ["a", "d", "b", "c"]


def test_a_name_all_of_whose_addresses_refuse_is_refused_once() -> None:
    book: dict[str, Any] = {"db": ["127.0.0.2", "127.0.0.3"]}
    line = f"tcp://db:{free_port()}"

    assert run_with(book, why_not(line)) == "connection refused"
    assert run_with(book, outcome(f"{line} until=down")).ok


def test_a_silent_address_says_where_it_hangs_and_leaves_nothing_open() -> None:
    with silent("127.0.0.2") as port, silent("127.0.0.3", port):
        before = open_files()

        reason = run_with(
            {"db": ["127.0.0.2", "127.0.0.3"]}, why_not(f"tcp://db:{port} timeout=500ms")
        )

        assert reason == "connecting: no answer within 500ms"
        assert open_files() == before


def test_a_silent_address_is_not_absent() -> None:
    with silent("127.0.0.1") as port:
        line = f"tcp://127.0.0.1:{port} timeout=100ms until=down"

        assert run(why_not(line)) == "connecting: no answer within 100ms"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (NO_NAME, "name not found: db"),
        (AGAIN, "name lookup failed: db: temporary failure in name resolution"),
        (OSError(errno.EMFILE, "…"), "name lookup failed: db: too many open files"),
    ],
)
def test_a_failed_lookup_says_why(found: OSError, reason: str) -> None:
    assert run_with({"db": found}, why_not("tcp://db:1")) == reason


def test_a_lookup_without_an_answer_says_who_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "asked_for", lambda name: f" (server of {name})")
    released = threading.Event()
    book: dict[str, Any] = {"db": released}

    try:
        why = run_with(book, why_not("tcp://db:1 timeout=100ms"))
    finally:
        released.set()

    assert why == "name lookup (server of db): no answer within 100ms"


def test_a_name_that_does_not_exist_is_absent_and_a_failed_lookup_is_not() -> None:
    assert run_with({"db": NO_NAME}, outcome("tcp://db:1 until=gone")).ok
    assert not run_with({"db": AGAIN}, outcome("tcp://db:1 until=down")).ok


@pytest.mark.parametrize("name", ["a..b", "a" * 64, "999.1.1.1"])
def test_what_cannot_be_a_name_is_not_found(name: str) -> None:
    assert run(why_not(f"tcp://{name}:1")).startswith("name not found: ")


def test_a_connection_to_itself_is_refused() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(sock.getsockname())

        with pytest.raises(ConnectionRefusedError):
            dial._refuse_itself(sock)


def in_a_network_of_its_own(settings: str, script: str) -> str:
    """Return what the Python *script* prints where the shell has made *settings*."""
    unshare = [shutil.which("unshare") or "", "-n", "sh", "-c"]
    command = [*unshare, f'ip link set lo up && {settings} && exec "$@"', "sh"]
    if (
        not command[0]
        or subprocess.run([*command, "true"], stderr=subprocess.DEVNULL, check=False).returncode
    ):
        pytest.skip("needs the right to make a network namespace")
    done = subprocess.run(
        [*command, sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    return done.stdout


IPV6_OFF = """
from tests.conftest import outcome, run
print(run(outcome("tcp://localhost:1")).reason, run(outcome("tcp://localhost:1 until=down")).ok)
"""


def test_a_machine_without_ipv6_says_only_what_counts() -> None:
    switch_off = "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6"

    assert in_a_network_of_its_own(switch_off, IPV6_OFF) == "connection refused True\n"


def test_a_kernel_without_ipv6_is_no_way_to_such_an_address() -> None:
    """Some family that no kernel has stands in for it."""
    with pytest.raises(address_race.NoWay, match="address family not supported"):
        run(dial._connect(99, ("::1", 1)))


TWO_CLIENT_PORTS = """
from tests.conftest import open_files, run, why_not
print(*{run(why_not(f"tcp://127.0.0.1:{port}")) for port in (40000, 40001) for _ in range(5)})
"""


def test_an_attempt_never_meets_itself() -> None:
    """Where the kernel has two ports to give, one of them is the one that is asked for."""
    two = "echo 40000 40001 >/proc/sys/net/ipv4/ip_local_port_range"

    assert in_a_network_of_its_own(two, TWO_CLIENT_PORTS) == "connection refused\n"


async def say_hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello, to whoever wants to talk TLS or not")
    writer.close()


async def talk(
    server_tls: ssl.SSLContext | None, ca_file: Path, server_name: str = "localhost"
) -> str:
    """Return what a server on 127.0.0.1 says over TLS, or why it does not."""
    context = ssl.create_default_context(cafile=str(ca_file))
    async with await asyncio.start_server(say_hello, "127.0.0.1", 0, ssl=server_tls) as server:
        port = server.sockets[0].getsockname()[1]
        try:
            sock = await dial.dial("localhost", port)
            reader, writer = await dial.wrap(sock, tls=context, server_name=server_name)
        except CheckFailed as exc:
            return str(exc)
        with closing(writer):
            return (await reader.read()).decode()[:5]


def test_a_server_without_tls_says_so(ca_file: Path) -> None:
    assert run(talk(None, ca_file)) == "the server does not speak TLS on this port"


def test_a_name_that_no_certificate_can_have_is_told(ca_file: Path) -> None:
    reason = run(talk(None, ca_file, server_name=".db"))

    assert reason == "TLS: '.db' is not a name that a certificate has"


def test_a_hanging_handshake_leaves_nothing_open(ca_file: Path) -> None:
    context = ssl.create_default_context(cafile=str(ca_file))

    async def main(port: int) -> None:
        async with asyncio.timeout(0.1):
            sock = await dial.dial("127.0.0.1", port)
            await dial.wrap(sock, tls=context, server_name="127.0.0.1")

    with listening("127.0.0.1") as port:
        before = open_files()
        with pytest.raises(TimeoutError):
            run(main(port))
        assert open_files() == before


def test_a_connection_ended_in_the_handshake_is_told(ca_file: Path) -> None:
    async def main() -> str:
        async with await asyncio.start_server(lambda _, w: w.close(), "127.0.0.1", 0) as server:
            return await why_not(f"tls://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    assert run(main()) in {"connection reset", "connection closed"}


async def places(line: str) -> dict[attempt.Place, bool]:
    await why_not(line)
    return attempt.places()


def test_an_attempt_notes_who_was_there_and_who_was_not(tmp_path: Path) -> None:
    refused, path = free_port(), f"{tmp_path}/sock"
    with listening("::1") as port, socket.socket(socket.AF_UNIX) as sock:
        both = run(places(f"a tcp://localhost:{port}"))
        none = run(places(f"a tcp://localhost:{refused}"))
        before = run(places(f"a unix://{path}"))
        sock.bind(path)
        stale = run(places(f"a unix://{path}"))
        sock.listen()
        there = run(places(f"a unix://{path}"))

    assert both == {("127.0.0.1", port): False, ("::1", port): True}
    assert none == {("127.0.0.1", refused): False, ("::1", refused): False}
    assert [before, stale, there] == [{(path, 0): False}, {(path, 0): False}, {(path, 0): True}]


def test_a_socket_to_which_gate_has_no_right_is_not_there(tmp_path: Path) -> None:
    """A look sees when it is given that."""
    path = f"{tmp_path}/sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()
        Path(path).chmod(0o000)
        with nobody():
            found = run(places(f"a unix://{path}"))

    assert found == {(path, 0): False}


def test_what_is_silent_or_no_socket_is_neither_there_nor_not(tmp_path: Path) -> None:
    with silent("127.0.0.1") as port:
        hung = run(places(f"a tcp://127.0.0.1:{port} timeout=100ms"))
    (tmp_path / "file").touch()
    odd = run(places(f"a unix://{tmp_path}/file/sock"))

    assert (hung, odd) == ({}, {})
