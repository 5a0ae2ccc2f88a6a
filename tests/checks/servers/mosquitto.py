"""mosquitto from Debian's packages mosquitto and mosquitto-clients."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.checks.servers.cold_start import Comparison, compare
from tests.checks.servers.daemon import Daemon, running, says, started
from tests.conftest import free_port, needs


def _command(folder: Path, settings: str) -> list[str]:
    config = folder / "mosquitto.conf"
    config.write_text(f"user root\n{settings}\n")
    return [needs("mosquitto", "mosquitto"), "-v", "-c", str(config)]


def passwords(folder: Path, user: str, password: str) -> Path:
    """Return a password file with one user."""
    path = folder / "passwords"
    path.touch(mode=0o600)
    program = needs("mosquitto_passwd", "mosquitto")
    subprocess.run([program, "-b", str(path), user, password], check=True, capture_output=True)
    return path


@contextmanager
def mosquitto(folder: Path, settings: str) -> Iterator[Daemon]:
    """A broker that runs; its listeners are in *settings*, `{port}` is free."""
    port = free_port()
    asked = _command(folder, settings.format(port=port))
    log_file = folder / "log"

    def is_up() -> bool:
        return log_file.exists() and " running" in log_file.read_text()

    with running(asked, port=port, log_file=log_file, is_up=is_up) as daemon:
        yield daemon


def publishes(port: int) -> bool:
    """Whether `mosquitto_pub` succeeds."""
    program = needs("mosquitto_pub", "mosquitto-clients")
    return says([program, "-p", str(port), "-t", "cold", "-n"])


def cold_start(folder: Path) -> Comparison:
    """Start a broker for all while gate and `mosquitto_pub` ask it."""
    port = free_port()
    command = _command(folder, f"listener {port} 127.0.0.1\nallow_anonymous true")
    server = started(command, port=port, log_file=folder / "log")
    return compare(f"mqtt://127.0.0.1:{port}", lambda: publishes(port), server)
