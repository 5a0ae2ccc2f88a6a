from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable
from typing import Any

import pytest

from gate.runtime.loop import Loop
from gate.runtime.threads import run_in_thread
from tests.conftest import run
from tests.process import PATIENCE


class Stuck(Loop):
    """Names that begin with `stuck` hang until `released`; a real silent server costs 30 s."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.released = threading.Event()

    def resolve(self, *args: Any) -> Any:
        host = args[0]
        self.asked.append(host)
        if host.startswith("stuck"):
            self.released.wait(60)
        return socket.getaddrinfo("127.0.0.1", *args[1:])


def run_stuck(main: Awaitable[Any]) -> Any:
    async def whole() -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Stuck)
        try:
            return await main
        finally:
            loop.released.set()

    with asyncio.Runner(loop_factory=Stuck) as runner:
        return runner.run(whole())


async def gives_up(host: str, seconds: float = 0.05) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().getaddrinfo(host, 80)
    except TimeoutError:
        return True
    return False


def test_forty_hanging_names_delay_no_other() -> None:
    async def main() -> list[bool]:
        gave_up = await asyncio.gather(*(gives_up(f"stuck{number}") for number in range(40)))
        return [*gave_up, await gives_up("fine", 30)]

    assert run_stuck(main()) == [True] * 40 + [False]


def test_a_later_attempt_joins_the_lookup_under_way() -> None:
    async def main() -> tuple[list[str], str]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Stuck)
        for _ in range(5):
            assert await gives_up("stuck")
        last = asyncio.ensure_future(loop.getaddrinfo("stuck", 80))
        await asyncio.sleep(0)
        loop.released.set()
        return loop.asked, (await last)[0][4][0]

    assert run_stuck(main()) == (["stuck"], "127.0.0.1")


def test_a_lookup_that_has_ended_is_not_kept() -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Stuck)
        await loop.getaddrinfo("fine", 80)
        await loop.getaddrinfo("fine", 80)
        return loop.asked

    assert run_stuck(main()) == ["fine", "fine"]


def test_a_failed_lookup_raises_for_all_who_wait() -> None:
    def fail() -> None:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    async def main() -> tuple[Any, Any]:
        return await asyncio.gather(
            run_in_thread(fail), run_in_thread(fail), return_exceptions=True
        )

    first, second = run(main())
    assert isinstance(first, socket.gaierror)
    assert first is second


def test_an_error_that_nobody_foresaw_is_raised_too() -> None:
    async def main() -> None:
        await run_in_thread(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        run(main())


def test_a_call_that_would_end_the_process_is_raised_and_not_waited_for() -> None:
    async def main() -> None:
        async with asyncio.timeout(PATIENCE):
            await run_in_thread(sys.exit, 3)

    with pytest.raises(SystemExit, match="3"):
        run(main())


def test_a_lookup_that_outlives_its_loop_says_nothing() -> None:
    held, ended = threading.Event(), threading.Event()

    def hang() -> None:
        held.wait(60)
        ended.set()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await run_in_thread(hang)

    run(main())
    held.set()

    assert ended.wait(30)
    for thread in threading.enumerate():
        if thread.name == "aside":
            thread.join(30)


EXITS = """
import asyncio, time
from gate.runtime.loop import Loop

class Hanging(Loop):
    def resolve(self, *args):
        time.sleep(60)

async def main():
    try:
        async with asyncio.timeout(0.05):
            await asyncio.get_running_loop().getaddrinfo("db", 5432)
    except TimeoutError:
        print("gave up")

with asyncio.Runner(loop_factory=Hanging) as runner:
    runner.run(main())
"""


def test_a_hanging_lookup_does_not_delay_the_exit() -> None:
    started = time.monotonic()

    done = subprocess.run(
        [sys.executable, "-c", EXITS], capture_output=True, text=True, timeout=90, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "gave up\n", "")
    assert time.monotonic() - started < 30


NO_THREADS = """
import asyncio, resource
from gate.runtime.loop import Loop

async def main():
    loop = asyncio.get_running_loop()
    pages = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (pages + 2**20, resource.RLIM_INFINITY))
    try:
        await loop.getaddrinfo("127.0.0.1", 80)
    except RuntimeError as exc:
        print(exc)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print((await loop.getaddrinfo("127.0.0.1", 80))[0][4][0])

with asyncio.Runner(loop_factory=Loop) as runner:
    runner.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory as Linux does")
def test_where_no_thread_is_to_be_had_the_next_attempt_tries_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_THREADS], capture_output=True, text=True, timeout=90, check=False
    )

    assert (done.stdout, done.stderr) == ("can't start new thread\n127.0.0.1\n", "")
