from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.checks.servers import certificate
from tests.checks.servers.certificate import Certificate
from tests.checks.servers.daemon import Daemon, until
from tests.checks.servers.fake import reason_of, reason_of_silence
from tests.checks.servers.nats import begin_lame_duck_mode, cold_start, connected, greets, nats
from tests.conftest import free_port, outcome, problems_of, run, why_not

INFO = b'INFO {"server_id":"x"}\r\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with nats(tmp_path_factory.mktemp("nats")) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("guarded")
    with nats(folder, "--user", "app", "--pass", "p@ss:w") as daemon:
        yield daemon


@pytest.fixture(scope="module")
def tls_files(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate.written(authority, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secured(tls_files: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server that demands TLS and a token."""
    settings = ("--tls", "--tlscert", str(tls_files.cert), "--tlskey", str(tls_files.key))
    folder = tmp_path_factory.mktemp("secured")
    with nats(folder, *settings, "--auth", "t0ken") as daemon:
        yield daemon


def errors(daemon: Daemon) -> list[str]:
    return [line for line in daemon.log().splitlines() if "[ERR]" in line or "[WRN]" in line]


def test_a_server_that_answers_ping_is_ready(server: Daemon) -> None:
    assert run(why_not(f"nats://127.0.0.1:{server.port}")) == ""
    assert errors(server) == []


def test_a_refused_connection_is_absent() -> None:
    line = f"nats://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_server_that_demands_a_login_is_ready_without_one(guarded: Daemon) -> None:
    before = errors(guarded)

    assert run(why_not(f"nats://127.0.0.1:{guarded.port}")) == ""
    assert errors(guarded) == before


def test_user_and_password_work(guarded: Daemon, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:w\n")
    before = errors(guarded)

    assert run(why_not(f"nats://app:p%40ss%3Aw@127.0.0.1:{guarded.port}")) == ""
    line = f"nats://app@127.0.0.1:{guarded.port} password-file={tmp_path}/password"
    assert run(why_not(line)) == ""
    assert errors(guarded) == before


def test_a_refused_login_says_so(guarded: Daemon) -> None:
    for login in ("app:wrong", "app", "nobody:x"):
        assert run(why_not(f"nats://{login}@127.0.0.1:{guarded.port}")) == "login refused"


def test_a_login_that_the_server_does_not_want_does_no_harm(server: Daemon) -> None:
    assert run(why_not(f"nats://app:any@127.0.0.1:{server.port}")) == ""


def test_tls_and_a_token_work(secured: Daemon, tls_files: Certificate, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    place, before = f"localhost:{secured.port}", errors(secured)

    assert run(why_not(f"nats://{place} ca={tls_files.ca}")) == ""
    assert run(why_not(f"nats://t0ken@{place} tls ca={tls_files.ca}")) == ""
    token = f"password-file={tmp_path}/token"
    assert run(why_not(f"nats://{place} insecure {token}")) == ""
    assert errors(secured) == before
    assert run(why_not(f"nats://wrong@{place} ca={tls_files.ca}")) == "login refused"


def test_tls_is_verified(secured: Daemon) -> None:
    assert run(why_not(f"nats://localhost:{secured.port}")) == (
        "TLS: unable to get local issuer certificate"
    )


def test_a_server_without_tls_where_it_is_wanted_is_not_ready(server: Daemon) -> None:
    """Any option of TLS wants it: a password must not go in clear where a certificate is named."""
    for options in ("tls", "insecure", "ca=/etc/ssl/certs/ca-certificates.crt"):
        line = f"nats://app:any@127.0.0.1:{server.port} {options}"
        assert run(why_not(line)) == "TLS: the server offers none"


def test_of_several_servers_one_is_enough(server: Daemon, guarded: Daemon) -> None:
    place, closed = f"127.0.0.1:{guarded.port}", f"127.0.0.1:{free_port()}"

    assert run(why_not(f"nats://{closed},127.0.0.1:{server.port}")) == ""
    assert run(why_not(f"nats://app:p%40ss%3Aw@{closed},nats://app:p%40ss%3Aw@{place}")) == ""
    assert run(why_not(f"nats://app:wrong@{closed},{place}")) == (
        f"connection refused ({closed}), login refused ({place})"
    )


def test_a_cold_start_is_seen_no_sooner_than_by_the_server_itself(tmp_path: Path) -> None:
    seen = cold_start(tmp_path)

    assert seen.reasons == ["connection refused"]
    assert not seen.was_early


def test_a_server_in_lame_duck_mode_refuses(tmp_path: Path) -> None:
    with nats(tmp_path) as daemon:
        begin_lame_duck_mode(daemon)
        until(lambda: not greets(daemon.port))

        assert run(why_not(f"nats://127.0.0.1:{daemon.port}")) == "connection refused"
        daemon.process.kill()


def test_a_server_with_too_many_connections_says_so(tmp_path: Path) -> None:
    (tmp_path / "nats.conf").write_text("max_connections: 1\n")
    with nats(tmp_path, "-c", f"{tmp_path}/nats.conf") as daemon, connected(daemon.port):
        assert run(why_not(f"nats://127.0.0.1:{daemon.port}")) == "maximum connections exceeded"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "connection closed without an answer"),
        (b"INFO {", "connection closed in the middle of an answer"),
        (b"INFO {]\r\n", "not NATS on this port"),
        (b"INFO []\r\n", "not NATS on this port"),
        (b"INFO " + b"[" * 60_000 + b"\r\n", "not NATS on this port"),
        (b"220 mail ESMTP\r\n", "not NATS on this port"),
        (b"x" * 100_000, "the answer is too long"),
        (b'INFO {"ldm":true}\r\n', "shutting down (lame duck mode)"),
        (b"-ERR 'maximum connections exceeded'\r\n", "maximum connections exceeded"),
        (INFO + b"-ERR 'Authorization Violation'\r\n", "authorization violation"),
        (INFO + INFO + b"PING\r\n+OK\r\nPONG\r\n", ""),
        (INFO + b"PING\r\n" * 50, "no PONG to a PING"),
        (INFO, "connection closed without an answer"),
    ],
)
def test_odd_answers_are_told(answer: bytes, reason: str) -> None:
    """A server of its own: a real one in lame duck mode greets for a moment at most."""
    assert run(reason_of("nats://127.0.0.1:{port}", answer, greets=True)) == reason


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "no answer within 50ms"

    assert run(reason_of_silence("nats://127.0.0.1:{port}")) == f"greeting: {late}"


def test_mistakes_are_told() -> None:
    assert problems_of("nats://") == ["the URL wants a host; write nats://host:port"]
    assert problems_of("nats+tls://a") == ["nats+tls: unknown scheme; gate has nats"]
