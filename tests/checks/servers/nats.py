"""NATS from Debian's package nats-server."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.checks.servers.cold_start import Comparison, compare
from tests.checks.servers.daemon import PATIENCE, Daemon, running, started
from tests.conftest import free_port, needs


def _command(port: int, settings: tuple[str, ...]) -> list[str]:
    return [needs("nats-server", "nats-server"), "-a", "127.0.0.1", "-p", str(port), *settings]


def greets(port: int) -> bool:
    """Whether the server greets who connects."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
            return sock.recv(5) == b"INFO "
    except OSError:
        return False


@contextmanager
def connected(port: int) -> Iterator[None]:
    """Hold one connection, logged in."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        sock.sendall(b'CONNECT {"verbose":true}\r\n')
        said = b""
        while b"+OK" not in said:
            said += sock.recv(4096)
        yield


def is_healthy(monitor: int) -> bool:
    """What the server itself says of its health, at its monitoring port."""
    try:
        with urlopen(f"http://127.0.0.1:{monitor}/healthz", timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@contextmanager
def nats(folder: Path, *settings: str) -> Iterator[Daemon]:
    """A server that is ready; nobody has connected to it."""
    port, log_file = free_port(), folder / "log"

    def is_up() -> bool:
        return "Server is ready" in log_file.read_text()

    asked = _command(port, settings)
    with running(asked, port=port, log_file=log_file, is_up=is_up) as daemon:
        yield daemon


def begin_lame_duck_mode(daemon: Daemon) -> None:
    """Have the server leave: it takes no new connections and ends the old ones slowly."""
    daemon.process.send_signal(signal.SIGUSR2)


def cold_start(folder: Path) -> Comparison:
    """Start a server with JetStream while gate asks it, and its monitoring port is asked."""
    port, monitor = free_port(), free_port()
    command = _command(port, ("-m", str(monitor), "--jetstream", "--store_dir", str(folder)))
    server = started(command, port=port, log_file=folder / "log")
    return compare(f"nats://127.0.0.1:{port}", lambda: is_healthy(monitor), server)
