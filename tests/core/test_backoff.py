from __future__ import annotations

import pytest

from gate.core.backoff import in_step, longest, pause


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 0.05), (2, 0.075), (3, 0.1125), (7, 0.569), (8, 0.854), (9, 1.0), (10, 1.0), (9999, 1.0)],
)
def test_pauses_grow_up_to_the_limit(failures: int, seconds: float) -> None:
    assert pause(failures, limit=1.0, chance=0.5) == pytest.approx(seconds, abs=0.001)


@pytest.mark.parametrize(("chance", "factor"), [(0.0, 0.8), (0.25, 0.9), (0.5, 1.0), (1.0, 1.2)])
def test_chance_moves_a_pause_by_a_fifth_either_way(chance: float, factor: float) -> None:
    assert pause(1, limit=1.0, chance=chance) == pytest.approx(0.05 * factor)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("failures", [1, 5, 50, 10**9])
def test_a_pause_is_never_above_the_limit(failures: int, chance: float) -> None:
    assert 0 < pause(failures, limit=0.01, chance=chance) <= 0.01


@pytest.mark.parametrize(
    ("interval", "is_local", "limit"),
    [(1.0, False, 1.0), (1.0, True, 0.25), (0.1, True, 0.1), (60.0, True, 0.25)],
)
def test_a_local_target_is_tried_often(interval: float, *, is_local: bool, limit: float) -> None:
    assert longest(interval, is_local=is_local) == limit


@pytest.mark.parametrize("now", [0.0, 0.013, 7.77, 12345.678])
def test_pauses_at_the_limit_end_together_and_within_a_fifth_of_it(now: float) -> None:
    ends = {
        round((now + late + in_step(0.25, limit=0.25, now=now + late, phase=0.3) - 0.015) / 0.05, 6)
        for late in (0.0, 0.011, 0.029, 0.049)
    }
    pauses = [in_step(0.21, limit=0.25, now=now + late / 100, phase=0.3) for late in range(50)]

    assert all(end == round(end) for end in ends)
    assert all(0.2 <= pause <= 0.25 for pause in pauses)


def test_a_pause_that_grows_is_left_as_it_is() -> None:
    assert in_step(0.1, limit=0.25, now=1.234, phase=0.0) == 0.1
