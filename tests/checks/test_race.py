from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from gate.checks.wire import address_race
from gate.core.errors import Absent, CheckFailed
from tests.conftest import run
from tests.virtual import play


def failing(error: CheckFailed, seconds: float = 0.0) -> Callable[[], Awaitable[socket.socket]]:
    async def start() -> socket.socket:
        await asyncio.sleep(seconds)
        raise error

    return start


def failure_of(**errors: CheckFailed) -> CheckFailed:
    """Return what a race fails with in which each address fails so."""
    starts = [failing(error) for error in errors.values()]
    with pytest.raises(CheckFailed) as caught:
        run(address_race.staggered(starts, list(errors)))
    return caught.value


def test_different_failures_are_told_with_their_addresses_in_one_order() -> None:
    reset, timed_out = CheckFailed("reset"), CheckFailed("timed out")

    assert str(failure_of(b=timed_out, a=reset)) == "reset (a), timed out (b)"
    assert str(failure_of(a=reset, b=timed_out)) == "reset (a), timed out (b)"


def test_one_failure_of_another_kind_makes_it_no_absence() -> None:
    failure = failure_of(a=Absent("refused"), b=CheckFailed("reset"))

    assert type(failure) is CheckFailed


def test_an_address_that_cannot_be_reached_from_here_does_not_count() -> None:
    failure = failure_of(a=Absent("refused"), b=address_race.NoWay("no such family"))

    assert (type(failure), str(failure)) == (Absent, "refused")


def test_the_sockets_of_a_race_that_is_cut_short_are_closed() -> None:
    """The race is won, and cut short while the loser takes its time to end."""

    async def main() -> bool:
        opened = socket.socket()

        async def clings() -> socket.socket:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.3)
            return opened

        async def wins() -> socket.socket:
            return opened

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(address_race.STAGGER + 0.1):
                await address_race.staggered([clings, wins], ["a", "b"])
        return opened.fileno() == -1

    assert play(main())
