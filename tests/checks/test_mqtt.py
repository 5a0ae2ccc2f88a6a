from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from re import fullmatch

import pytest
import trustme

from tests.checks.servers import certificate
from tests.checks.servers.certificate import Certificate
from tests.checks.servers.daemon import Daemon, until
from tests.checks.servers.fake import reason_of, reason_of_silence
from tests.checks.servers.mosquitto import cold_start, mosquitto, passwords
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_MQTT = "not MQTT 3.1.1 on this port"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    settings = "listener {port} 127.0.0.1\nallow_anonymous true"
    with mosquitto(tmp_path_factory.mktemp("mosquitto"), settings) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    folder = tmp_path_factory.mktemp("guarded")
    file = passwords(folder, "app", "p@ss:w")
    settings = f"listener {{port}} 127.0.0.1\nallow_anonymous false\npassword_file {file}"
    with mosquitto(folder, settings) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def tls_files(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate.written(authority, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secured(tls_files: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    settings = (
        "listener {port} 127.0.0.1\nallow_anonymous true\n"
        f"certfile {tls_files.cert}\nkeyfile {tls_files.key}"
    )
    with mosquitto(tmp_path_factory.mktemp("secured"), settings) as daemon:
        yield daemon


def clients(daemon: Daemon) -> list[str]:
    """What the broker logs of gate's sessions, without times and names."""
    lines = [line.split(": ", 1)[1] for line in daemon.log().splitlines() if ": " in line]
    return [line for line in lines if line.startswith("Client ")]


def test_a_broker_that_lets_in_is_ready_and_sees_a_client_that_takes_leave(
    server: Daemon,
) -> None:
    before = len(clients(server))

    assert run(why_not(f"mqtt://127.0.0.1:{server.port}")) == ""
    until(lambda: len(clients(server)) > before)
    (last,) = clients(server)[before:]
    assert fullmatch("Client gate[0-9a-z]{1,19} disconnected[.]", last)
    assert "rror" not in server.log()


def test_a_refused_connection_is_absent() -> None:
    line = f"mqtt://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_broker_that_demands_a_login_is_ready_without_one(guarded: Daemon) -> None:
    assert run(why_not(f"mqtt://127.0.0.1:{guarded.port}")) == ""
    assert "rror" not in guarded.log()


def test_logins_work(guarded: Daemon, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:w\n")

    assert run(why_not(f"mqtt://app:p%40ss%3Aw@127.0.0.1:{guarded.port}")) == ""
    line = f"mqtt://app@127.0.0.1:{guarded.port} password-file={tmp_path}/password"
    assert run(why_not(line)) == ""


def test_a_refused_login_says_so(guarded: Daemon) -> None:
    for login in ("app:wrong", "app", "nobody:x"):
        assert run(why_not(f"mqtt://{login}@127.0.0.1:{guarded.port}")) == (
            "login or client id refused: not authorised"
        )


def test_a_broker_that_takes_certain_client_ids_only_is_given_one(
    guarded: Daemon, tmp_path: Path
) -> None:
    users = guarded.log_file.parent / "passwords"
    settings = f"allow_anonymous false\npassword_file {users}\nclientid_prefixes app-"
    with mosquitto(tmp_path, f"listener {{port}} 127.0.0.1\n{settings}") as daemon:
        line = f"mqtt://app:p%40ss%3Aw@127.0.0.1:{daemon.port}"

        assert run(why_not(f"{line} client-id=app-gate")) == ""
        assert run(why_not(line)) == "login or client id refused: not authorised"


def test_tls_is_spoken_and_verified(secured: Daemon, tls_files: Certificate) -> None:
    line = f"mqtts://localhost:{secured.port}"

    assert run(why_not(f"{line} ca={tls_files.ca}")) == ""
    assert "rror" not in secured.log()
    assert run(why_not(line)) == "TLS: unable to get local issuer certificate"


def test_the_wrong_kind_of_port_is_told(server: Daemon, secured: Daemon) -> None:
    assert run(why_not(f"mqtt://127.0.0.1:{secured.port}")) == "connection reset"
    assert run(why_not(f"mqtts://127.0.0.1:{server.port} insecure")).startswith("connection ")


def test_a_cold_start_is_seen_no_sooner_than_by_mosquitto_pub(tmp_path: Path) -> None:
    seen = cold_start(tmp_path)

    assert seen.reasons == ["connection refused"]
    assert not seen.was_early


def test_a_password_longer_than_mqtt_allows_is_told(server: Daemon) -> None:
    assert run(why_not(f"mqtt://app:{'x' * 65536}@127.0.0.1:{server.port}")) == (
        "user, password or client id is longer than MQTT allows"
    )
    assert run(why_not(f"mqtt://app:{'x' * 65535}@127.0.0.1:{server.port}")) == ""


@pytest.mark.parametrize(
    ("answer", "without_login", "with_login"),
    [
        (b"", *["connection closed without an answer"] * 2),
        (b"\x20\x02\x00", *["connection closed in the middle of an answer"] * 2),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NOT_MQTT, NOT_MQTT),
        (b"\x20\x02\x00\x01", "", "does not speak MQTT 3.1.1"),
        (b"\x20\x02\x00\x02", "", "client id refused"),
        (b"\x20\x02\x00\x03", "server unavailable", "server unavailable"),
        (b"\x20\x02\x00\x04", "", "login refused: wrong user or password"),
        (b"\x20\x02\x00\x09", "refused with code 9", "refused with code 9"),
    ],
)
def test_odd_answers_are_told(answer: bytes, without_login: str, with_login: str) -> None:
    """A server of its own: mosquitto knows only two of the return codes."""
    assert run(reason_of("mqtt://127.0.0.1:{port}", answer)) == without_login
    assert run(reason_of("mqtt://app:pw@127.0.0.1:{port}", answer)) == with_login


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "no answer within 50ms"

    assert run(reason_of_silence("mqtt://127.0.0.1:{port}")) == f"CONNECT: {late}"
    assert run(reason_of_silence("mqtt://app:pw@127.0.0.1:{port}")) == f"login: {late}"


def test_mistakes_are_told() -> None:
    assert problems_of("mqtt://a,b") == [
        "the URL wants one host and a port; write mqtt://host:port"
    ]
