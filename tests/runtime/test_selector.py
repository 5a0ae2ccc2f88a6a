"""In real time: what is tested is how the operating system's wait and the looks go together."""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gate.runtime.loop import Loop
from gate.runtime.selector import LookingSelector

LONG = 60.0
EVERY = 0.05


class Looks:
    """Finds news at the given looks, counted from 1."""

    def __init__(self, *news: int) -> None:
        self.at: list[float] = []
        self._news = news

    def __call__(self, _: float) -> bool:
        self.at.append(time.monotonic())
        return len(self.at) in self._news


@pytest.fixture
def selector() -> Iterator[LookingSelector]:
    with LookingSelector() as made:
        made.every = EVERY
        yield made


def readable(selector: LookingSelector) -> tuple[int, int]:
    """Return both ends of a pipe that *selector* waits for."""
    ours, theirs = os.pipe()
    selector.register(ours, selectors.EVENT_READ)
    return ours, theirs


@pytest.mark.parametrize("timeout", [LONG, None])
def test_a_wait_ends_with_news(selector: LookingSelector, timeout: float | None) -> None:
    selector.look = looks = Looks(3)
    began = time.monotonic()

    found = selector.select(timeout)

    assert (found, len(looks.at)) == ([], 3)
    assert looks.at[2] - began >= 2 * EVERY


def test_a_wait_without_news_takes_its_time(selector: LookingSelector) -> None:
    selector.look = looks = Looks()
    began = time.monotonic()

    found = selector.select(2.5 * EVERY)

    assert found == []
    assert 1 <= len(looks.at) <= 3
    assert time.monotonic() - began >= 2.5 * EVERY


def test_what_is_readable_ends_a_wait_at_once(selector: LookingSelector) -> None:
    ours, theirs = readable(selector)
    selector.look = Looks()
    os.write(theirs, b"x")

    found = selector.select(LONG)

    assert [key.fd for key, _ in found] == [ours]


def test_who_looks_is_not_kept_from_it_by_what_is_readable(selector: LookingSelector) -> None:
    _, theirs = readable(selector)
    selector.look = looks = Looks()
    os.write(theirs, b"x")
    began = time.monotonic()

    while len(looks.at) < 3 and time.monotonic() - began < LONG:
        assert selector.select(0)

    assert len(looks.at) == 3
    assert looks.at[2] - began >= 2 * EVERY


class Polls:
    """Says each time that so much is ready; notes for how many milliseconds it was to wait."""

    def __init__(self, *ready: bool) -> None:
        self._ready = list(ready)
        self.waits: list[float] = []

    def poll(self, milliseconds: float) -> list[tuple[int, int]]:
        self.waits.append(milliseconds)
        return [(0, 1)] if self._ready.pop(0) else []


def test_between_two_looks_it_sleeps(selector: LookingSelector) -> None:
    selector.every = LONG
    selector.look = Looks()
    selector._any = polls = Polls(False, True)  # type: ignore[assignment]

    selector.select(None)

    first, second = polls.waits
    assert first == 0
    assert second == pytest.approx(LONG * 1000, rel=1e-4)


def test_a_timeout_before_the_next_look_is_kept(selector: LookingSelector) -> None:
    selector.every = LONG
    selector.look = looks = Looks()
    selector._any = polls = Polls(False, False, True)  # type: ignore[assignment]

    selector.select(0)
    selector.select(LONG / 2)

    assert polls.waits == [
        0,
        pytest.approx(LONG * 500, rel=1e-4),
        pytest.approx(LONG * 500, rel=1e-4),
    ]
    assert len(looks.at) == 1


def test_what_is_no_longer_ready_holds_nobody_up(
    selector: LookingSelector, monkeypatch: pytest.MonkeyPatch
) -> None:
    timeouts: list[float] = []

    def nothing(_: object, timeout: float) -> list[Any]:
        timeouts.append(timeout)
        return []

    monkeypatch.setattr(selectors.DefaultSelector, "select", nothing)
    selector.look = Looks()
    selector._any = Polls(True)  # type: ignore[assignment]

    assert selector.select(LONG) == []
    assert timeouts == [0]


def test_who_does_not_look_waits_as_ever(selector: LookingSelector) -> None:
    assert selector.select(0.01) == []


def test_a_loop_that_looks_is_woken_by_threads_and_timers() -> None:
    async def main() -> list[str]:
        loop: Any = asyncio.get_running_loop()
        loop.selector.look = Looks()
        woken: asyncio.Queue[str] = asyncio.Queue()
        call = (woken.put_nowait, "thread")
        threading.Timer(0.01, loop.call_soon_threadsafe, call).start()
        loop.call_later(1.5 * EVERY, woken.put_nowait, "timer")
        async with asyncio.timeout(LONG):
            return [await woken.get(), await woken.get()]

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(main()) == ["thread", "timer"]
