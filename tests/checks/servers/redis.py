"""Redis from Debian's package redis-server, with its data in a folder of the test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.checks.servers.cold_start import Comparison, compare
from tests.checks.servers.daemon import Daemon, running, says, started, until
from tests.conftest import free_port, needs


def command(folder: Path, port: int, *settings: str) -> list[str]:
    """Return the command of a server with *settings*, `--name value` each."""
    fixed = f"--port {port} --bind 127.0.0.1 --dir {folder} --save  --daemonize no"
    own = [word for setting in settings for word in setting.split(" ")]
    return [needs("redis-server", "redis-server"), *fixed.split(" "), *own]


def is_up(port: int) -> bool:
    """Whether the server answers, be it with a refusal."""
    return cli(port, "PING") != ""


@contextmanager
def redis(folder: Path, *settings: str) -> Iterator[Daemon]:
    """A server that answers; `redis-cli` asks it at its port."""
    port = free_port()
    asked = command(folder, port, *settings)
    with running(asked, port=port, log_file=folder / "log", is_up=lambda: is_up(port)) as daemon:
        yield daemon


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[Daemon, Daemon]]:
    """Two nodes that know each other; the second has all slots but the first ten."""
    with _node(folder / "a") as one, _node(folder / "b") as other:
        cli(one.port, "CLUSTER", "ADDSLOTSRANGE", "0", "9")
        cli(other.port, "CLUSTER", "ADDSLOTSRANGE", "10", "16383")
        bus = cli(other.port, "CONFIG", "GET", "cluster-port").split()[1]
        cli(one.port, "CLUSTER", "MEET", "127.0.0.1", str(other.port), bus)
        until(lambda: all(map(_is_whole, (one.port, other.port))))
        yield one, other


def _is_whole(port: int) -> bool:
    return "cluster_state:ok" in cli(port, "CLUSTER", "INFO")


def _node(folder: Path) -> AbstractContextManager[Daemon]:
    folder.mkdir()
    own = f"--cluster-enabled yes --cluster-port {free_port()}"
    return redis(folder, own, "--cluster-announce-ip 127.0.0.1")


def cold_start(folder: Path) -> Comparison:
    """Start a server while gate and `redis-cli` ask it."""
    return _cold_start(folder)


def cold_start_with_data(folder: Path) -> Comparison:
    """Start a server that loads its data until gate has seen it do so, and a little longer."""
    with redis(folder, "--enable-debug-command yes") as daemon:
        cli(daemon.port, "DEBUG", "POPULATE", "8000", "key", "100")
        cli(daemon.port, "SAVE")
    slow = ("--key-load-delay 50000", "--loading-process-events-interval-bytes 1024")
    return _cold_start(folder, *slow, ends="loading its data set")


def _cold_start(folder: Path, *settings: str, ends: str = "") -> Comparison:
    """Start a server, and have it load at full speed when gate says that it *ends*."""
    port = free_port()
    server = started(command(folder, port, *settings), port=port, log_file=folder / "log")

    def hear(reason: str) -> None:
        if reason == ends:
            cli(port, "CONFIG", "SET", "key-load-delay", "0")

    return compare(f"redis://127.0.0.1:{port}", lambda: pings(port), server, hear)


def cli(port: int, *words: str) -> str:
    """Return what the server's own client prints."""
    asked = [needs("redis-cli", "redis-tools"), "-h", "127.0.0.1", "-p", str(port), *words]
    return subprocess.run(asked, capture_output=True, check=False).stdout.decode().strip()


def pings(port: int) -> bool:
    """Whether `redis-cli ping` succeeds."""
    return says([needs("redis-cli", "redis-tools"), "-p", str(port), "ping"], "PONG")
