"""A fake with the bytes of [MS-TDS] 4.1 and 4.2, "Pre-Login Request" and "Pre-Login Response".

No registry has SQL Server.
"""

from __future__ import annotations

import pytest

from tests.checks.servers.fake import reason_of, reason_of_silence, result_of_dialogue
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_TDS = "not SQL Server on this port"
REQUEST = bytes.fromhex("12 01 001a 0000 00 00 00 000b 0006 01 0011 0001 ff 000000000000 00")
ANSWER = bytes.fromhex(
    "04 01 002b 0000 01 00 00 001a 0006 01 0020 0001 02 0021 0001 03 0022 0000 04 0022 0001 ff"
    "09 00 08 15 00 00 01 00 00"
)


@pytest.mark.parametrize("scheme", ["mssql", "sqlserver", "mssql+pyodbc"])
def test_a_server_that_answers_is_ready(scheme: str) -> None:
    line = f"{scheme}://sa:secret@127.0.0.1:{{port}}/app?driver=ODBC+Driver+18"

    assert run(result_of_dialogue(line, {REQUEST: ANSWER})).ok


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (ANSWER[:2] + b"\0\x0a" + ANSWER[4:], NOT_TDS),
        (ANSWER[:8] + b"\x01" + ANSWER[9:], NOT_TDS),
        (ANSWER.replace(b"\0\x1a\0\6", b"\0\x1a\0\4"), NOT_TDS),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NOT_TDS),
        (ANSWER[:20], "connection closed in the middle of an answer"),
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
