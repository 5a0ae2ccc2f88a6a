from __future__ import annotations

import itertools

import pytest

from gate.core.attempt_counters import BUCKETS, MOST_MARKS, AttemptCounters
from gate.core.model import Result


def attempt(took: float, *, ok: bool = False, start: float = 0.0) -> Result:
    return Result(name="db", ok=ok, started=start, finished=start + took)


def test_what_was_never_tried_has_no_attempts() -> None:
    attempts = AttemptCounters()["db"]

    assert (attempts.successes, attempts.failures, attempts.seconds) == (0, 0, 0.0)
    assert attempts.buckets == [0] * (len(BUCKETS) + 1)


@pytest.mark.parametrize(
    ("took", "bucket"), [(0.0, 0), (0.005, 0), (0.0051, 1), (10.0, len(BUCKETS) - 1), (60.0, -1)]
)
def test_an_attempt_is_in_the_bucket_of_the_next_greater_bound(took: float, bucket: int) -> None:
    attempt_counters = AttemptCounters()
    attempt_counters.count(attempt(took), is_open=False)

    assert attempt_counters["db"].buckets[bucket] == sum(attempt_counters["db"].buckets) == 1


def test_results_and_seconds_add_up() -> None:
    attempt_counters = AttemptCounters()
    for ok in (False, False, True):
        attempt_counters.count(attempt(0.5, ok=ok, start=7.0), is_open=False)

    attempts = attempt_counters["db"]
    assert (attempts.failures, attempts.successes, attempts.seconds) == (2, 1, 1.5)


def test_after_the_opening_attempts_are_counted_and_not_marked() -> None:
    attempt_counters = AttemptCounters()
    attempt_counters.count(attempt(0.5), is_open=False)
    attempt_counters.count(attempt(0.5, ok=True, start=1.0), is_open=True)

    assert attempt_counters["db"].marks == [(0.0, 0.5)]
    assert attempt_counters["db"].successes == 1


@pytest.mark.parametrize("number", [1, MOST_MARKS, MOST_MARKS + 1, 1000, 100_000])
def test_marks_are_few_and_evenly_spread_however_many_attempts_there_are(number: int) -> None:
    attempt_counters = AttemptCounters()
    for start in range(number):
        attempt_counters.count(attempt(0.5, ok=start % 3 == 0, start=start), is_open=False)

    starts = [start for start, _ in attempt_counters["db"].marks]
    gaps = {later - before for before, later in itertools.pairwise(starts)}
    assert min(number, MOST_MARKS // 2) <= len(starts) <= MOST_MARKS
    assert number > MOST_MARKS or len(starts) == number
    assert len(gaps) <= 1
    assert number - starts[-1] <= max(gaps, default=1)


def test_the_bounds_go_upwards() -> None:
    assert list(BUCKETS) == sorted(set(BUCKETS))
