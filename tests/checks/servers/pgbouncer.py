"""A real PgBouncer of the tests' own, in front of a PostgreSQL of theirs and as its user."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.checks.servers.postgresql import Postgresql, user_to_run_as
from tests.conftest import free_port, needs, run, why_not


@contextmanager
def pooled(server: Postgresql, **settings: str) -> Iterator[int]:
    """Yield the port where the databases of *server* are pooled."""
    port = free_port()
    users = server.folder / "users"
    users.write_text('"trusted" ""\n')
    pairs = {"listen_addr": "127.0.0.1", "listen_port": str(port), "unix_socket_dir": ""}
    pairs |= {"auth_file": str(users), **settings}
    text = "\n".join(f"{name} = {value}" for name, value in pairs.items())
    config = server.folder / "pgbouncer.ini"
    config.write_text(f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\n{text}\n")
    command = (needs("pgbouncer", "pgbouncer"), "-q", str(config))
    with subprocess.Popen(
        command, user=user_to_run_as(), cwd="/", stderr=subprocess.DEVNULL
    ) as process:
        try:
            server.wait_until(lambda: run(why_not(f"tcp://127.0.0.1:{port}")) == "")
            yield port
        finally:
            process.terminate()
