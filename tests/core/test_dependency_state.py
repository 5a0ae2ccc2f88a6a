"""One dependency alone, in what the tests of the latch do not ask for."""

from __future__ import annotations

from typing import Any

import pytest

from gate.core.dependency_state import CONFIRMING, DependencyState
from gate.core.model import Dependency, DependencyView, Result, State, TransitionKind


def state(**options: Any) -> DependencyState:
    return DependencyState(Dependency(name="db", url="tcp://db:1", **options), since=10.0)


def attempt(at: float, reason: str = "") -> Result:
    return Result(name="db", ok=not reason, reason=reason, started=at - 0.5, finished=at)


def view(found: DependencyState, *, is_asked: bool = False) -> DependencyView:
    return found.view(started=10.0, until=20.0, is_asked=is_asked)


def test_of_one_that_was_never_tried_nothing_is_known() -> None:
    found = state()

    assert view(found) == DependencyView(dependency=found.dependency, since=10.0, waited=10.0)
    assert (found.began, found.succeeded, found.streak, found.failures) == (0.0, 0.0, 0, 0)


def test_a_success_is_remembered_with_its_beginning_and_its_end() -> None:
    found = state()
    found.take(attempt(12.0))

    assert (found.began, found.succeeded, found.streak) == (11.5, 12.0, 1)
    shown = view(found)
    assert (shown.state, shown.since, shown.waited) == (State.READY, 12.0, 2.0)
    assert (shown.has_been_ready, shown.is_fit) == (True, True)


def test_a_later_success_moves_the_proof_and_not_the_readiness() -> None:
    found = state()
    found.take(attempt(12.0))

    assert found.take(attempt(15.0)) is None
    assert (found.began, found.succeeded, found.streak) == (14.5, 15.0, 2)
    assert (view(found).since, view(found).waited) == (12.0, 2.0)


def test_a_loss_starts_the_wait_anew() -> None:
    found = state()
    found.take(attempt(12.0))

    assert found.take(attempt(14.0, "refused")) is TransitionKind.LOST
    assert (found.streak, found.failures, found.ready_at) == (0, 1, None)
    shown = view(found)
    assert (shown.state, shown.reason, shown.reason_since) == (State.WAITING, "refused", 14.0)
    assert (shown.since, shown.waited, shown.has_been_ready) == (14.0, 10.0, True)


def test_a_reason_stands_since_it_was_first_given() -> None:
    found = state()
    told = [found.take(attempt(at, "refused")) for at in (11.0, 12.0)]

    assert told == [TransitionKind.WAITING, None]
    assert (view(found).reason_since, found.failures) == (11.0, 2)


def test_successes_short_of_those_wanted_are_a_reason() -> None:
    found = state(successes=2)

    assert found.take(attempt(11.0)) is TransitionKind.WAITING
    assert view(found).reason == "answers, wanted 2 times in a row"
    assert found.take(attempt(12.0)) is TransitionKind.READY
    assert view(found).reason == ""


@pytest.mark.parametrize(
    ("optional", "kind", "late"),
    [
        (False, TransitionKind.OVERDUE, State.OVERDUE),
        (True, TransitionKind.GIVEN_UP, State.GIVEN_UP),
    ],
)
def test_it_is_late_once_and_until_it_is_ready(
    kind: TransitionKind, late: State, *, optional: bool
) -> None:
    found = state(deadline=5.0, optional=optional)
    told = [found.mark_late(at, 10.0) for at in (14.9, 15.0, 16.0)]

    assert told == [None, kind, None]
    assert (view(found).state, view(found).since) == (late, 15.0)
    found.take(attempt(17.0))
    assert (view(found).state, found.late) == (State.READY, None)


def test_without_a_deadline_it_is_never_late() -> None:
    found = state()

    assert (found.end(10.0), found.mark_late(1e9, 10.0)) == (None, None)
    assert state(deadline=5.0).end(10.0) == 15.0


def test_who_is_asked_says_so() -> None:
    found = state()
    found.take(attempt(12.0))

    assert view(found, is_asked=True).reason == CONFIRMING
    assert CONFIRMING == "ready, tried once more before opening"


def test_after_the_opening_a_first_success_still_makes_it_ready() -> None:
    found = state()

    assert found.judge(attempt(12.0, "refused")) == []
    assert (found.failures, view(found).reason, view(found).reason_since) == (1, "refused", 12.0)
    assert found.judge(attempt(13.0)) == [TransitionKind.READY]
    assert found.judge(attempt(14.0)) == []
    assert (found.failures, view(found).since) == (0, 13.0)


def test_a_monitored_one_is_unfit_after_three_failures_in_a_row_and_says_why() -> None:
    found = state(monitor=True)
    found.take(attempt(11.0))
    found.start_monitoring()
    told = [found.judge(attempt(at, "refused")) for at in (12.0, 13.0, 14.0, 15.0)]

    assert told == [[], [], [TransitionKind.UNFIT], []]
    assert (view(found).is_fit, view(found).state) == (False, State.READY)
    assert view(found).reason == "refused"
    assert found.judge(attempt(16.0)) == [TransitionKind.FIT]
    assert (view(found).is_fit, view(found).reason) == (True, "")


@pytest.mark.parametrize(("failures", "is_fit"), [(2, True), (3, False)])
def test_monitoring_takes_over_the_failures_of_the_wait(failures: int, *, is_fit: bool) -> None:
    found = state(monitor=True)
    for at in range(failures):
        found.take(attempt(11.0 + at, "refused"))
    found.start_monitoring()

    assert found.is_fit is is_fit


def test_one_that_is_not_monitored_is_fit_however_often_it_failed() -> None:
    found = state()
    for at in range(5):
        found.take(attempt(11.0 + at, "refused"))
    found.start_monitoring()

    assert found.is_fit


def test_a_success_ends_the_failures_and_their_reason() -> None:
    found = state()
    found.take(attempt(11.0, "refused"))
    found.take(attempt(12.0))

    assert (found.failures, found.reason) == (0, "")
