"""Redis from Debian's package redis-server, with its data in a folder of the test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.checks.servers.daemon import Daemon, running, says, started
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


def cold_redis(folder: Path, port: int, *settings: str) -> AbstractContextManager[Daemon]:
    """A server that is only started."""
    return started(command(folder, port, *settings), port=port, log_file=folder / "log")


def cli(port: int, *words: str) -> str:
    """Return what the server's own client prints."""
    asked = [needs("redis-cli", "redis-tools"), "-h", "127.0.0.1", "-p", str(port), *words]
    return subprocess.run(asked, capture_output=True, check=False).stdout.decode().strip()


def pings(port: int) -> bool:
    """Whether `redis-cli ping` succeeds."""
    return says([needs("redis-cli", "redis-tools"), "-p", str(port), "ping"], "PONG")
