"""memcached from Debian's package memcached, its client from libmemcached-tools."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.checks.servers.cold_start import Comparison, compare
from tests.checks.servers.daemon import Daemon, running, says, started
from tests.conftest import free_port, needs


def _command(port: int, settings: tuple[str, ...]) -> list[str]:
    program = needs("memcached", "memcached")
    return [program, "-u", "root", "-vv", "-l", "127.0.0.1", "-p", str(port), *settings]


def accepts(port: int) -> bool:
    """Whether the server accepts connections."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def memcached(
    folder: Path, *settings: str, env: Mapping[str, str] | None = None
) -> Iterator[Daemon]:
    """A server that accepts connections."""
    port = free_port()
    asked, log_file = _command(port, settings), folder / "log"
    with running(
        asked, port=port, log_file=log_file, is_up=lambda: accepts(port), env=env
    ) as daemon:
        yield daemon


@contextmanager
def memcached_on_socket(folder: Path) -> Iterator[Path]:
    """A server that listens on the unix socket returned, nowhere else."""
    path = folder / "memcached.sock"
    asked = _command(free_port(), ("-s", str(path)))
    with running(asked, port=0, log_file=folder / "log", is_up=path.exists):
        yield path


def sasl(folder: Path, user: str, password: str) -> Mapping[str, str]:
    """Return the environment of a server that knows one user, by the package sasl2-bin."""
    users = folder / "users.db"
    (folder / "memcached.conf").write_text(f"mech_list: plain\nsasldb_path: {users}\n")
    asked = [needs("saslpasswd2", "sasl2-bin"), "-p", "-c", "-f", str(users)]
    subprocess.run([*asked, "-a", "memcached", user], input=password.encode(), check=True)
    return os.environ | {"SASL_CONF_PATH": str(folder)}


def pings(port: int) -> bool:
    """Whether `memcping` succeeds."""
    return says([needs("memcping", "libmemcached-tools"), f"--servers=127.0.0.1:{port}"])


def cold_start(folder: Path) -> Comparison:
    """Start a server while gate and `memcping` ask it."""
    port = free_port()
    server = started(_command(port, ()), port=port, log_file=folder / "log")
    return compare(f"memcached://127.0.0.1:{port}", lambda: pings(port), server)
