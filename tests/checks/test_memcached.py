from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.checks.servers import certificate
from tests.checks.servers.daemon import Daemon, until
from tests.checks.servers.fake import reason_of, reason_of_silence, reason_of_turns
from tests.checks.servers.memcached import cold_start, memcached, memcached_on_socket, sasl
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_MEMCACHED = "not memcached on this port"
LOGGED_IN = b"\x81\x21" + bytes(22)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with memcached(tmp_path_factory.mktemp("memcached")) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server that wants SASL, and therefore speaks binary only."""
    folder = tmp_path_factory.mktemp("guarded")
    with memcached(folder, "-S", env=sasl(folder, "app", "p@ss:w")) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def in_text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A server that wants user and password in text."""
    folder = tmp_path_factory.mktemp("text")
    (folder / "users").write_text("app:p@ss:w\n")
    with memcached(folder, "-Y", f"{folder}/users") as daemon:
        yield daemon


def test_a_server_that_tells_its_version_is_ready(server: Daemon) -> None:
    assert run(why_not(f"memcached://127.0.0.1:{server.port}")) == ""


def test_a_refused_connection_is_absent() -> None:
    line = f"memcached://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_unix_socket_is_asked(tmp_path: Path) -> None:
    with memcached_on_socket(tmp_path) as path:
        assert run(why_not(f"memcached+unix://{path}")) == ""
        assert run(why_not(f"memcached+unix://{path}.not")) == "no such socket"


def test_a_server_that_demands_sasl_is_ready_without_a_login(guarded: Daemon) -> None:
    assert run(why_not(f"memcached://127.0.0.1:{guarded.port}")) == ""


def test_sasl_logins_work(guarded: Daemon, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:w\n")

    assert run(why_not(f"memcached://app:p%40ss%3Aw@127.0.0.1:{guarded.port}")) == ""
    line = f"memcached://app@127.0.0.1:{guarded.port} password-file={tmp_path}/password"
    assert run(why_not(line)) == ""


def test_a_refused_login_says_so(guarded: Daemon) -> None:
    for login in ("app:wrong", "nobody:p"):
        line = f"memcached://{login}@127.0.0.1:{guarded.port}"
        assert run(why_not(line)) == "login refused"


def test_a_login_where_the_server_knows_none_is_told(server: Daemon) -> None:
    assert run(why_not(f"memcached://app:any@127.0.0.1:{server.port}")) == (
        "login: the server knows no logins; take user and password out of the URL"
    )


def test_a_server_that_demands_a_login_in_text_is_ready_without_one(in_text: Daemon) -> None:
    assert run(why_not(f"memcached://127.0.0.1:{in_text.port}")) == ""


def test_logins_in_text_work(in_text: Daemon, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:w\n")
    place = f"127.0.0.1:{in_text.port}"

    assert run(why_not(f"memcached://app:p%40ss%3Aw@{place}")) == ""
    assert run(why_not(f"memcached://app@{place} password-file={tmp_path}/password")) == ""


def test_a_refused_login_in_text_says_so(in_text: Daemon) -> None:
    for login in ("app:wrong", "nobody:p", "app"):
        line = f"memcached://{login}@127.0.0.1:{in_text.port}"
        assert run(why_not(line)) == "login refused"


def test_tls_is_spoken_and_verified(authority: trustme.CA, tmp_path: Path) -> None:
    files = certificate.written(authority, tmp_path)
    options = f"ssl_chain_cert={files.cert},ssl_key={files.key}"
    with memcached(tmp_path, "-Z", "-o", options) as daemon:
        line = f"memcached://localhost:{daemon.port} tls"

        assert run(why_not(f"{line} ca={files.ca}")) == ""
        assert run(why_not(f"memcached://localhost:{daemon.port} ca={files.ca}")) == ""
        assert run(why_not(line)) == "TLS: unable to get local issuer certificate"


def test_a_cold_start_is_seen_no_sooner_than_by_memcping(tmp_path: Path) -> None:
    seen = cold_start(tmp_path)

    assert seen.reasons == ["connection refused"]
    assert not seen.was_early


def test_the_server_logs_no_error(server: Daemon) -> None:
    before = len(server.log())

    run(why_not(f"memcached://127.0.0.1:{server.port}"))

    until(lambda: server.log().endswith(" connection closed.\n"))
    assert "rror" not in server.log()[before:]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "connection closed without an answer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NOT_MEMCACHED),
        (b"x" * 100_000, "the answer is too long"),
        (b"ERROR\r\n", "error"),
        (b"ERROR Too many open connections\r\n", "too many open connections"),
        (b"SERVER_ERROR out of memory\r\n", "out of memory"),
        (b"CLIENT_ERROR unauthenticated\r\n", ""),
    ],
)
def test_odd_answers_are_told(answer: bytes, reason: str) -> None:
    """A server of its own, for states that are hard to bring a real one into."""
    assert run(reason_of("memcached://127.0.0.1:{port}", answer)) == reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"\x81\x21\x00\x00", "connection closed in the middle of an answer"),
        (b"\x81\x21\x00\x00\x00\x00\x00\x21" + bytes(16), "login: status 0x21"),
        (b"\x81\x21\x00\x00\x00\x00\x00\x00\xff" + bytes(15), "the answer is too long"),
        (LOGGED_IN + b"\x81\x0b\x00\x00\x00\x00\x00\x84" + bytes(16), "version: status 0x84"),
        (b"+OK" + bytes(21), NOT_MEMCACHED),
    ],
)
def test_odd_answers_to_a_login_are_told(answer: bytes, reason: str) -> None:
    """A server of its own, which hangs up on text, for what no real one says."""
    assert run(reason_of_turns("memcached://app:pw@127.0.0.1:{port}", b"", answer)) == reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"CLIENT_ERROR authentication failure\r\n", "login refused"),
        (b"SERVER_ERROR out of memory\r\n", "login: server_error out of memory"),
        (b"", "connection closed without an answer"),
    ],
)
def test_odd_answers_to_a_login_in_text_are_told(answer: bytes, reason: str) -> None:
    """A server of its own, for what another version says."""
    line, demand = "memcached://app:pw@127.0.0.1:{port}", b"CLIENT_ERROR unauthenticated\r\n"

    assert run(reason_of_turns(line, demand, answer)) == reason


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "no answer within 50ms"

    assert run(reason_of_silence("memcached://127.0.0.1:{port}")) == f"version: {late}"


def test_mistakes_are_told() -> None:
    assert problems_of("memcached://a,b") == [
        "the URL wants one host and a port; write memcached://host:port"
    ]
