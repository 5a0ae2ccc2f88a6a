from __future__ import annotations

import itertools

import pytest

from gate.model import Result
from gate.tally import BUCKETS, MOST_MARKS, Tally


def attempt(took: float, *, ok: bool = False, start: float = 0.0) -> Result:
    return Result(name="db", ok=ok, started=start, finished=start + took)


def test_what_was_never_tried_has_no_attempts() -> None:
    attempts = Tally()["db"]

    assert (attempts.successes, attempts.failures, attempts.seconds) == (0, 0, 0.0)
    assert attempts.buckets == [0] * (len(BUCKETS) + 1)


@pytest.mark.parametrize(
    ("took", "bucket"), [(0.0, 0), (0.005, 0), (0.0051, 1), (10.0, len(BUCKETS) - 1), (60.0, -1)]
)
def test_an_attempt_is_in_the_bucket_of_the_next_greater_bound(took: float, bucket: int) -> None:
    tally = Tally()
    tally.count(attempt(took), is_open=False)

    assert tally["db"].buckets[bucket] == sum(tally["db"].buckets) == 1


def test_results_and_seconds_add_up() -> None:
    tally = Tally()
    for ok in (False, False, True):
        tally.count(attempt(0.5, ok=ok), is_open=False)

    attempts = tally["db"]
    assert (attempts.failures, attempts.successes, attempts.seconds) == (2, 1, 1.5)


def test_after_the_opening_attempts_are_counted_and_not_marked() -> None:
    tally = Tally()
    tally.count(attempt(0.5), is_open=False)
    tally.count(attempt(0.5, ok=True, start=1.0), is_open=True)

    assert tally["db"].marks == [(0.0, 0.5)]
    assert tally["db"].successes == 1


@pytest.mark.parametrize("number", [1, MOST_MARKS, MOST_MARKS + 1, 1000, 100_000])
def test_marks_are_few_and_evenly_spread_however_many_attempts_there_are(number: int) -> None:
    tally = Tally()
    for start in range(number):
        tally.count(attempt(0.5, start=start), is_open=False)

    starts = [start for start, _ in tally["db"].marks]
    gaps = {later - before for before, later in itertools.pairwise(starts)}
    assert min(number, MOST_MARKS // 2) <= len(starts) <= MOST_MARKS
    assert len(gaps) <= 1
    assert number - starts[-1] <= max(gaps, default=1)
