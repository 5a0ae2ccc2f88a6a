from __future__ import annotations

import asyncio

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
