"""sshd from Debian's package openssh-server."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.checks.servers.daemon import Daemon, running
from tests.conftest import free_port, needs

PRIVILEGE_SEPARATION = Path("/run/sshd")


@contextmanager
def sshd(folder: Path, *settings: str) -> Iterator[Daemon]:
    """A server with a key of its own."""
    if os.geteuid() != 0 and not PRIVILEGE_SEPARATION.exists():
        pytest.skip(f"sshd wants {PRIVILEGE_SEPARATION}, which root makes")
    port, key = free_port(), folder / "key"
    keygen = [needs("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f"]
    subprocess.run([*keygen, str(key)], check=True)
    PRIVILEGE_SEPARATION.mkdir(exist_ok=True)
    options = [f"ListenAddress=127.0.0.1:{port}", f"HostKey={key}", "PidFile=none", *settings]
    command = [needs("sshd", "openssh-server"), "-D", "-e", "-f", "/dev/null"]
    command += [part for option in options for part in ("-o", option)]
    log_file = folder / "log"

    def is_up() -> bool:
        return log_file.exists() and "Server listening" in log_file.read_text()

    with running(command, port=port, log_file=log_file, is_up=is_up) as daemon:
        yield daemon


@contextmanager
def strangers(port: int, count: int) -> Iterator[None]:
    """As many clients that have connected and say nothing."""
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    try:
        yield
    finally:
        for sock in held:
            sock.close()
