from __future__ import annotations

import math
import random
from collections import Counter
from heapq import heapify, heapreplace

import pytest

from gate.core.backoff import ROUND, Rounds, between_looks, jittered, longest, pace, pause, soon


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 0.05), (2, 0.075), (3, 0.1125), (7, 0.57), (8, 0.842), (9, 0.9), (10, 0.9), (9999, 0.9)],
)
def test_pauses_grow_up_to_the_limit(failures: int, seconds: float) -> None:
    assert pause(failures, pace=1.0, limit=1.0, chance=0.5) == pytest.approx(seconds, abs=0.001)


@pytest.mark.parametrize(
    ("refusals", "seconds"), [(1, 0.002), (2, 0.003), (3, 0.0045), (12, 0.173)]
)
def test_what_has_just_appeared_is_asked_soon_and_then_less(refusals: int, seconds: float) -> None:
    assert soon(refusals) == pytest.approx(seconds, abs=0.001)


@pytest.mark.parametrize("refusals", [99, 10**9, math.inf])
def test_what_refuses_for_long_is_not_asked_soon(refusals: float) -> None:
    assert soon(refusals) > 3600


@pytest.mark.parametrize(("chance", "factor"), [(0.0, 0.8), (0.25, 0.9), (0.5, 1.0), (1.0, 1.2)])
def test_chance_moves_a_pause_by_a_fifth_either_way(chance: float, factor: float) -> None:
    assert pause(1, pace=1.0, limit=1.0, chance=chance) == pytest.approx(0.05 * factor)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("failures", [1, 5, 50, 10**9])
def test_a_pause_is_never_above_the_limit(failures: int, chance: float) -> None:
    assert 0 < pause(failures, pace=1.0, limit=0.01, chance=chance) <= 0.01


@pytest.mark.parametrize(
    ("interval", "is_local", "crowd", "limit"),
    [
        *((1.0, False, 0, 1.0), (1.0, True, 0, 0.25), (0.1, True, 9, 0.1), (60.0, True, 2, 0.25)),
        *(
            (1.0, True, 4, 0.5),
            (1.0, True, 200, 1.0),
            (60.0, True, 200, 25.0),
            (1.0, False, 9, 1.0),
        ),
    ],
)
def test_a_local_target_is_tried_often_and_many_take_turns(
    interval: float, crowd: int, limit: float, *, is_local: bool
) -> None:
    assert longest(interval, is_local=is_local, crowd=crowd) == limit


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_at_the_limit_a_pause_is_spread_over_the_fifth_below_it(chance: float) -> None:
    assert pause(99, pace=1.0, limit=1.0, chance=chance) == pytest.approx(0.8 + 0.2 * chance)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 8.0), (0.5, 10.0), (1.0, 12.0)])
def test_jitter_moves_by_a_fifth_either_way(chance: float, seconds: float) -> None:
    assert jittered(10.0, chance=chance) == pytest.approx(seconds)


@pytest.mark.parametrize(("chance", "factor"), [(0.0, 2 / 3), (0.5, 1.0), (1.0, 3 / 2)])
def test_a_pace_moves_all_pauses_but_the_longest(chance: float, factor: float) -> None:
    own = pace(chance=chance)

    pauses = [pause(failures, pace=own, limit=60.0, chance=0.5) for failures in (1, 2, 99)]

    assert pauses == pytest.approx([0.05 * factor, 0.075 * factor, 54.0])


def test_5000_gates_restarted_at_once_do_not_knock_in_step() -> None:
    """A simulation with the real backoff: each waits for the same dependency, which stays down."""
    chance = random.Random(1)
    attempts: Counter[int] = Counter()
    for _ in range(5000):
        # They start within 100 ms: even one rollout's pods do not start at the same moment.
        at, failures = chance.random() / 10, 0
        own = pace(chance=chance.random())
        while at < 30:
            attempts[int(at * 20)] += 1
            failures += 1
            at += pause(failures, pace=own, limit=1.0, chance=chance.random())

    # Attempts in each second that begins at a twentieth of a second, after the first second.
    seconds = [sum(attempts[each] for each in range(now, now + 20)) for now in range(20, 29 * 20)]
    mean = sum(seconds) / len(seconds)
    # In the second second pauses are shorter than the limit, which is 1.6 attempts of each gate.
    assert max(seconds) <= 1.5 * mean
    assert max(seconds[20:]) <= 1.1 * mean


def test_gates_that_differ_in_pace_notice_no_later_than_gates_in_step() -> None:
    """A simulation: the time to the next attempt, as a share of the time waited before it."""
    chance = random.Random(1)

    def mean_delay(paces: list[float]) -> float:
        delays = []
        for own in paces:
            ready, at, failures = float(0.05 * 200 ** chance.random()), 0.0, 0
            while at < ready:
                failures += 1
                at += pause(failures, pace=own, limit=1.0, chance=chance.random())
            delays.append((at - ready) / ready)
        return sum(delays) / len(delays)

    in_step = mean_delay([1.0] * 5000)
    assert mean_delay([pace(chance=chance.random()) for _ in range(5000)]) <= 1.03 * in_step


def test_attempts_at_what_is_not_seen_go_in_rounds_of_a_few() -> None:
    rounds = Rounds()

    pauses = [rounds.pause(100.0, chance=chance) for chance in (0.0, *[1.0] * (ROUND + 1))]

    assert pauses == pytest.approx([4.0] * ROUND + [6.0] * 2)


def test_a_round_that_is_near_is_not_joined() -> None:
    rounds = Rounds()
    rounds.pause(100.0, chance=0.5)

    assert rounds.pause(100.9, chance=1.0) == pytest.approx(4.1)
    assert rounds.pause(101.1, chance=1.0) == pytest.approx(6.0)
    assert rounds.pause(200.0, chance=0.5) == pytest.approx(5.0)


def test_who_goes_in_rounds_waits_for_5_seconds_give_or_take_a_fifth() -> None:
    """A simulation: 20 dependencies, each tried again and again."""
    chance = random.Random(1)
    rounds = Rounds()
    due = [(chance.random() * 5, number) for number in range(20)]
    heapify(due)
    tried: Counter[float] = Counter()

    while (now := due[0][0]) < 1000:
        seconds = rounds.pause(now, chance=chance.random())
        assert 4.0 <= seconds <= 6.0
        tried[now] += 1
        heapreplace(due, (now + seconds, due[0][1]))

    # Who began apart comes together.
    assert sum(tried.values()) / len(tried) > 4
    assert max(tried.values()) <= ROUND


@pytest.mark.parametrize(
    ("waited", "seconds"), [(0, 0.05), (6, 0.05), (9, 0.075), (12, 0.1), (3600, 0.1)]
)
def test_looks_grow_rare_where_nothing_changes(waited: float, seconds: float) -> None:
    assert between_looks(waited) == pytest.approx(seconds)
