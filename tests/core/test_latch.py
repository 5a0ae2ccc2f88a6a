from __future__ import annotations

from typing import Any

import pytest

from gate.core.dependency_state import CONFIRMING
from gate.core.history import MOST as HISTORY
from gate.core.latch import Latch
from gate.core.model import Dependency, DependencyView, Phase, Result, State, TransitionKind


def make(*dependencies: Dependency, **options: Any) -> Latch:
    return Latch(dependencies, now=0.0, **options)


def dep(name: str, **options: Any) -> Dependency:
    return Dependency(name=name, url=f"tcp://{name}:1", **options)


def attempt(
    latch: Latch, name: str, at: float, reason: str = "", took: float = 0.0
) -> list[TransitionKind]:
    """Record an attempt that ended at *at*; return what happened."""
    result = Result(name=name, ok=not reason, reason=reason, started=at - took, finished=at)
    return [transition.kind for transition in latch.record(result)]


def view(latch: Latch, name: str, now: float = 100.0) -> DependencyView:
    views = latch.snapshot(now).dependencies
    return next(view for view in views if view.dependency.name == name)


def test_one_ready_dependency_opens_it_at_once() -> None:
    latch = make(dep("db"))

    assert attempt(latch, "db", 1.0) == [TransitionKind.READY, TransitionKind.GATE_OPENED]
    assert latch.is_open
    assert latch.snapshot(9.0).opened == 1.0


def test_nothing_to_wait_for_opens_it_at_the_first_tick() -> None:
    latch = make()
    latch.tick(0.0)

    assert latch.is_open


def test_a_failure_does_not_open_it() -> None:
    latch = make(dep("db"))

    assert attempt(latch, "db", 1.0, "connection refused") == [TransitionKind.WAITING]
    assert not latch.is_open
    assert latch.snapshot(2.0).pending == ("db",)


def test_all_must_be_ready() -> None:
    latch = make(dep("db"), dep("cache"))
    attempt(latch, "db", 1.0)

    assert not latch.is_open
    assert latch.snapshot(1.0).pending == ("cache",)

    attempt(latch, "cache", 2.0)

    assert not latch.is_open, "that the other still is so remains to be confirmed"

    attempt(latch, "db", 2.01)

    assert latch.is_open


def test_open_is_a_latch() -> None:
    latch = make(dep("db", monitor=True))
    attempt(latch, "db", 1.0)
    for at in range(2, 9):
        attempt(latch, "db", at, "connection refused")

    assert latch.is_open
    assert latch.snapshot(9.0).phase is Phase.OPEN
    assert latch.snapshot(9.0).opened == 1.0


# -- at the same time


def test_a_slow_success_as_old_as_the_freshness_still_counts() -> None:
    latch = make(dep("slow"), dep("cache"), freshness=5.0)
    attempt(latch, "slow", 1.0, took=0.5)
    attempt(latch, "cache", 6.0)

    assert latch.is_open


def test_a_fast_success_is_confirmed_however_young_it_is() -> None:
    latch = make(dep("db"), dep("cache"), freshness=5.0)
    attempt(latch, "db", 1.0)
    attempt(latch, "cache", 1.2)

    assert latch.asked == {"db"}
    assert attempt(latch, "db", 1.21, "connection refused") == [TransitionKind.LOST]


def test_a_proof_of_a_fast_one_is_stale_when_a_slow_one_has_taken_its_time() -> None:
    latch = make(dep("fast"), dep("slow"), freshness=5.0)
    attempt(latch, "slow", 1.0, took=1.0)
    attempt(latch, "fast", 9.0)
    attempt(latch, "slow", 10.0, took=1.0)

    assert latch.asked == {"fast"}, "and not the slow one again"

    attempt(latch, "fast", 10.01)

    assert latch.is_open


def test_a_process_that_gets_no_cpu_does_not_ask_for_ever() -> None:
    latch = make(dep("db"), dep("cache"))
    now = 1.0
    while not latch.is_open:
        for name in sorted(latch.asked) or ["db", "cache"]:
            now += 0.4
            attempt(latch, name, now)

    assert now < 20


def test_a_stale_success_is_asked_to_prove_itself() -> None:
    latch = make(dep("db"), dep("cache"), freshness=5.0)
    attempt(latch, "db", 1.0)

    assert latch.rests("db")
    assert attempt(latch, "cache", 6.5) == [TransitionKind.READY]
    assert not latch.is_open
    assert latch.asked == {"db"}
    assert not latch.rests("db")
    assert latch.rests("cache")


def test_while_one_is_confirmed_it_is_what_holds_the_gate() -> None:
    latch = make(dep("db"), dep("cache"))
    attempt(latch, "db", 1.0)
    attempt(latch, "cache", 9.0)

    assert latch.snapshot(9.0).pending == ("db",)
    assert view(latch, "db").reason == CONFIRMING
    assert view(latch, "db").state is State.READY


def test_a_confirmation_opens_it_and_tells_no_second_readiness() -> None:
    latch = make(dep("db"), dep("cache"))
    attempt(latch, "db", 1.0)
    attempt(latch, "cache", 9.0)

    assert attempt(latch, "db", 9.1) == [TransitionKind.GATE_OPENED]
    assert view(latch, "db").waited == 1.0


def test_a_failed_confirmation_puts_it_back_to_waiting() -> None:
    latch = make(dep("db"), dep("cache"))
    attempt(latch, "db", 1.0)
    attempt(latch, "cache", 9.0)

    assert attempt(latch, "db", 9.1, "connection refused") == [TransitionKind.LOST]
    assert not latch.is_open
    assert latch.asked == frozenset()
    assert latch.snapshot(9.1).pending == ("db",)
    assert view(latch, "db").state is State.WAITING


def test_after_a_failed_confirmation_the_others_are_asked_anew_when_stale() -> None:
    latch = make(dep("db"), dep("cache"))
    attempt(latch, "db", 1.0)
    attempt(latch, "cache", 9.0)
    attempt(latch, "db", 9.1, "connection refused")
    attempt(latch, "db", 20.0)

    assert latch.asked == {"cache"}

    attempt(latch, "cache", 20.1)

    assert latch.is_open


def test_attempts_slower_than_the_freshness_open_it_all_the_same() -> None:
    latch = make(dep("slow"), dep("slower"), freshness=5.0)
    attempt(latch, "slow", 8.0, took=8.0)
    attempt(latch, "slower", 20.0, took=20.0)
    attempt(latch, "slow", 28.0, took=8.0)

    assert latch.asked == {"slow", "slower"}

    attempt(latch, "slow", 36.0, took=8.0)

    assert not latch.is_open

    attempt(latch, "slower", 48.0, took=20.0)

    assert latch.is_open


def test_one_that_was_given_up_does_not_disturb_slow_confirmations() -> None:
    latch = make(dep("slow"), dep("slower"), dep("gone", optional=True, deadline=1.0))
    attempt(latch, "slow", 8.0, took=8.0)
    attempt(latch, "slower", 20.0, took=20.0)
    attempt(latch, "slow", 28.0, took=8.0)
    attempt(latch, "gone", 30.0, "connection refused")
    attempt(latch, "slow", 36.0, took=8.0)
    attempt(latch, "gone", 40.0, "connection refused")
    attempt(latch, "slower", 48.0, took=20.0)

    assert latch.is_open


def test_a_success_that_is_still_fresh_counts_though_it_was_asked_again() -> None:
    latch = make(dep("slow"), dep("moody"), freshness=5.0)
    attempt(latch, "slow", 1.0, took=1.0)
    attempt(latch, "moody", 20.0, took=1.0)
    attempt(latch, "slow", 28.0, took=8.0)

    assert latch.asked == {"slow", "moody"}

    attempt(latch, "moody", 29.0, took=1.0)

    assert latch.is_open


def test_a_hanging_member_of_a_confirmed_group_delays_nobody() -> None:
    latch = make(dep("a", group="g"), dep("b", group="g"), dep("c"))
    attempt(latch, "a", 1.0)
    attempt(latch, "b", 1.0)
    attempt(latch, "c", 7.0)

    assert latch.asked == {"a", "b"}

    attempt(latch, "a", 12.5, took=5.4)

    assert latch.asked == {"b", "c"}

    attempt(latch, "c", 12.6)

    assert latch.is_open


# -- successes


def test_successes_must_follow_one_another() -> None:
    latch = make(dep("db", successes=3))
    for at, reason in enumerate(["", "", "status 503", "", ""], start=1):
        attempt(latch, "db", at, reason)

    assert not latch.is_open
    assert attempt(latch, "db", 6.0) == [TransitionKind.READY, TransitionKind.GATE_OPENED]


def test_between_successes_the_reason_is_not_the_old_failure() -> None:
    latch = make(dep("db", successes=3))
    attempt(latch, "db", 1.0, "connection refused")

    assert attempt(latch, "db", 2.0) == [TransitionKind.WAITING]
    assert attempt(latch, "db", 3.0) == []
    assert view(latch, "db").reason == "answers, wanted 3 times in a row"


def test_one_more_success_confirms_whatever_successes_is() -> None:
    latch = make(dep("db", successes=2), dep("cache"))
    attempt(latch, "db", 1.0)
    attempt(latch, "db", 2.0)
    attempt(latch, "cache", 9.0)
    attempt(latch, "db", 9.1)

    assert latch.is_open


# -- deadlines


def test_a_required_one_past_its_deadline_makes_the_gate_overdue() -> None:
    latch = make(dep("db", deadline=10.0))

    assert latch.tick(9.9) == ()
    assert [t.kind for t in latch.tick(10.0)] == [
        TransitionKind.OVERDUE,
        TransitionKind.GATE_OVERDUE,
    ]
    assert latch.snapshot(10.0).phase is Phase.OVERDUE
    assert view(latch, "db").state is State.OVERDUE


def test_an_overdue_one_that_becomes_ready_opens_it() -> None:
    latch = make(dep("db", deadline=10.0))
    latch.tick(10.0)

    assert attempt(latch, "db", 11.0) == [TransitionKind.READY, TransitionKind.GATE_OPENED]
    assert latch.snapshot(11.0).degraded == ""


def test_the_gate_is_no_longer_overdue_once_the_late_one_is_ready() -> None:
    latch = make(dep("db", deadline=10.0), dep("cache"))
    latch.tick(10.0)
    attempt(latch, "db", 11.0)

    assert latch.snapshot(11.0).phase is Phase.WAITING


def test_an_optional_one_past_its_deadline_is_given_up() -> None:
    latch = make(dep("db"), dep("cache", optional=True, deadline=30.0))
    attempt(latch, "db", 29.0)
    attempt(latch, "cache", 29.5, "connection refused")

    assert not latch.is_open
    assert [t.kind for t in latch.tick(30.0)] == [TransitionKind.GIVEN_UP]
    assert attempt(latch, "db", 30.01) == [TransitionKind.GATE_OPENED]
    assert latch.snapshot(30.0).degraded == "opened without cache: connection refused"
    assert view(latch, "cache").state is State.GIVEN_UP


def test_an_optional_one_without_any_answer_says_so() -> None:
    latch = make(dep("cache", optional=True, deadline=30.0))
    latch.tick(30.0)

    assert latch.snapshot(30.0).degraded == "opened without cache: no answer yet"


def test_one_given_up_that_is_ready_later_is_no_longer_missing() -> None:
    latch = make(dep("db"), dep("cache", optional=True, deadline=30.0))
    latch.tick(30.0)
    attempt(latch, "cache", 40.0)
    attempt(latch, "db", 41.0)
    attempt(latch, "cache", 41.01)

    assert latch.is_open
    assert latch.snapshot(41.0).degraded == ""


def test_one_ready_in_time_is_never_late() -> None:
    latch = make(dep("db", deadline=10.0), dep("cache"))
    attempt(latch, "db", 9.0)

    assert latch.tick(20.0) == ()


@pytest.mark.parametrize("started", [0.1, 0.3, 1e9 / 7, 1234567.891])
@pytest.mark.parametrize("deadline", [0.1, 0.7, 30.0, 1e5 / 3])
def test_the_moment_a_deadline_is_due_is_late_enough(started: float, deadline: float) -> None:
    latch = Latch([dep("db", deadline=deadline)], now=started)
    due = latch.next_deadline(started)
    assert due is not None

    latch.tick(due)

    assert view(latch, "db").state is State.OVERDUE
    assert latch.next_deadline(due) is None


def test_the_next_deadline_is_the_earliest_to_come() -> None:
    latch = make(dep("a", deadline=3.0), dep("b", deadline=9.0), timeout=6.0)

    assert [latch.next_deadline(at) for at in (0.0, 3.0, 6.0, 9.0)] == [3.0, 6.0, 9.0, None]


# -- groups


@pytest.mark.parametrize("ready", ["a", "b"])
def test_of_a_group_a_single_ready_one_is_enough(ready: str) -> None:
    latch = make(dep("a", group="g"), dep("b", group="g"))
    attempt(latch, ready, 1.0)

    assert latch.is_open
    assert latch.snapshot(1.0).degraded == ""


def test_of_each_group_one_is_needed() -> None:
    latch = make(dep("a", group="g"), dep("b", group="g"), dep("c", group="h"))
    attempt(latch, "a", 1.0)

    assert latch.snapshot(1.0).pending == ("c",)


def test_a_group_is_not_a_dependency_of_that_name() -> None:
    latch = make(dep("g"), dep("a", group="g"))
    attempt(latch, "g", 1.0)

    assert not latch.is_open


def test_a_group_is_overdue_when_each_of_it_is() -> None:
    latch = make(dep("a", group="g", deadline=5.0), dep("b", group="g", deadline=9.0))
    latch.tick(5.0)

    assert latch.snapshot(5.0).phase is Phase.WAITING

    latch.tick(9.0)

    assert latch.snapshot(9.0).phase is Phase.OVERDUE


def test_an_optional_one_given_up_leaves_the_rest_of_its_group_needed() -> None:
    latch = make(dep("a", group="g"), dep("b", group="g", optional=True, deadline=5.0))
    latch.tick(5.0)

    assert latch.snapshot(5.0).pending == ("a",)

    attempt(latch, "a", 6.0)

    assert latch.is_open
    assert latch.snapshot(6.0).degraded == ""


def test_a_group_of_optional_ones_is_given_up_with_the_last() -> None:
    a, b = (dep(n, group="g", optional=True, deadline=d) for n, d in (("a", 5.0), ("b", 9.0)))
    latch = make(a, b)
    attempt(latch, "a", 1.0, "status 503")
    latch.tick(5.0)

    assert not latch.is_open

    latch.tick(9.0)

    assert latch.snapshot(9.0).degraded == "opened without a: status 503; b: no answer yet"


def test_a_lost_member_of_a_group_that_is_met_changes_nothing_for_the_gate() -> None:
    latch = make(dep("a", group="g"), dep("b", group="g"), dep("c"))
    attempt(latch, "a", 1.0)
    attempt(latch, "b", 1.0)
    attempt(latch, "c", 9.0)
    attempt(latch, "a", 9.1, "connection refused")

    assert latch.asked == {"b"}

    attempt(latch, "b", 9.2)

    assert latch.is_open


# -- the time for everything


def test_the_total_timeout_makes_the_gate_overdue_and_goes_on() -> None:
    latch = make(dep("db"), timeout=60.0)

    assert [t.kind for t in latch.tick(60.0)] == [TransitionKind.GATE_OVERDUE]
    assert latch.tick(61.0) == ()
    assert latch.snapshot(61.0).phase is Phase.OVERDUE

    attempt(latch, "db", 62.0)

    assert latch.is_open


def test_what_is_ready_at_the_very_end_opens_without_being_overdue() -> None:
    latch = make(dep("db"), timeout=60.0)

    assert attempt(latch, "db", 60.0) == [TransitionKind.READY, TransitionKind.GATE_OPENED]


def test_told_to_open_on_timeout_it_opens_degraded() -> None:
    latch = make(dep("db"), dep("cache"), dep("mq"), timeout=60.0, open_on_timeout=True)
    attempt(latch, "db", 1.0, "starting up")
    attempt(latch, "cache", 1.0)

    happened = [t.kind for t in latch.tick(60.0)]

    assert happened == [TransitionKind.GATE_OVERDUE, TransitionKind.GATE_OPENED]
    assert latch.snapshot(60.0).degraded == "opened without db: starting up; mq: no answer yet"


def test_a_required_deadline_too_opens_degraded_when_told_so() -> None:
    latch = make(dep("db", deadline=5.0), dep("cache"), open_on_timeout=True)
    attempt(latch, "db", 1.0, "starting up")
    latch.tick(5.0)

    assert latch.snapshot(5.0).degraded == ("opened without db: starting up; cache: no answer yet")


def test_timing_out_in_a_confirmation_is_no_degraded_opening() -> None:
    latch = make(dep("db"), dep("cache"), timeout=60.0, open_on_timeout=True)
    attempt(latch, "db", 1.0)
    attempt(latch, "cache", 59.9)
    latch.tick(60.0)

    assert latch.is_open
    assert latch.snapshot(60.0).degraded == ""


# -- told to open


def test_told_to_open_it_opens_with_the_reason() -> None:
    latch = make(dep("db"))

    assert [t.kind for t in latch.open(1.0, "disabled: night")] == [TransitionKind.GATE_OPENED]
    assert latch.open(2.0, "again") == ()
    assert latch.snapshot(3.0).degraded == "disabled: night"
    assert latch.snapshot(3.0).opened == 1.0


# -- after the opening


def monitored() -> Latch:
    latch = make(dep("db", monitor=True))
    attempt(latch, "db", 1.0)
    return latch


def test_three_failures_in_a_row_make_a_monitored_one_unfit() -> None:
    latch = monitored()

    assert attempt(latch, "db", 2.0, "status 503") == []
    assert attempt(latch, "db", 3.0, "status 503") == []
    assert view(latch, "db").is_fit
    assert view(latch, "db").reason == ""
    assert attempt(latch, "db", 4.0, "status 503") == [TransitionKind.UNFIT]
    assert not view(latch, "db").is_fit
    assert view(latch, "db").reason == "status 503"


def test_one_success_makes_it_fit_again() -> None:
    latch = monitored()
    for at in range(2, 6):
        attempt(latch, "db", at, "status 503")

    assert attempt(latch, "db", 6.0) == [TransitionKind.FIT]
    assert attempt(latch, "db", 7.0, "status 503") == []
    assert view(latch, "db").is_fit


def test_a_success_between_starts_the_count_again() -> None:
    latch = monitored()
    for at, reason in enumerate(["x", "x", "", "x", "x"], start=2):
        assert attempt(latch, "db", at, reason) == []


def test_a_monitored_one_that_failed_until_the_opening_is_unfit_from_then_on() -> None:
    latch = make(dep("db", monitor=True), timeout=9.0, open_on_timeout=True)
    for at in range(1, 4):
        attempt(latch, "db", at, "refused")
    latch.tick(9.0)

    assert not view(latch, "db").is_fit
    assert attempt(latch, "db", 10.0) == [TransitionKind.READY, TransitionKind.FIT]


def test_one_that_is_not_monitored_is_never_unfit() -> None:
    latch = make(dep("db"), dep("cache", optional=True, deadline=9.0))
    attempt(latch, "db", 9.0)
    for at in range(10, 20):
        attempt(latch, "cache", at, "refused")

    assert view(latch, "cache").is_fit


# -- telling


def test_the_same_reason_is_told_once() -> None:
    latch = make(dep("db"))
    reasons = ["name not found", "name not found", "connection refused", "connection refused"]
    told = [attempt(latch, "db", at, reason) for at, reason in enumerate(reasons)]

    assert told == [[TransitionKind.WAITING], [], [TransitionKind.WAITING], []]


def test_the_revision_counts_transitions_and_nothing_else() -> None:
    latch = make(dep("db"))
    before = latch.snapshot(0.0).revision
    attempt(latch, "db", 1.0, "connection refused")
    attempt(latch, "db", 2.0, "connection refused")

    assert latch.snapshot(2.0).revision == before + 1


def test_a_transition_says_when_who_and_why() -> None:
    latch = make(dep("db"))
    attempt(latch, "db", 1.5, "connection refused")
    (told,) = latch.snapshot(2.0).transitions

    assert (told.at, told.kind, told.name, told.reason) == (
        1.5,
        TransitionKind.WAITING,
        "db",
        "connection refused",
    )


def test_the_history_is_bounded() -> None:
    latch = make(dep("db"))
    for number in range(HISTORY + 9):
        attempt(latch, "db", number, f"status {number}")

    snapshot = latch.snapshot(1e4)

    assert len(snapshot.transitions) == HISTORY
    assert snapshot.revision == HISTORY + 9


def test_what_was_waited_is_counted_from_the_start_to_ready_or_now() -> None:
    latch = Latch([dep("db"), dep("cache")], now=100.0)
    attempt(latch, "db", 103.0)

    assert view(latch, "db", now=105.0).waited == 3.0
    assert view(latch, "cache", now=105.0).waited == 5.0


def test_an_opening_at_the_clock_s_zero_is_an_opening() -> None:
    latch = make(dep("db"))
    latch.open(0.0)

    assert latch.snapshot(7.0).elapsed == 0.0
    assert view(latch, "db", now=7.0).waited == 0.0


def test_pending_is_in_the_order_of_writing() -> None:
    latch = make(dep("a", group="g"), dep("b"), dep("c", group="g"))

    assert latch.snapshot(0.0).pending == ("a", "b", "c")


def test_what_has_left_the_history_is_counted_by_name() -> None:
    latch = make(dep("db"))
    for number in range(HISTORY + 9):
        attempt(latch, "db", number, f"status {number}")

    assert latch.snapshot(1e4).left_out == {"db": 9}


def test_the_opening_and_that_of_a_part_are_told_with_what_is_missing() -> None:
    latch = make(dep("db"))
    latch.note_part(1.0, "front", "opened without cache: refused")
    latch.open(2.0, "opened without checking")

    assert [(told.kind, told.name, told.reason) for told in latch.snapshot(3.0).transitions] == [
        (TransitionKind.PART_OPENED, "front", "opened without cache: refused"),
        (TransitionKind.GATE_OPENED, "", "opened without checking"),
    ]


def test_nothing_is_degraded_before_the_opening() -> None:
    assert make(dep("db")).snapshot(1.0).degraded == ""


@pytest.mark.parametrize("at", [5.0, 6.0])
def test_an_attempt_that_changes_nothing_else_shows_that_it_is_late(at: float) -> None:
    latch = make(dep("db", deadline=5.0), dep("cache"))
    attempt(latch, "db", 1.0, "refused")

    assert attempt(latch, "db", 4.0, "refused") == []
    assert attempt(latch, "db", at, "refused") == [
        TransitionKind.OVERDUE,
        TransitionKind.GATE_OVERDUE,
    ]


def test_without_confirmation_the_last_success_opens_it() -> None:
    latch = make(dep("db"), dep("cache"), confirms=False)
    attempt(latch, "db", 1.0)

    assert TransitionKind.GATE_OPENED in attempt(latch, "cache", 50.0)


def test_once_open_nobody_is_asked_any_more() -> None:
    latch = make(dep("db"), dep("cache"))
    attempt(latch, "db", 1.0)
    attempt(latch, "cache", 2.0)
    asked = latch.asked
    latch.open(2.0)

    assert (set(asked), set(latch.asked)) == ({"db"}, set())


def test_a_lost_one_takes_back_what_the_others_were_asked_for() -> None:
    latch = make(dep("db"), dep("cache"))
    attempt(latch, "db", 1.0)
    attempt(latch, "cache", 2.0)
    attempt(latch, "cache", 2.1, "refused")

    assert latch.asked == frozenset()


def test_attempts_are_counted_and_the_latest_is_known_however_they_ended() -> None:
    latch = make(dep("db"), dep("cache"))
    attempt(latch, "db", 1.0)
    attempt(latch, "db", 3.0, "refused")

    assert (view(latch, "db").attempts, view(latch, "db").last_attempt) == (2, 3.0)
    assert (view(latch, "cache").attempts, view(latch, "cache").last_attempt) == (0, None)


def test_what_is_told_of_the_gate_names_nobody_and_needs_no_reason() -> None:
    latch = make(dep("db"), timeout=5.0)
    latch.tick(5.0)
    latch.open(6.0)

    assert [(told.kind, told.name, told.reason) for told in latch.snapshot(7.0).transitions] == [
        (TransitionKind.GATE_OVERDUE, "", ""),
        (TransitionKind.GATE_OPENED, "", ""),
    ]
    assert latch.snapshot(7.0).degraded == ""


def test_two_slow_ones_out_of_step_beside_a_fast_one_open_it_all_the_same() -> None:
    """Whoever is asked makes an attempt at once; the stale ones are never all slow."""
    took = {"a": 6.0, "b": 7.0, "fast": 0.1}
    latch = make(*map(dep, took))
    ends = {"a": 6.0, "b": 20.0, "fast": 3.1}
    while not latch.is_open:
        at, name = min((end, name) for name, end in ends.items())
        assert at < 60.0
        del ends[name]
        attempt(latch, name, at, took=took[name])
        ends |= {one: at + took[one] for one in latch.asked if one not in ends}

    assert latch.snapshot(60.0).opened == pytest.approx(33.1)
