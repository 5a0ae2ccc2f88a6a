from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.checks.servers import certificate
from tests.checks.servers.certificate import Certificate
from tests.checks.servers.daemon import until
from tests.checks.servers.exim import Ports, exim
from tests.checks.servers.fake import reason_of, reason_of_silence
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_SMTP = "not SMTP on this port"


@pytest.fixture(scope="module")
def tls_files(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate.written(authority, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(tls_files: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    with exim(tmp_path_factory.mktemp("exim"), tls_files) as ports:
        yield ports


def secured(server: Ports, login: str) -> str:
    return f"smtps://{login}@localhost:{server.secured}"


def test_a_server_that_greets_is_ready_and_sees_a_client_that_takes_leave(server: Ports) -> None:
    assert run(why_not(f"smtp://127.0.0.1:{server.plain}")) == ""
    assert run(why_not(f"smtp://127.0.0.1:{server.upgraded}")) == ""
    until(lambda: server.log_file.read_text().count("closed by QUIT") == 2)


def test_a_refused_connection_is_absent() -> None:
    line = f"smtp://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_tls_begins_where_wanted_and_is_verified(server: Ports, tls_files: Certificate) -> None:
    line = f"smtp://localhost:{server.upgraded}"

    assert run(why_not(f"{line} starttls ca={tls_files.ca}")) == ""
    assert run(why_not(f"{line} ca={tls_files.ca}")) == ""
    assert run(why_not(f"{line} starttls")) == "TLS: unable to get local issuer certificate"
    assert run(why_not(f"smtps://localhost:{server.secured} ca={tls_files.ca}")) == ""
    assert run(why_not(f"smtps://localhost:{server.secured}")) == (
        "TLS: unable to get local issuer certificate"
    )


def test_the_forms_of_apps_are_known(server: Ports, tls_files: Certificate) -> None:
    login, ca = "app:p%40ss%3Aw@localhost", f"ca={tls_files.ca}"

    assert run(why_not(f"smtp+tls://{login}:{server.upgraded} {ca}")) == ""
    assert run(why_not(f"smtp+ssl://{login}:{server.secured} {ca}")) == ""
    assert run(why_not(f"smtp+tls://localhost:{server.upgraded}")) == (
        "TLS: unable to get local issuer certificate"
    )
    assert problems_of("smtp+x://mail") == ["smtp+x: unknown scheme; gate has smtp, smtps"]


def test_a_server_without_starttls_is_told(server: Ports) -> None:
    line = f"smtp://127.0.0.1:{server.plain} starttls"

    assert run(why_not(line)) == "TLS: the server offers no STARTTLS"


def test_logins_work(server: Ports, tls_files: Certificate, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:w\n")
    by_file = f"password-file={tmp_path}/password ca={tls_files.ca}"

    for login, options in (("app:p%40ss%3Aw", f"ca={tls_files.ca}"), ("app", by_file)):
        for place in (f"smtp://{login}@localhost:{server.upgraded}", secured(server, login)):
            assert run(why_not(f"{place} {options}")) == ""


def test_a_refused_login_says_so(server: Ports) -> None:
    upgraded = f"smtp://app:wrong@127.0.0.1:{server.upgraded} starttls"

    for line in (upgraded, secured(server, "app:wrong")):
        assert run(why_not(f"{line} insecure")) == "login refused"


def test_a_login_that_the_server_does_not_offer_is_told(server: Ports) -> None:
    without = "login: the server takes neither PLAIN nor LOGIN"

    assert run(why_not(f"smtp://app:pw@127.0.0.1:{server.plain}")) == without
    assert run(why_not(f"smtp://app:pw@127.0.0.1:{server.upgraded}")) == (
        f"{without}; it does over TLS, perhaps: add starttls"
    )


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "connection closed without an answer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NOT_SMTP),
        (b"220*x\r\n", NOT_SMTP),
        (b"220-x\r\n" * 101, NOT_SMTP),
        (b"421 too many connections.\r\n", "greeting: 421 too many connections"),
        (b"554-no\r\n554 access\r\n", "greeting: 554 no access"),
        (b"554\r\n", "greeting: 554"),
        (b"220 x\r\n502 unknown\r\n", "EHLO: 502 unknown"),
        (b"220 x\r\n250-x\r\n250-\r\n250 SIZE 1\r\n", ""),
        (b"220\r\n250\r\n", ""),
    ],
)
def test_answers_that_exim_does_not_give_are_told(answer: bytes, why: str) -> None:
    """Each as RFC 5321, 4.2 writes it."""
    assert run(reason_of("smtp://127.0.0.1:{port}", answer, greets=True)) == why


def test_what_a_server_repeats_of_the_login_is_not_shown() -> None:
    said = base64.b64encode(b"\0app\0hunter2")
    answer = b"220 x\r\n250-x\r\n250 AUTH PLAIN\r\n501 bad %s hunter2\r\n" % said

    why = run(reason_of("smtp://app:hunter2@127.0.0.1:{port}", answer, greets=True))
    assert why == "login: 501 bad *** ***"


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    assert run(reason_of_silence("smtp://127.0.0.1:{port}")) == "greeting: no answer within 50ms"


def test_mistakes_are_told() -> None:
    assert problems_of("smtps://mail starttls") == [
        "starttls: smtps begins with TLS; write smtp://host"
    ]
    assert problems_of("smtp://mail startls") == ["startls: unknown option; did you mean starttls?"]
