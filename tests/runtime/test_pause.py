"""How long the runner waits for the next attempt, by what looks say; the looks are given."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any, cast

import pytest

from gate.core.attempt import Place
from gate.core.latch import Latch
from gate.core.model import Dependency, Result
from gate.runtime.board import Board
from gate.runtime.lookout import Watch
from gate.runtime.runner import DependencyCheck, _pause, _sleep
from tests.virtual import now, play

ROUND = 5.0


class Eyes:
    """Stands for the watch of one dependency."""

    def __init__(
        self, *, crowd: int = 0, sees_nothing: bool = False, refusals: float = math.inf
    ) -> None:
        self.crowd = crowd
        self.refusals = refusals
        self.sees_nothing = sees_nothing
        self.pace = 1.0
        self.noted: list[Mapping[Place, bool]] = []
        self.pauses: list[float] = []

    def note(self, tried: Mapping[Place, bool]) -> None:
        self.noted.append(tried)

    def until_round(self, chance: float) -> float:
        assert 0 <= chance <= 1
        return ROUND

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


async def check() -> None: ...


def pauses(eyes: Eyes, *outcomes: str, **options: Any) -> list[float]:
    """Return how long db pauses after attempts with *outcomes* ("": ready); cache is waited for."""

    async def main() -> list[float]:
        db = Dependency(name="db", url="tcp://db:1", **options)
        board = Board(Latch([db, Dependency(name="cache", url="tcp://cache:1")], now=now()))
        for reason in outcomes:
            at = now()
            board.record(Result(name="db", ok=not reason, reason=reason, started=at, finished=at))
        await _pause(DependencyCheck(db, check), board, cast("Watch", eyes))
        return eyes.pauses

    return play(main())


def test_one_that_is_ready_does_not_pause_and_watches_nothing() -> None:
    eyes = Eyes()

    assert pauses(eyes, "") == []
    assert eyes.noted == [{}]


def test_one_that_failed_pauses_by_its_failures() -> None:
    eyes = Eyes()
    (pause,) = pauses(eyes, "refused", "refused", interval=60.0)

    assert 0.06 <= pause <= 0.09
    assert len(eyes.noted) == 1


def test_what_has_just_appeared_and_refuses_is_tried_again_soon() -> None:
    found = [pauses(Eyes(refusals=count), *["refused"] * 50)[0] for count in (1, 2, 9, 2000)]

    assert found[:2] == [0.002, 0.003]
    assert found[2] == pytest.approx(0.051, abs=0.001)
    assert 0.8 <= found[3] <= 1.0


@pytest.mark.parametrize(
    ("crowd", "shortest", "longest"), [(0, 0.2, 0.25), (16, 1.6, 2.0), (1000, 8.0, 10.0)]
)
def test_local_ones_that_answer_take_turns(crowd: int, shortest: float, longest: float) -> None:
    (pause,) = pauses(Eyes(crowd=crowd), *["503"] * 50, interval=10.0, is_local=True)

    assert shortest <= pause <= longest


@pytest.mark.parametrize(("is_local", "is_round"), [(True, True), (False, False)])
def test_a_local_one_that_is_not_there_waits_for_the_round(
    *, is_local: bool, is_round: bool
) -> None:
    (pause,) = pauses(Eyes(sees_nothing=True), "refused", is_local=is_local)

    assert (pause == ROUND) is is_round


def test_between_successes_the_pause_is_the_interval() -> None:
    assert pauses(Eyes(), "", successes=2, interval=7.0) == [7.0]


class Telling:
    """A check that would tell of a change, and of none ever comes."""

    async def __call__(self) -> None: ...

    async def changed(self) -> None:
        await asyncio.Event().wait()


def test_the_opening_ends_the_pause_of_one_that_would_tell_of_a_change() -> None:
    async def main() -> float:
        db = Dependency(name="db", url="tcp://db:1", monitor=True)
        board = Board(Latch([db], now=now()))
        asyncio.get_running_loop().call_later(3.0, board.open)
        began = now()
        await _sleep(DependencyCheck(db, Telling()), board, cast("Watch", Eyes()), 60.0)
        return now() - began

    assert play(main()) == pytest.approx(3.0)
