"""A real PostgreSQL of the tests' own: data in a temporary folder, on a free port.

PostgreSQL refuses to run as root, as CI does: it then runs as the user that the Debian
package makes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import trustme

from tests.checks.servers import certificate
from tests.checks.servers.cold_start import Comparison, compare
from tests.checks.servers.daemon import PATIENCE
from tests.conftest import free_port, needs

_PACKAGE = "postgresql"
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "8MB",
    "max_connections": "20",
    "max_wal_senders": "3",
    "lc_messages": "C",
    "log_line_prefix": "",
}
_USERS = """
CREATE ROLE app LOGIN PASSWORD 'se cret';
CREATE ROLE few LOGIN PASSWORD 'few' CONNECTION LIMIT 0;
CREATE ROLE trusted LOGIN;
CREATE DATABASE app OWNER app;
"""
ACCESS = """
local all postgres peer map=tests
local all all scram-sha-256
hostssl all app,postgres all scram-sha-256
hostnossl all app,postgres all scram-sha-256
host all few all scram-sha-256
host replication postgres all trust
host all trusted all trust
"""
"""`pg_hba.conf`: who may come in, and how."""


def program(name: str) -> str:
    """Return the path of a program of the newest PostgreSQL there is."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version)
    return str(found[-1]) if found else needs(name, _PACKAGE)


def _version(path: Path) -> int:
    return int(path.parts[-3])


def user_to_run_as() -> str | None:
    """Return who the servers run as, None if it is whoever runs the tests."""
    return "postgres" if os.getuid() == 0 else None


def call(*command: str) -> str:
    """Return what *command* prints, run as the user that the server runs as."""
    done = subprocess.run(
        command,
        user=user_to_run_as(),
        check=True,
        text=True,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.stdout


class Postgresql:
    """One server; its unix socket is in `folder` too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, **settings: str) -> None:
        """Start the server, without waiting for it."""
        pairs = {**_FAST, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [f"--{key}={value}" for key, value in {**pairs, **settings}.items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [program("postgres"), "-D", str(self.data), *options],
                user=user_to_run_as(),
                cwd="/",
                stdout=log,
                stderr=log,
            )

    def is_ready(self) -> bool:
        """Whether `pg_isready` says so, over TCP."""
        command = (program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port))
        return subprocess.run(command, check=False).returncode == 0

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Return when *holds()* is true; fail with the log after a minute."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.02)

    def send(self, number: int) -> None:
        """Send the signal *number* to the server."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop the server: SIGINT at once, SIGQUIT as in a crash."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE)
            self._process = None

    @contextmanager
    def running(self, **settings: str) -> Iterator[Postgresql]:
        """Start the server, wait until it is ready, and stop it at the end."""
        with self.starting(**settings):
            self.wait_until(self.is_ready)
            yield self

    @contextmanager
    def starting(self, **settings: str) -> Iterator[Postgresql]:
        """Start the server without waiting, and stop it at the end."""
        self.begin(**settings)
        try:
            yield self
        finally:
            self.stop()

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Run *sql* as superuser over the unix socket."""
        quiet = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1")
        return call(program("psql"), *self._address(), *quiet, "-d", database, "-c", sql).strip()

    @contextmanager
    def session(self) -> Iterator[None]:
        """Keep a session open: the server waits for its end before it shuts down."""
        command = (program("psql"), "-X", "-q", *self._address())
        with subprocess.Popen(
            command,
            user=user_to_run_as(),
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        ) as process:
            sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql'"
            self.wait_until(lambda: self.psql(sessions) == "2")
            yield
            process.terminate()

    def answers(self) -> bool:
        """Whether a query by the server's own client succeeds, over TCP."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "app", "-d", "app")
        command = (program("psql"), "-X", "-q", "-w", *where, "-c", "SELECT 1")
        secret = {**os.environ, "PGPASSWORD": "se cret"}
        done = subprocess.run(command, check=False, capture_output=True, env=secret)
        return self.is_ready() and done.returncode == 0

    def _address(self) -> tuple[str, ...]:
        return ("-h", str(self.folder), "-p", str(self.port), "-U", "postgres")

    def log_size(self) -> int:
        """Return the length of the log once all clients so far are done with."""
        self.wait_until(lambda: not self._is_visited())
        return self.log.stat().st_size

    def logged(self, since: int) -> list[str]:
        """Return the lines of the log from *since* on, without what explains another."""
        # A line of a connection that has ended may still be on its way.
        self.wait_until(lambda: not self._is_visited())
        lines = self.log.read_bytes()[since:].decode().splitlines()
        notes = ("DETAIL", "HINT", "STATEMENT", "\t")
        return [line for line in lines if not line.startswith(notes)]

    def _is_visited(self) -> bool:
        """Whether a process of the server's is there for a client, or for what is not yet known."""
        assert self._process is not None
        titles = []
        for child in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                parent = (child / "stat").read_text().rpartition(")")[2].split()[1]
                if parent == str(self._process.pid):
                    titles.append((child / "cmdline").read_text())
        # As in "postgres: app app 127.0.0.1(56330) idle"; before, it is called like its parent.
        return any("(" in title or not title.startswith("postgres: ") for title in titles if title)


@contextmanager
def own_folder() -> Iterator[Path]:
    """Yield a folder that the server's user owns; pytest's are for one user alone."""
    folder = Path(tempfile.mkdtemp(prefix="gate-postgresql-"))
    try:
        _give(folder)
        yield folder
    finally:
        shutil.rmtree(folder)


def _give(path: Path) -> None:
    """Have *path* owned by the user that the server runs as."""
    if (user := user_to_run_as()) is not None:
        shutil.chown(path, user)


def cold_start(folder: Path) -> Comparison:
    """Compare gate without credentials and the server's own client at a start.

    In *folder* are the data of a server that is not running, or nothing yet: then they are
    made first. The path to it must be open to everybody.
    """
    return _cold_start(folder, "")


def cold_start_with_login(folder: Path) -> Comparison:
    """Compare gate with a login and the server's own client at a start, as above."""
    return _cold_start(folder, "app:se%20cret@")


def _cold_start(folder: Path, who: str) -> Comparison:
    _give(folder)
    server = Postgresql(folder)
    if not server.data.exists():
        server = initialize(folder)
    line = f"postgresql://{who}127.0.0.1:{server.port}/app"
    return compare(line, server.answers, server.starting(listen_addresses="127.0.0.1"))


def initialize(folder: Path) -> Postgresql:
    """Return a server that is not running, with the users and rules above."""
    server = Postgresql(folder)
    words = ("-U", "postgres", "-A", "peer", "--no-sync", "-E", "UTF8", "--locale=C")
    call(program("initdb"), "-D", str(server.data), *words)
    name = user_to_run_as() or os.environ.get("USER", "postgres")
    (server.data / "pg_ident.conf").write_text(f"tests {name} postgres\n")
    (server.data / "pg_hba.conf").write_text(ACCESS)
    with server.running(listen_addresses="127.0.0.1"):
        for statement in _USERS.strip().splitlines():
            server.psql(statement)
    return server


def copy_of(original: Postgresql, folder: Path) -> Postgresql:
    """Return a server, not running, with the data of *original*, which must not run either."""
    server = Postgresql(folder)
    call("cp", "-a", str(original.data), str(server.data))
    return server


def standby_of(original: Postgresql, folder: Path) -> Postgresql:
    """Return a copy that will be in recovery for ever, waiting for more to recover."""
    server = copy_of(original, folder)
    (server.data / "standby.signal").touch()
    return server


def certified(server: Postgresql, authority: trustme.CA) -> dict[str, str]:
    """Return the settings for TLS, with files that *server* may read."""
    files = certificate.written(authority, server.folder)
    files.key.chmod(0o600)
    _give(files.key)
    _give(files.cert)
    return {"ssl": "on", "ssl_cert_file": str(files.cert), "ssl_key_file": str(files.key)}
