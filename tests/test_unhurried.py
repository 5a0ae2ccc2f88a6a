from __future__ import annotations

import asyncio
import socket
import time

import pytest

from tests.conftest import run, why_late


def test_what_comes_while_the_process_is_held_up_is_not_late() -> None:
    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            loop.call_soon(time.sleep, 0.1)
            loop.call_soon(theirs.send, b"here")
            async with asyncio.timeout(0.05):
                return await loop.sock_recv(ours, 4)

    assert run(main()) == b"here"


def test_what_does_not_come_is_late() -> None:
    async def main() -> None:
        async with asyncio.timeout(0.05):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(main())


def test_who_is_always_busy_is_late_too() -> None:
    async def main() -> None:
        async with asyncio.timeout(0.05):
            while True:
                time.sleep(0.001)  # noqa: ASYNC251 -- as a check should not
                await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        run(main())


def test_the_time_of_an_attempt_is_over_when_it_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        line = f"redis://127.0.0.1:{silent.getsockname()[1]}"

        assert run(why_late(line, lambda stage: stage == "PING")) == "PING: no answer within 1m"
