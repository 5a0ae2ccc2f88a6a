"""A real MariaDB of the tests' own: data in a temporary folder, on a free port."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from tests.checks.servers.cold_start import Comparison, compare
from tests.checks.servers.daemon import PATIENCE
from tests.conftest import free_port, needs

_PACKAGE = "mariadb-server"
_SMALL = (
    "--innodb-buffer-pool-size=8M",
    "--innodb-log-file-size=4M",
    "--innodb-flush-log-at-trx-commit=0",
    "--key-buffer-size=1M",
    "--performance-schema=ON",
    "--max-connect-errors=5",
    "--plugin-load-add=auth_ed25519;auth_pam",
    "--proxy-protocol-networks=127.0.0.1",
    "--log-warnings=4",
)
_USERS = """
CREATE DATABASE app;
CREATE USER app IDENTIFIED BY 'se cret';
GRANT ALL ON app.* TO app;
CREATE USER modern IDENTIFIED VIA ed25519 USING PASSWORD('se cret');
CREATE USER odd IDENTIFIED VIA pam;
CREATE USER secure IDENTIFIED BY 'se cret' REQUIRE SSL;
CREATE USER `all` IDENTIFIED BY 'se cret';
GRANT ALL ON *.* TO `all`;
"""
STRANGER = "198.51.100.9"
"""Where `from_afar` claims to come from: MariaDB keeps no book on loopback addresses."""


class Mariadb:
    """One server; its unix socket is in `folder` too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.socket = folder / "sock"
        self.log = folder / "log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, *options: str) -> None:
        """Start the server, without waiting for it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    needs("mariadbd", _PACKAGE),
                    "--no-defaults",
                    # Itself or, with the right to choose, root: no other could enter the folder.
                    f"--user={getpass.getuser()}",
                    f"--datadir={self.data}",
                    f"--socket={self.socket}",
                    # A server that starts removes whatever it takes for its own in there.
                    f"--tmpdir={self.folder}",
                    f"--pid-file={self.folder / 'pid'}",
                    f"--port={self.port}",
                    "--bind-address=127.0.0.1,::1",
                    *_SMALL,
                    *options,
                ],
                stdout=log,
                stderr=log,
            )

    @contextmanager
    def starting(self, *options: str) -> Iterator[Mariadb]:
        """Start the server without waiting, and stop it at the end."""
        self.begin(*options)
        try:
            yield self
        finally:
            self.stop()

    @contextmanager
    def running(self, *options: str) -> Iterator[Mariadb]:
        """Start the server, wait until it is ready, and stop it at the end."""
        with self.starting(*options):
            self.wait_until(self.is_ready)
            yield self

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Return when *holds()* is true; fail with the log after a minute."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.02)

    def is_ready(self) -> bool:
        """Whether `mariadb-admin ping` says so, over TCP."""
        command = (needs("mariadb-admin", "mariadb-client"), "--no-defaults", "ping", *self._tcp())
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def _tcp(self) -> tuple[str, ...]:
        return ("-h", "127.0.0.1", "-P", str(self.port), "--protocol=tcp")

    def send(self, number: int) -> None:
        """Send the signal *number* to the server."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """Stop the server."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None

    @contextmanager
    def sessions(self, count: int) -> Iterator[None]:
        """Keep *count* sessions open."""
        open_now = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'DO SLEEP%'"
        command = (needs("mariadb", "mariadb-client"), "--no-defaults", "-u", "root")
        with ExitStack() as stack:
            for _ in range(count):
                process = subprocess.Popen((*command, "-S", str(self.socket), "-e", "DO SLEEP(60)"))
                stack.enter_context(process)
                stack.callback(process.terminate)
            self.wait_until(lambda: self.sql(open_now) == str(count))
            yield

    def sql(self, text: str) -> str:
        """Run *text* as superuser over the unix socket; return the rows, tabs between values."""
        done = subprocess.run(
            [
                *(needs("mariadb", "mariadb-client"), "--no-defaults", "-N", "-B"),
                *("-u", "root", "-S", str(self.socket), "-e", text),
            ],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def counted(self) -> tuple[int, int]:
        """Return the connection errors and handshake errors counted for `STRANGER`."""
        found = self.sql(
            "SELECT SUM_CONNECT_ERRORS, COUNT_HANDSHAKE_ERRORS FROM performance_schema.host_cache"
            f" WHERE IP = '{STRANGER}'"
        )
        errors, handshakes = found.split() if found else ("0", "0")
        return int(errors), int(handshakes)

    def forget(self) -> None:
        """Empty the host cache."""
        self.sql("FLUSH HOSTS")


@asynccontextmanager
async def from_afar(server: Mariadb) -> AsyncIterator[int]:
    """Yield a port from which *server* is reached as if from `STRANGER`.

    By the PROXY protocol, with which MariaDB counts connection errors for that address.
    """

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", server.port)
        back.write(f"PROXY TCP4 {STRANGER} 127.0.0.1 1234 {server.port}\r\n".encode())
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer))

    listener = await asyncio.start_server(forward, "127.0.0.1", 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]
        # Whoever asked has hung up; the pipes then end by themselves.
        own = asyncio.current_task()
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not own))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return
    finally:
        writer.close()


def initialize(folder: Path) -> Mariadb:
    """Return a server that is not running, with the users above."""
    server = Mariadb(folder)
    subprocess.run(
        [
            *(needs("mariadb-install-db", _PACKAGE), "--no-defaults", "--skip-test-db"),
            *(f"--datadir={server.data}", f"--user={getpass.getuser()}"),
            "--auth-root-authentication-method=normal",
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    with server.running():
        server.sql(_USERS)
    return server


def cold_start(folder: Path) -> Comparison:
    """Compare gate without credentials and the server's own client at a start.

    In *folder* are the data of a server that is not running, or nothing yet: then they are
    made first.
    """
    return _cold_start(folder, "")


def cold_start_with_login(folder: Path) -> Comparison:
    """Compare gate with a login and the server's own client at a start, as above."""
    return _cold_start(folder, "app:se%20cret@")


def _cold_start(folder: Path, who: str) -> Comparison:
    server = Mariadb(folder)
    if not server.data.exists():
        server = initialize(folder)
    return compare(f"mysql://{who}127.0.0.1:{server.port}", server.is_ready, server.starting())


def copy_of(original: Mariadb, folder: Path) -> Mariadb:
    """Return a server, not running, with the data of *original*, which must not run either."""
    server = Mariadb(folder)
    shutil.copytree(original.data, server.data)
    return server
