from __future__ import annotations

import asyncio

import pytest

from tests.conftest import free_port, outcome, problems_of, run, why_not


def test_a_listening_port_is_ready() -> None:
    async def main() -> str:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await why_not(f"tcp://127.0.0.1:{port}")

    assert run(main()) == ""


def test_a_refused_connection_says_so() -> None:
    assert run(why_not(f"tcp://localhost:{free_port()}")) == "connection refused"


def test_a_refused_connection_is_what_until_down_waits_for() -> None:
    assert run(outcome(f"tcp://127.0.0.1:{free_port()} until=down")).ok


def test_a_host_without_a_port_is_a_problem() -> None:
    assert problems_of("db tcp://db") == [
        "the URL wants one host and a port; write tcp://host:port"
    ]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("tcp://db:1?timeout=3s", "the URL wants no query; write tcp://host:port timeout=…"),
        ("tcp://db:1?pin=1234", "the URL wants no query; write tcp://host:port option=…"),
        ("tcp://db:1/path", "the URL wants no path; write tcp://host:port"),
        ("tcp://me:secret@db:1", "the URL wants no user; write tcp://host:port"),
        (
            "tcp://me@db:1/app?interval=1s&timeout=3s",
            (
                "the URL wants no user and no path and no query; "
                "write tcp://host:port interval=… timeout=…"
            ),
        ),
    ],
)
def test_what_a_connection_does_not_need_is_not_dropped_in_silence(url: str, problem: str) -> None:
    assert problems_of(url) == [problem]


def test_a_final_slash_is_nothing() -> None:
    assert problems_of("tcp://db:1/") == []
