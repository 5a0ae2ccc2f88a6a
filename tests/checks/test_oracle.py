"""A fake listener: no registry has Oracle's.

Its refusals are those that Oracle's driver for Python turns into ORA-12514 and its like, and the
request is, but for names, the one of that driver.
"""

from __future__ import annotations

import socket
import ssl
import struct
from pathlib import Path
from typing import Any

import pytest

from gate.core.model import Result
from tests.checks.servers.fake import reason_of, reason_of_silence, result_of_dialogue
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_ORACLE = "not an Oracle listener on this port"
ACCEPT = bytes.fromhex("0020 0000 02 00 0000 013f 0001 2000 2000 0100 0000 0020 4101").ljust(
    32, b"\0"
)
RESEND = bytes.fromhex("0008 0000 0b 00 0000")
REDIRECT = b"\0\x0c\0\0\x05\0\0\0\0\x02xx"


def request(wanted: str) -> bytes:
    who = f"(CID=(PROGRAM=gate)(HOST={socket.gethostname()}))"
    text = f"(DESCRIPTION=(CONNECT_DATA=({wanted}){who}))".encode()
    head = struct.pack(">HHBBH", 74 + len(text), 0, 1, 0, 0)
    wishes = bytes.fromhex("013f012c0001200020004f9800000001")
    wishes += struct.pack(">HH", len(text), 74) + bytes.fromhex("000000008484") + bytes(24)
    return head + wishes + bytes.fromhex("00002000000020000000000000000000") + text


def refuse(code: int) -> bytes:
    stack = f"(ERROR_STACK=(ERROR=(CODE={code})(EMFI=4)))" if code else "(ALIAS=LISTENER)"
    return refused(f"(DESCRIPTION=(TMP=)(VSNNUM=352321536)(ERR={code}){stack})")


def refused(text: str) -> bytes:
    body = b"\x22\0" + struct.pack(">H", len(text)) + text.encode()
    return struct.pack(">HHBBH", 8 + len(body), 0, 4, 0, 0) + body


def ask(
    wanted: str, said: bytes, form: str = "oracle://127.0.0.1:{port}/app", **server: Any
) -> Result:
    """The listener hangs up where it is asked for something else."""
    found: Result = run(result_of_dialogue(form, {request(wanted): said}, **server))
    return found


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("oracle://127.0.0.1:{port}", "COMMAND=ping"),
        ("oracle://scott:tiger@127.0.0.1:{port}/app.example.com", "SERVICE_NAME=app.example.com"),
        ("oracle://127.0.0.1:{port}/?service_name=app", "SERVICE_NAME=app"),
        ("oracle://127.0.0.1:{port}/?sid=ORCL", "SID=ORCL"),
        ("oracle+oracledb://127.0.0.1:{port}/ORCL", "SID=ORCL"),
        ("oracle+cx_oracle://127.0.0.1:{port}/ORCL", "SID=ORCL"),
        ("oracle+oracledb://127.0.0.1:{port}/?service_name=app", "SERVICE_NAME=app"),
    ],
)
def test_what_the_url_names_is_asked_for(form: str, wanted: str) -> None:
    assert ask(wanted, refuse(0) if wanted == "COMMAND=ping" else ACCEPT, form).ok


def test_a_listener_that_sends_clients_on_is_ready() -> None:
    assert ask("SERVICE_NAME=app", REDIRECT).ok


def test_a_listener_that_did_not_get_it_is_told_again() -> None:
    twice = iter((RESEND, ACCEPT))

    class Turns(dict[bytes, bytes]):
        def __getitem__(self, key: bytes) -> bytes:
            return next(twice)

    answers = Turns({request("SERVICE_NAME=app"): b""})
    assert run(result_of_dialogue("oracle://127.0.0.1:{port}/app", answers)).ok
    assert ask("SERVICE_NAME=app", RESEND).reason == NOT_ORACLE


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (refuse(12514), "the listener does not know the service"),
        (refuse(12528), "closed to new clients: starting or stopping"),
        (refuse(1190), "refused: ORA-01190"),
        (refused("(DESCRIPTION=(TMP=))"), "refused without a reason"),
        (b"\0\x04\0\0\x04\0\0\0", NOT_ORACLE),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NOT_ORACLE),
        (b"", "connection closed without an answer"),
    ],
)
def test_what_it_answers_instead_is_told(said: bytes, why: str) -> None:
    assert run(reason_of("oracle://127.0.0.1:{port}/app", said)) == why


def test_a_service_that_is_not_known_is_absent() -> None:
    line = "oracle://127.0.0.1:{port}/app until=down"

    assert ask("SERVICE_NAME=app", refuse(12514), line).ok
    assert not ask("SERVICE_NAME=app", refuse(12528), line).ok


def test_tls_is_spoken_where_wanted(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    for options in (f"tls ca={ca_file}", f"ca={ca_file}"):
        line = "oracle://127.0.0.1:{port}/app " + options
        assert ask("SERVICE_NAME=app", ACCEPT, line, ssl=server_tls).ok


def test_one_listener_of_several_is_enough() -> None:
    line = f"oracle://127.0.0.1:{{port}},127.0.0.1:{free_port()}/app"

    assert ask("SERVICE_NAME=app", ACCEPT, line).ok


def test_a_refused_connection_is_absent() -> None:
    line = f"oracle://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "listener: no answer within 50ms"

    assert run(reason_of_silence("oracle://127.0.0.1:{port}")) == late


def test_mistakes_are_told() -> None:
    name = "the service's name wants letters, digits and . _ - $ #, at most 90"

    assert problems_of("oracle://db/a)(x") == [name]
    assert problems_of(f"oracle://db/{'a' * 91}") == [name]
