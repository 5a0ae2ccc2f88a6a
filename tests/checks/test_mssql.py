"""A fake with the bytes of [MS-TDS] 4.1 and 4.2, and a server of its protocol to log in to.

No registry has SQL Server.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.checks.servers import sql_server
from tests.checks.servers.fake import reason_of, reason_of_silence, result_of_dialogue
from tests.checks.servers.sql_server import DONE, LET_IN, LOGIN_ACK, SqlServer, error
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_TDS = "not SQL Server on this port"
REQUEST = bytes.fromhex("12 01 001a 0000 01 00 00 000b 0006 01 0011 0001 ff 000000000000 00")
ANSWER = bytes.fromhex(
    "04 01 002b 0000 01 00 00 001a 0006 01 0020 0001 02 0021 0001 03 0022 0000 04 0022 0001 ff"
    "09 00 08 15 00 00 01 00 00"
)


@pytest.mark.parametrize("scheme", ["mssql", "sqlserver", "mssql+pyodbc"])
def test_a_server_that_answers_is_ready(scheme: str) -> None:
    line = f"{scheme}://sa@127.0.0.1:{{port}}/app?driver=ODBC+Driver+18"

    assert run(result_of_dialogue(line, {REQUEST: ANSWER})).ok


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (ANSWER[:2] + b"\0\x0a" + ANSWER[4:], NOT_TDS),
        (ANSWER[:8] + b"\x01" + ANSWER[9:], NOT_TDS),
        (ANSWER.replace(b"\0\x1a\0\6", b"\0\x1a\0\4"), NOT_TDS),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NOT_TDS),
        (ANSWER[:20], "connection closed in the middle of an answer"),
        (b"\4\1\0\x0b\0\0\1\0\0\0\x1a", NOT_TDS),
        (b"\4\0\x40\0\0\0\1\0" + bytes(0x3FF8), "connection closed without an answer"),
        ((b"\4\0\x40\0\0\0\1\0" + bytes(0x3FF8)) * 5, "the answer is too long"),
        (b"", "connection closed without an answer"),
    ],
)
def test_what_it_answers_instead_is_told(said: bytes, why: str) -> None:
    assert run(reason_of("mssql://127.0.0.1:{port}", said)) == why


def test_one_server_of_several_is_enough() -> None:
    line = f"mssql://127.0.0.1:{{port}},127.0.0.1:{free_port()}"

    assert run(result_of_dialogue(line, {REQUEST: ANSWER})).ok


def test_a_refused_connection_is_absent() -> None:
    line = f"mssql://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "PRELOGIN: no answer within 50ms"

    assert run(reason_of_silence("mssql://127.0.0.1:{port}")) == late


def test_mistakes_are_told() -> None:
    assert problems_of("mssql:///app") == ["the URL names no host; write mssql://host:1433/db"]
    assert problems_of("mssql://:pw@db") == [
        "a password wants a user; write mssql://user@host/database"
    ]
    assert problems_of(f"mssql://db/{'x' * 129}") == [
        "user or database is longer than 128 characters"
    ]


def log_in(server: SqlServer, line: str) -> str:
    async def main() -> str:
        async with sql_server.sql_server(server):
            return await why_not(line.format(f"localhost:{server.port}"))

    return str(run(main()))


LINE = "mssql://sa:p%40ss%3Aw@{}/app"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_login_works_over_tls(
    version: ssl.TLSVersion, server_tls: ssl.SSLContext, ca_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("p@ss:w\n")
    server_tls.maximum_version = version
    server = SqlServer(tls=server_tls)
    by_file = f"sqlserver://sa@{{}}?database=app password-file={tmp_path}/password"

    for line in (LINE, by_file):
        assert log_in(server, f"{line} ca={ca_file}") == ""
    for login in server.logins:
        assert login[1:] == ["sa", "p@ss:w", "gate", "localhost", "", "gate", "", "app"]


def test_the_certificate_is_verified_unless_the_url_trusts_any(server_tls: ssl.SSLContext) -> None:
    untrusted = "TLS: unable to get local issuer certificate"

    for options in ("", "?Encrypt=yes", "?TrustServerCertificate=no"):
        assert log_in(SqlServer(tls=server_tls), LINE + options) == untrusted
    for options in ("?TrustServerCertificate=yes", "?encrypt=disable", " insecure"):
        assert log_in(SqlServer(tls=server_tls), LINE + options) == ""


def test_a_name_that_no_certificate_has_is_told(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    name = "x" * 256

    assert log_in(SqlServer(tls=server_tls), f"{LINE} ca={ca_file} server-name={name}") == (
        f"TLS: {name!r} is not a name that a certificate has"
    )


def test_a_server_without_tls_is_logged_in_to_where_none_is_wanted(ca_file: Path) -> None:
    assert log_in(SqlServer(encryption=sql_server.NONE), LINE) == ""
    assert log_in(SqlServer(encryption=sql_server.NONE), f"{LINE} ca={ca_file}") == (
        "TLS: the server offers none"
    )


RECOVERING = 'Cannot open database "app" requested by the login. The login failed.'


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (error(18456, "Login failed for user 'sa'.") + DONE, "login refused"),
        (error(4060, RECOVERING) + error(18456, "") + DONE, RECOVERING.rstrip(".")),
        (
            error(18401, "Server is in script upgrade mode.") + DONE,
            "Server is in script upgrade mode",
        ),
        (error(50000, "") + DONE, "error 50000"),
        (error(18456, "Login failed for p@ss:w") + LOGIN_ACK, "login refused"),
        (error(1, "Wrong: p@ss:w") + DONE, "Wrong: ***"),
        (DONE, NOT_TDS),
        (b"\x01", NOT_TDS),
        (LET_IN[:9], NOT_TDS),
    ],
)
def test_what_answers_a_login_is_told(answer: bytes, why: str) -> None:
    server = SqlServer(answer=answer, encryption=sql_server.NONE)

    assert log_in(server, LINE) == why


def test_a_password_longer_than_the_protocol_allows_is_told(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x" * 129)
    server = SqlServer(encryption=sql_server.NONE)

    assert log_in(server, f"mssql://sa@{{}} password-file={tmp_path}/password") == (
        "the password is longer than the 128 characters of SQL Server"
    )


def test_a_login_longer_than_a_packet_goes_in_several() -> None:
    server = SqlServer(encryption=sql_server.NONE)

    assert log_in(server, LINE.replace("sa:", f"{'u' * 128}:")) == ""
    assert server.logins[0][1] == "u" * 128


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (b"", "connection closed without an answer"),
        (
            b"\x12\1\0\x0f\0\0\1\0" + b"\x15\3\3\0\2\2\x28",
            "TLS: the server refuses: handshake failure",
        ),
        (b"\x12\1\0\x08\0\0\1\0" * 20, "TLS: the handshake has no end"),
    ],
)
def test_a_handshake_that_fails_is_told(after: bytes, why: str) -> None:
    assert run(reason_of("mssql://sa:pw@127.0.0.1:{port}", ANSWER + after)) == why


def test_what_breaks_off_tls_is_told(server_tls: ssl.SSLContext) -> None:
    for raw in (b"\x17\3\3\0\2xx", b"\x15\3\3\0\2xx", b"\x12\1\0\x08\0\0\1\0" * 3):
        why = log_in(SqlServer(tls=server_tls, raw=raw), f"{LINE} insecure")
        assert why.startswith(("TLS: ", "connection closed"))
    assert log_in(SqlServer(tls=server_tls, answer=b""), f"{LINE} insecure") == (
        "connection closed without an answer"
    )
