"""A fake with the bytes of `native_protocol_v4.spec` of Cassandra: no registry has a server.

The requests are those that DataStax's driver for Python encodes, but for their stream's number.
"""

from __future__ import annotations

import ssl
import struct
from pathlib import Path
from typing import Any

import pytest

from gate.core.model import Result
from tests.checks.servers.fake import reason_of, reason_of_silence, result_of_dialogue
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_CASSANDRA = "not Cassandra's native protocol on this port"
ASKED = "SELECT bootstrapped FROM system.local WHERE key='local'"


def frame(version: int, opcode: int, body: bytes) -> bytes:
    return bytes((version, 0, 0, 0, opcode)) + struct.pack(">I", len(body)) + body


def request(opcode: int, body: bytes) -> bytes:
    return frame(0x04, opcode, body)


def answer(opcode: int, body: bytes = b"") -> bytes:
    return frame(0x84, opcode, body)


def string(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def query(text: str) -> bytes:
    return request(0x07, struct.pack(">I", len(text)) + text.encode() + b"\x00\x01\x00")


def error(code: int, text: str) -> bytes:
    return answer(0x00, struct.pack(">I", code) + string(text))


def rows(*values: bytes, flags: int = 1, state: bytes = b"") -> bytes:
    column = string("system") + string("local") + string("bootstrapped") + b"\x00\x0d"
    head = struct.pack(">III", 2, flags, 1) + state + column
    return answer(0x08, head + struct.pack(">I", len(values)) + b"".join(values))


def value(text: str) -> bytes:
    return struct.pack(">I", len(text)) + text.encode()


STARTUP = request(0x01, b"\x00\x01" + string("CQL_VERSION") + string("3.0.0"))
READY = answer(0x02)
AUTHENTICATE = answer(0x03, string("org.apache.cassandra.auth.PasswordAuthenticator"))
STATE = query(ASKED)
JOINED = rows(value("COMPLETED"))
LOGIN = request(0x0F, b"\0\0\0\x0b\0app\0p@ss:w")
LET_IN = {STARTUP: READY, STATE: JOINED}


def ask(answers: dict[bytes, bytes], rest: str = "", *, login: str = "", **server: Any) -> Result:
    line = f"cassandra://{login}127.0.0.1:{{port}}{rest}"
    found: Result = run(result_of_dialogue(line, answers, **server))
    return found


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (JOINED, ""),
        (rows(value("COMPLETED"), flags=3, state=b"\0\0\0\2xy"), ""),
        (rows(value("IN_PROGRESS")), "has not joined: in progress"),
        (rows(value("NEEDS_BOOTSTRAP")), "has not joined: needs bootstrap"),
        (rows(b"\xff\xff\xff\xff"), "has not joined: no state"),
        (rows(), "has not joined: no state"),
        (answer(0x08, b"\0\0\0\1"), NOT_CASSANDRA),
        (answer(0x08, b"\0\0\0\2"), NOT_CASSANDRA),
        (READY, NOT_CASSANDRA),
        (error(0x1001, "Overloaded: too many in flight"), "overloaded"),
    ],
)
def test_a_node_is_ready_when_it_has_joined(said: bytes, why: str) -> None:
    assert ask({STARTUP: READY, STATE: said}).reason == why


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (error(0x1002, "Is bootstrapping"), "bootstrapping"),
        (error(0x0000, "java.lang.Oops."), "java.lang.Oops"),
        (error(0x0000, ""), "error 0x0000"),
        (answer(0x00, b"\0"), NOT_CASSANDRA),
        (JOINED, NOT_CASSANDRA),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NOT_CASSANDRA),
        (frame(0x04, 0x02, b""), NOT_CASSANDRA),
        (b"", "connection closed without an answer"),
    ],
)
def test_what_it_answers_at_first_is_told(said: bytes, why: str) -> None:
    assert run(reason_of("scylla://127.0.0.1:{port}", said)) == why


def test_a_node_that_wants_a_login_is_ready_without_one() -> None:
    assert ask({STARTUP: AUTHENTICATE}).ok
    assert ask({STARTUP: AUTHENTICATE}, "/app").ok


def test_logins_work(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:w\n")
    answers = {STARTUP: AUTHENTICATE, LOGIN: answer(0x10, b"\xff\xff\xff\xff"), STATE: JOINED}

    assert ask(answers, login="app:p%40ss%3Aw@").ok
    assert ask(answers, f" password-file={tmp_path}/password", login="app@").ok
    assert ask(LET_IN, login="app:p%40ss%3Aw@").ok


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (error(0x0100, "Provided username app and/or password are incorrect"), "login refused"),
        (error(0x0000, "no quorum for auth"), "login refused: no quorum for auth"),
        (answer(0x0E, b"\0\0\0\1x"), "login: the node wants more than user and password"),
    ],
)
def test_a_refused_login_says_so(said: bytes, why: str) -> None:
    assert ask({STARTUP: AUTHENTICATE, LOGIN: said}, login="app:p%40ss%3Aw@").reason == why


def test_a_keyspace_that_is_wanted_must_be_there() -> None:
    use = query('USE "my""app"')
    there = answer(0x08, b"\0\0\0\3" + string('my"app'))
    line = "/my%22app"

    assert ask(LET_IN | {use: there}, line).ok
    absent = LET_IN | {use: error(0x2200, "Keyspace 'my\"app' does not exist")}
    assert ask(absent, line).reason == 'keyspace not found: my"app'
    assert ask(absent, f"{line} until=down").ok
    assert ask(LET_IN | {use: error(0x1001, "")}, line).reason == "overloaded"


def test_one_node_of_several_is_enough() -> None:
    assert ask(LET_IN, f",127.0.0.1:{free_port()}").ok


def test_tls_is_spoken_where_wanted(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    for options in (f"tls ca={ca_file}", f"ca={ca_file}"):
        assert ask(LET_IN, f" {options}", ssl=server_tls).ok
    assert ask(LET_IN, " tls", ssl=server_tls).reason == (
        "TLS: unable to get local issuer certificate"
    )


def test_a_refused_connection_is_absent() -> None:
    line = f"cassandra://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "startup: no answer within 50ms"

    assert run(reason_of_silence("cassandra://127.0.0.1:{port}")) == late


def test_mistakes_are_told() -> None:
    assert problems_of("cassandra://") == ["the URL wants a host; write cassandra://host:port"]
