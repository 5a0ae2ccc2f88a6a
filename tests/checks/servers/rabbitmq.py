"""RabbitMQ from Debian's package rabbitmq-server, a node of the test's own, epmd included."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import trustme

from tests.checks.servers import certificate
from tests.checks.servers.certificate import Certificate
from tests.checks.servers.cold_start import Comparison, poll
from tests.checks.servers.daemon import PATIENCE, Daemon, started, until
from tests.conftest import free_port, needs, run

# Debian's own commands in the PATH change to the user rabbitmq.
_PROGRAMS = Path("/usr/lib/rabbitmq/bin")
_ACCEPTED = re.compile(r"accepting AMQP connection <\S+> \((.*)\)")
_ENDED = re.compile(r"Closing all channels from connection '(.*)'")
_READY = r"Change boot state to `ready`"
_LET_IN = r"connection (<\S+>) .* authenticated and granted access to vhost"
APP = "app:p%40ss%3Aw%C3%B6rd"
"""User and password of the node, as a URL has them."""


@dataclass(frozen=True, slots=True)
class Node:
    """A broker with its ports; `ctl` and `diagnostics` are its own commands."""

    daemon: Daemon
    port: int
    tls_port: int
    env: dict[str, str]

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        asked = [str(_PROGRAMS / program), "--quiet", *words]
        return subprocess.run(
            asked, env=self.env, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def log(self) -> str:
        return "".join(path.read_text() for path in self._logs())

    def is_running(self) -> bool:
        """What `rabbitmq-diagnostics check_running` says; it takes most of a second."""
        return self.run("rabbitmq-diagnostics", "check_running").returncode == 0

    def settle(self) -> None:
        """Wait until all connections so far have ended, and all that is said of them.

        A connection without a word is the mark: it is logged for debugging only.
        """
        with socket.create_connection(("127.0.0.1", self.port)) as mark:
            peer = f"127.0.0.1:{mark.getsockname()[1]} -> 127.0.0.1:{self.port}"
        until(lambda: peer in self._peers(_ENDED))
        until(lambda: self._peers(_ACCEPTED) <= self._peers(_ENDED))

    def noted(self) -> list[str]:
        """Return the warnings and errors, without their headings, times and processes.

        And without the reports, indented, of its supervisors: once in some hundred times one
        stumbles over a channel that has ended by itself, whatever the client does.
        """
        lines = re.findall(r"^.*\[(?:warning|error)\] <[^>]*> (.*)$", self.log(), re.MULTILINE)
        return [
            line
            for line in lines
            if line and not line.endswith(":") and not line.startswith("    ")
        ]

    def ready_at(self) -> float:
        """Return when the boot was over, which is what `check_running` tells, in epoch seconds."""
        return _time_of(self._first(_READY))

    def first_stay(self) -> float:
        """Return for how many seconds the first client was there that has been let in."""
        process = re.escape(self._first(_LET_IN)[2])
        left = _time_of(self._first(f"closing AMQP connection {process}"))
        return left - _time_of(self._first(f"accepting AMQP connection {process}"))

    def _first(self, text: str) -> re.Match[str]:
        """Return where the log says *text* first, its time in front."""
        pattern = re.compile(rf"^(\S+ \S+) .*{text}", re.MULTILINE)
        until(lambda: pattern.search(self.log()) is not None)
        found = pattern.search(self.log())
        assert found is not None
        return found

    def _peers(self, pattern: re.Pattern[str]) -> set[str]:
        return set(pattern.findall(self.log()))

    def _logs(self) -> list[Path]:
        return sorted(Path(self.env["RABBITMQ_LOG_BASE"]).glob("*.log"))


def _time_of(line: re.Match[str]) -> float:
    return datetime.fromisoformat(line[1]).timestamp()


def cold_start(folder: Path) -> Comparison:
    """Start a node while gate asks it, and compare with what the node says of its boot."""
    with seen_cold(folder, certificate.written(trustme.CA(), folder)) as (_, seen):
        return seen


@contextmanager
def seen_cold(folder: Path, tls: Certificate) -> Iterator[tuple[Node, Comparison]]:
    """A node that gate has seen coming up; `was_early` is whether it calls its boot unfinished."""
    with _cold(folder, tls) as node:
        reasons, _ = run(poll(f"amqp://{APP}@127.0.0.1:{node.port} queue=jobs"))
        ready, was_early = time.time(), not node.is_running()
        yield node, Comparison(reasons, ready - node.ready_at(), was_early)


@contextmanager
def _cold(folder: Path, tls: Certificate) -> Iterator[Node]:
    """A node that is only started."""
    needs("rabbitmq-server", "rabbitmq-server")
    port, tls_port = free_port(), free_port()
    env = _environment(folder)
    _configure(folder, port, tls_port, tls)
    command = [str(_PROGRAMS / "rabbitmq-server")]
    try:
        with started(command, port=port, log_file=folder / "output", env=env) as daemon:
            yield Node(daemon, port, tls_port, env)
    finally:
        subprocess.run(
            [needs("epmd", "erlang-base"), "-kill"], env=env, capture_output=True, check=False
        )


def _environment(folder: Path) -> dict[str, str]:
    own = {
        "HOME": folder,
        "ERL_EPMD_PORT": free_port(),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"gate{os.getpid()}@localhost",
        "RABBITMQ_DIST_PORT": free_port(),
        "RABBITMQ_MNESIA_BASE": folder / "mnesia",
        "RABBITMQ_LOG_BASE": folder / "logs",
        "RABBITMQ_CONFIG_FILE": folder / "rabbitmq.conf",
        "RABBITMQ_ADVANCED_CONFIG_FILE": folder / "advanced.config",
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "enabled_plugins",
        "RABBITMQ_PID_FILE": folder / "pid",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
    }
    return os.environ | {name: str(value) for name, value in own.items()}


def _configure(folder: Path, port: int, tls_port: int, tls: Certificate) -> None:
    (folder / "enabled_plugins").write_text("[].")
    (folder / "definitions.json").write_text(json.dumps(_DEFINITIONS))
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\n"
        f"listeners.ssl.1 = 127.0.0.1:{tls_port}\n"
        f"ssl_options.certfile = {tls.cert}\n"
        f"ssl_options.keyfile = {tls.key}\n"
        f"ssl_options.cacertfile = {tls.ca}\n"
        f"load_definitions = {folder}/definitions.json\n"
        "log.file.level = debug\n"
    )


def _user(name: str, password: str) -> dict[str, str]:
    salt = os.urandom(4)
    hashed = b64encode(salt + sha256(salt + password.encode()).digest()).decode()
    algorithm = "rabbit_password_hashing_sha256"
    return {"name": name, "password_hash": hashed, "hashing_algorithm": algorithm, "tags": ""}


def _may_all(user: str, vhost: str) -> dict[str, str]:
    return {"user": user, "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}


_QUEUE = {"durable": True, "auto_delete": False, "arguments": {}}
_DEFINITIONS = {
    "users": [_user("guest", "guest"), _user("app", "p@ss:wörd")],
    "vhosts": [{"name": name} for name in ("/", "app/one", "closed", "broken")],
    "permissions": [
        *(_may_all("guest", vhost) for vhost in ("/", "closed")),
        *(_may_all("app", vhost) for vhost in ("/", "app/one", "broken")),
    ],
    "queues": [
        _QUEUE | {"name": "jobs", "vhost": "/"},
        _QUEUE | {"name": "mails", "vhost": "app/one"},
    ],
}
