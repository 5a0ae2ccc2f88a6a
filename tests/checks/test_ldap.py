from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from gate.checks.ldap import messages
from tests.checks.servers import certificate
from tests.checks.servers.certificate import Certificate
from tests.checks.servers.fake import outcome_of, reason_of, reason_of_silence
from tests.checks.servers.slapd import slapd
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_LDAP = "not LDAP on this port"
ADMIN = "cn=admin,dc=example,dc=org"
Ports = tuple[int, int]


@pytest.fixture(scope="module")
def tls_files(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate.written(authority, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(tls_files: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    with slapd(tmp_path_factory.mktemp("slapd"), tls_files) as ports:
        yield ports


@pytest.fixture(scope="module")
def guarded(tls_files: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """A server that answers known clients over TLS alone."""
    settings = "disallow bind_anon\nrequire authc\nsecurity tls=1"
    with slapd(tmp_path_factory.mktemp("guarded"), tls_files, settings) as ports:
        yield ports


def test_a_directory_is_ready_when_it_answers(server: Ports) -> None:
    assert run(why_not(f"ldap://127.0.0.1:{server[0]}")) == ""


def test_a_directory_for_known_clients_is_ready_without_a_login(guarded: Ports) -> None:
    assert run(why_not(f"ldap://127.0.0.1:{guarded[0]}")) == ""


def test_an_entry_that_is_wanted_must_be_there(server: Ports, guarded: Ports) -> None:
    line = f"ldap://127.0.0.1:{server[0]}"

    assert run(why_not(f"{line}/dc=example,dc=org")) == ""
    assert run(why_not(f"{line}/ou=people,dc=example,dc=org")) == (
        "entry not found: ou=people,dc=example,dc=org"
    )
    assert run(outcome(f"{line}/ou=people,dc=example,dc=org until=down")).ok
    assert run(why_not(f"ldap://127.0.0.1:{guarded[0]}/dc=example,dc=org")).startswith(
        "TLS is required (add starttls): "
    )


def test_a_refused_connection_is_absent() -> None:
    line = f"ldap://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_tls_is_spoken_and_verified(server: Ports, tls_files: Certificate) -> None:
    for line in (f"ldap://localhost:{server[0]} starttls", f"ldaps://localhost:{server[1]}"):
        assert run(why_not(f"{line} ca={tls_files.ca}")) == ""
        assert run(why_not(line)) == "TLS: unable to get local issuer certificate"


def test_logins_work(server: Ports, guarded: Ports, tls_files: Certificate, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:w\n")
    (port, _), (behind_tls, _) = server, guarded
    by_file = f"password-file={tmp_path}/password starttls ca={tls_files.ca}"

    assert run(why_not(f"ldap://{ADMIN}:p%40ss%3Aw@localhost:{port}/dc=example,dc=org")) == ""
    assert run(why_not(f"ldap://{ADMIN}@localhost:{behind_tls} {by_file}")) == ""


def test_a_refused_login_says_so(server: Ports, guarded: Ports) -> None:
    for login in (f"{ADMIN}:wrong", "cn=nobody,dc=example,dc=org:p"):
        assert run(why_not(f"ldap://{login}@127.0.0.1:{server[0]}")) == "login refused"
    assert run(why_not(f"ldap://{ADMIN}:p%40ss%3Aw@127.0.0.1:{guarded[0]}")) == (
        "login: TLS is required (add starttls): TLS confidentiality required"
    )


def test_a_server_without_tls_is_told(server: Ports) -> None:
    said = reply(messages.EXTENDED_DONE, 53, b"no TLS")

    assert run(reason_of("ldap://127.0.0.1:{port} starttls", said)) == "TLS: unwilling: no TLS"


def reply(kind: int, code: int, text: bytes = b"") -> bytes:
    """An answer as RFC 4511, 4.1.9 writes it."""
    words = messages._element(0x0A, bytes((code,))) + messages._element(4, b"")
    return message(messages._element(kind, words + messages._element(4, text)))


def message(operation: bytes) -> bytes:
    return messages._element(0x30, b"\x02\x01\x01" + operation)


ENTRY = message(messages._element(messages.ENTRY, b""))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "connection closed without an answer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NOT_LDAP),
        (b"0\x01\x00", NOT_LDAP),
        (message(b"\x65\x00"), NOT_LDAP),
        (ENTRY * 33, NOT_LDAP),
        (b"\x30\x84\xff\xff\xff\xff", "the answer is too long"),
        (ENTRY + reply(messages.DONE, 0), ""),
        (reply(messages.DONE, 32), ""),
        (reply(messages.DONE, 50), ""),
        (reply(messages.DONE, 51, b"come back\0"), "busy: come back"),
        (reply(messages.DONE, 52, b"x" * 300), f"unavailable: {'x' * 286}…"),
        (reply(messages.DONE, 80), "result code 80"),
        (
            reply(messages.EXTENDED_DONE, 52, b"shutting down"),
            "the server ends the connection: unavailable: shutting down",
        ),
    ],
)
def test_answers_that_openldap_does_not_give_are_told(answer: bytes, why: str) -> None:
    """Each as RFC 4511 writes it; Active Directory writes lengths in four bytes."""
    assert run(reason_of("ldap://127.0.0.1:{port}", answer)) == why


def test_an_entry_nobody_may_see_is_no_ready_one() -> None:
    answer = reply(messages.DONE, 50)

    assert not run(outcome_of("ldap://127.0.0.1:{port}/dc=x", answer)).ok


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "no answer within 50ms"

    assert run(reason_of_silence("ldap://127.0.0.1:{port}")) == f"search: {late}"
    assert run(reason_of_silence("ldap://cn=a:pw@127.0.0.1:{port}")) == f"login: {late}"
    assert run(reason_of_silence("ldap://127.0.0.1:{port} starttls")) == f"StartTLS: {late}"


def test_mistakes_are_told() -> None:
    both = "the login wants the DN of a user and a password; or give neither"

    assert problems_of("ldap://cn=app@directory") == [both]
    assert problems_of("ldap://:pw@directory") == [both]
    assert problems_of("ldaps://directory starttls") == [
        "starttls: ldaps begins with TLS; write ldap://host"
    ]
