"""A fake with the bytes of a real server: ZooKeeper 3.8.0 has said them, alone and of a quorum.

Its Debian package brings a Java that would cost CI more than all other servers together.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from gate.core.model import Result
from tests.checks.servers.fake import reason_of, reason_of_silence, result_of_dialogue
from tests.conftest import free_port, outcome, problems_of, run, why_not

SERVING = (
    b"Zookeeper version: 3.8.0-1, built on 2024-12-29 17:54 UTC\nLatency min/avg/max: 0/0.0/0\n"
    b"Received: 1\nSent: 0\nConnections: 1\nOutstanding: 0\nZxid: 0x0\nMode: standalone\n"
    b"Node count: 5\n"
)
NOT_SERVING = b"This ZooKeeper instance is not currently serving requests\n"
DISABLED = b"srvr is not executed because it is not in the whitelist.\n"
CONNECT = bytes.fromhex("0000002d 00000000 0000000000000000 00002710 0000000000000000 00000010")
CONNECT += bytes(17)
CONNECTED = bytes.fromhex(
    "00000025 00000000 00002710 0100001172da0003 00000010 e1380897d16a7775fdbc9ae9cf257355 00"
)
EXISTS = bytes.fromhex("00000013 00000001 00000003 00000006") + b"/kafka\0"
STAT = bytes(52) + bytes.fromhex("00000002 0000000000000000 00000000")
FOUND = bytes.fromhex("00000054 00000001 0000000000000007 00000000") + STAT[:68]
NOT_FOUND = bytes.fromhex("00000010 00000001 0000000000000007 ffffff9b")
CLOSE = bytes.fromhex("00000008 00000002 fffffff5")
NOT_ZOOKEEPER = "not ZooKeeper on this port"


def ask(answers: dict[bytes, bytes], rest: str = "", **server: Any) -> Result:
    """The server hangs up after the answer to `srvr`, and where it has none."""
    line = "zookeeper://127.0.0.1:{port}" + rest
    found: Result = run(result_of_dialogue(line, answers, last=b"srvr", **server))
    return found


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (SERVING, ""),
        (SERVING.replace(b"standalone", b"follower"), ""),
        (SERVING.replace(b"standalone", b"read-only"), "not serving requests: no quorum"),
        (NOT_SERVING, "not serving requests: no quorum"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "srvr: HTTP/1.1 400 Bad Request"),
        (b"x\n" * 99, "srvr: x"),
    ],
)
def test_what_srvr_says_counts(said: bytes, why: str) -> None:
    assert run(reason_of("zookeeper://127.0.0.1:{port}", said)) == why


def test_a_path_is_a_node_that_must_be_there() -> None:
    session = {b"srvr": SERVING, CONNECT: CONNECTED, CLOSE: b""}

    assert ask(session | {EXISTS: FOUND}, "/kafka").ok
    absent = session | {EXISTS: NOT_FOUND}
    assert ask(absent, "/kafka/").reason == "node not found: /kafka"
    assert ask(absent, "/kafka until=down").ok
    odd = session | {EXISTS: NOT_FOUND[:-4] + b"\xff\xff\xff\xfc"}
    assert ask(odd, "/kafka").reason == "node /kafka: error -4"


def test_the_session_is_closed_whatever_comes_of_it() -> None:
    left: list[object] = []

    class Heard(dict[bytes, bytes]):
        def __contains__(self, request: object) -> bool:
            left.append(request)
            return super().__contains__(request)

    for said in (FOUND, NOT_FOUND):
        left.clear()
        ask(Heard({b"srvr": SERVING, CONNECT: CONNECTED, EXISTS: said, CLOSE: b""}), "/kafka")
        assert CLOSE in left


@pytest.mark.parametrize("said", [DISABLED, b""])
def test_a_server_that_does_not_answer_srvr_is_asked_for_a_session(said: bytes) -> None:
    assert ask({b"srvr": said, CONNECT: CONNECTED, CLOSE: b""}).ok
    assert ask({b"srvr": said}).reason == (
        "not serving requests: connection closed without an answer"
    )
    refused = CONNECTED[:12] + bytes(8) + CONNECTED[20:]
    assert ask({b"srvr": said, CONNECT: refused}).reason == "session refused"
    assert ask({b"srvr": said, CONNECT: b"\0\0\0\4oops"}).reason == NOT_ZOOKEEPER


def test_one_server_of_several_is_enough() -> None:
    assert ask({b"srvr": SERVING}, f",127.0.0.1:{free_port()}").ok


def test_tls_is_spoken_where_wanted(server_tls: ssl.SSLContext, ca_file: Path) -> None:
    for options in (f"tls ca={ca_file}", f"ca={ca_file}"):
        assert ask({b"srvr": SERVING}, f" {options}", ssl=server_tls).ok
    assert ask({b"srvr": SERVING}, " tls", ssl=server_tls).reason == (
        "TLS: unable to get local issuer certificate"
    )


def test_a_refused_connection_is_absent() -> None:
    line = f"zookeeper://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "srvr: no answer within 50ms"

    assert run(reason_of_silence("zookeeper://127.0.0.1:{port}")) == late


def test_mistakes_are_told() -> None:
    assert problems_of("zookeeper://app:pw@a") == [
        "the URL wants no user; write zookeeper://host:port/path/of/a/node"
    ]
