"""Limits of a process that is held up, in virtual time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import pytest

from gate.runtime.loop import Loop
from gate.runtime.time_limit import MOST, time_limit
from tests.virtual import VirtualLoop, now, play

T = TypeVar("T")


class Starved(VirtualLoop, Loop):
    """Gets no CPU in `share` of all time."""

    share = 0.0

    def held_up(self) -> float:
        return self.time() * self.share


async def took(seconds: float, share: float) -> tuple[bool, float]:
    """Return whether what takes *seconds* is within a limit of 2 s, and when it ended."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Starved)
    loop.share = share
    began, limit = now(), time_limit(2.0)
    try:
        async with limit:
            await asyncio.sleep(seconds)
    except TimeoutError:
        assert limit.expired()
        return False, now() - began
    return True, now() - began


def starve(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=Starved) as runner:
        return runner.run(main)


@pytest.mark.parametrize(
    ("seconds", "share", "end"),
    [
        (1.9, 0.0, (True, 1.9)),
        (2.1, 0.0, (False, 2.0)),
        # A busy machine is no reason to wait any longer.
        (2.1, 0.15, (False, 2.0)),
        (2.1, 0.5, (True, 2.1)),
        (3.0, 0.9, (True, 3.0)),
        (60.0, 1.0, (False, MOST * 2.0)),
    ],
)
def test_time_in_which_there_was_no_cpu_is_not_counted(
    seconds: float, share: float, end: tuple[bool, float]
) -> None:
    is_in_time, at = starve(took(seconds, share))

    assert is_in_time == end[0]
    assert at == pytest.approx(end[1], abs=0.01)


def test_half_starved_it_ends_after_some_more_time() -> None:
    is_in_time, at = starve(took(60.0, 0.5))

    assert not is_in_time
    assert 2.5 < at < 4.0


def test_what_was_in_time_is_not_looked_after_any_more() -> None:
    async def main() -> list[object]:
        faults: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: faults.append(what))
        await took(0.5, 0.9)
        await asyncio.sleep(60)
        return faults

    assert starve(main()) == []


def late(at: float, held: float) -> Callable[[], Coroutine[Any, Any, bool]]:
    """Return a coroutine in which the process stands still at the moment *at* for *held* s."""

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        answer = loop.create_future()

        def stand_still() -> None:
            loop._clock.now += held
            # As bytes, a frame, a future: each takes a turn of the loop.
            loop.call_soon(loop.call_soon, answer.set_result, None)

        loop.call_later(at, stand_still)
        try:
            async with time_limit(2.0):
                await answer
        except TimeoutError:
            return False
        return True

    return main


@pytest.mark.parametrize("at", [0.5, 1.5])
def test_what_came_while_it_stood_still_is_looked_at(at: float) -> None:
    assert starve(late(at, 5.0)())


def test_a_limit_too_short_to_be_looked_at_holds_all_the_same() -> None:
    async def main() -> None:
        async with time_limit(0.001):
            await asyncio.sleep(1.0)

    with pytest.raises(TimeoutError):
        starve(main())


def test_on_another_loop_it_is_an_ordinary_limit() -> None:
    async def main() -> float:
        began = now()
        with suppress(TimeoutError):
            async with time_limit(2.0):
                await asyncio.sleep(60.0)
        return now() - began

    assert play(main()) == pytest.approx(2.0)


def test_the_kernel_tells_for_how_long_the_loop_was_held_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = Loop()
    began, before = time.monotonic(), loop.held_up()
    after = loop.held_up()
    took = time.monotonic() - began
    monkeypatch.setattr("os.open", refuse)
    unknown = loop.held_up()
    loop.close()

    assert 0.0 <= after - before <= took + 0.1
    assert unknown == 0.0


def refuse(*_: object) -> int:
    raise FileNotFoundError
