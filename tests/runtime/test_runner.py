from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from gate.core import attempt
from gate.core.backoff import FIRST, GROWTH, JITTER, LOCAL_LIMIT
from gate.core.errors import Absent, CheckFailed, NameNotFound
from gate.core.latch import Latch
from gate.core.model import Dependency, Phase, Result, Snapshot, TransitionKind, Until
from gate.runtime.board import Board
from gate.runtime.runner import (
    LONGEST_REASON,
    LOOK_AGAIN,
    NO_REASON,
    DependencyCheck,
    make_attempt,
    run_checks,
)
from tests.virtual import now, play

START = 1000.0


class Fake:
    """A check that answers what *why_not* says, after *took* seconds; remembers when."""

    def __init__(self, why_not: Callable[[float], str] = lambda _: "", took: float = 0.0) -> None:
        self.why_not = why_not
        self.took = took
        self.at: list[float] = []
        self.under_way = 0

    async def __call__(self) -> None:
        self.at.append(now() - START)
        self.under_way += 1
        assert self.under_way == 1, "one attempt in flight"
        try:
            await asyncio.sleep(self.took)
        finally:
            self.under_way -= 1
        if reason := self.why_not(now() - START):
            raise CheckFailed(reason)


def until(moment: float) -> Callable[[float], str]:
    """Refused before *moment*, ready from then on."""
    return lambda at: "connection refused" if at < moment else ""


def never(at: float) -> str:
    return "connection refused"


def watch(
    check: Callable[[], Awaitable[None]], name: str = "db", **options: Any
) -> DependencyCheck:
    return DependencyCheck(Dependency(name=name, url=f"tcp://{name}:1", **options), check)


def wait_for(*dependency_checks: DependencyCheck, seconds: float = 1e4, **options: Any) -> Snapshot:
    """Watch all until nothing is left to do, for *seconds* at most."""

    async def main() -> Snapshot:
        latch = Latch([each.dependency for each in dependency_checks], now=now(), **options)
        board = Board(latch)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await run_checks(dependency_checks, board)
        return board.snapshot()

    return play(main())


def one(check: Callable[[], Awaitable[None]], **options: Any) -> Result:
    return play(make_attempt(watch(check, **options)))


def failing_with(exc: BaseException) -> Callable[[], Awaitable[None]]:
    async def check() -> None:
        raise exc

    return check


# -- one attempt


def test_a_check_that_returns_is_ready() -> None:
    result = one(Fake(took=0.5))

    assert (result.ok, result.reason) == (True, "")
    assert result.finished - result.started == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("exc", "reason"),
    [
        (CheckFailed("status 503"), "status 503"),
        (CheckFailed(""), NO_REASON),
        (CheckFailed(" \n"), NO_REASON),
        (CheckFailed("two\nlines\t and \x1b[31mred"), "two lines and [31mred"),
        (CheckFailed("x" * 999), "x" * (LONGEST_REASON - 1) + "…"),
        (Absent("connection refused"), "connection refused"),
        (Absent(""), "not there"),
        (TimeoutError("ours"), "timed out"),
        (KeyError("x"), "the check is broken: KeyError: 'x'"),
        (SystemExit(3), "the check is broken: SystemExit: 3"),
        (
            ExceptionGroup("several", [ValueError()]),
            "the check is broken: ExceptionGroup: several (1 sub-exception)",
        ),
        (asyncio.CancelledError(), "the check is broken: it cancelled itself"),
    ],
    ids=repr,
)
def test_whatever_a_check_raises_is_a_reason(exc: BaseException, reason: str) -> None:
    result = one(failing_with(exc))

    assert (result.ok, result.reason) == (False, reason)


def test_an_attempt_that_takes_too_long_is_ended() -> None:
    result = one(Fake(took=60.0), timeout=2.5)

    assert result.reason == "no answer within 2.5s"
    assert result.finished - result.started == pytest.approx(2.5)


def test_the_reason_says_in_which_stage_it_hung() -> None:
    async def check() -> None:
        attempt.enter_stage("connecting")
        attempt.enter_stage("TLS handshake")
        await asyncio.sleep(60)

    assert one(check).reason == "TLS handshake: no answer within 3s"


def test_a_stage_is_forgotten_by_the_next_attempt() -> None:
    async def main() -> str:
        stages = iter(["login", ""])

        async def check() -> None:
            if name := next(stages):
                attempt.enter_stage(name)
            await asyncio.sleep(60)

        await make_attempt(watch(check))
        return (await make_attempt(watch(check))).reason

    assert play(main()) == "no answer within 3s"


@pytest.mark.parametrize(
    ("exc", "reason"),
    [
        (None, "still there"),
        (Absent("connection refused"), ""),
        (
            NameNotFound("name not found: db"),
            "name not found: db: a typo looks like this too; until=gone takes it for absent",
        ),
        (CheckFailed("status 503"), "status 503"),
        (TimeoutError(), "timed out"),
        (ValueError("x"), "the check is broken: ValueError: x"),
    ],
)
def test_until_down_is_ready_only_when_positively_absent(
    exc: Exception | None, reason: str
) -> None:
    async def check() -> None:
        if exc:
            raise exc

    result = one(check, until=Until.DOWN)

    assert (result.ok, result.reason) == (not reason, reason)


@pytest.mark.parametrize(
    ("exc", "reason"),
    [
        (None, "still there"),
        (Absent("connection refused"), ""),
        (NameNotFound("name not found: db"), ""),
        (CheckFailed("status 503"), "status 503"),
    ],
)
def test_until_gone_takes_a_vanished_name_for_absent_too(
    exc: Exception | None, reason: str
) -> None:
    async def check() -> None:
        if exc:
            raise exc

    result = one(check, until=Until.GONE)

    assert (result.ok, result.reason) == (not reason, reason)


def test_secrets_are_cleaned_from_a_reason() -> None:
    check = failing_with(CheckFailed("login as app with hunter2 refused: hunter2-old, tok en"))

    result = one(check, secrets=("hunter2", "hunter2-old", "tok en"))

    assert result.reason == "login as app with *** refused: ***, ***"


def test_secrets_of_a_broken_check_are_cleaned_too() -> None:
    result = one(failing_with(ValueError("bad DSN //u:hunter2@h")), secrets=("hunter2",))

    assert result.reason == "the check is broken: ValueError: bad DSN //u:***@h"


def test_a_secret_read_in_the_attempt_is_cleaned() -> None:
    async def check() -> None:
        attempt.keep_secret("hunter2")
        attempt.keep_secret("e")
        msg = "wrong password hunter2, hunter2!"
        raise CheckFailed(msg)

    assert one(check).reason == "wrong password ***, ***!"


@pytest.mark.parametrize(
    "shown",
    ['Pass"  W\\rd', "Pass%22%20%20W%5Crd", r"Pass\"  W\\rd", 'pass" w\\rd', 'Pass"\n W\\rd'],
)
def test_a_secret_is_found_however_it_is_written(shown: str) -> None:
    check = failing_with(CheckFailed(f"bad token {shown}!"))

    assert one(check, secrets=('Pass"  W\\rd',)).reason == "bad token ***!"


@pytest.mark.parametrize("secret", ["   ", " s "])
def test_spaces_make_no_secret_of_a_letter(secret: str) -> None:
    assert one(failing_with(CheckFailed("status 503")), secrets=(secret,)).reason == "status 503"


# -- all together


def test_the_first_attempts_are_at_once_and_in_parallel() -> None:
    checks = [Fake(took=1.0) for _ in range(20)]
    snapshot = wait_for(*(watch(check, f"d{n}") for n, check in enumerate(checks)))

    assert [check.at for check in checks] == [[0.0]] * 20
    assert snapshot.elapsed == pytest.approx(1.0)


def test_it_opens_the_moment_the_last_is_ready() -> None:
    """After the slow one, only the fast one's proof is missing, and is asked for at once."""
    snapshot = wait_for(watch(Fake(took=0.1), "a"), watch(Fake(took=4.0), "b", timeout=5.0))

    assert snapshot.elapsed == pytest.approx(4.1)


def pauses(check: Fake) -> list[float]:
    return [later - earlier for earlier, later in pairwise(check.at)]


def test_pauses_grow_with_jitter_up_to_the_interval() -> None:
    check = Fake(never)
    wait_for(watch(check, interval=1.0), seconds=60.0)

    for failures, pause in enumerate(pauses(check)):
        # One step either way is the pace.
        full = FIRST * GROWTH ** (failures - 1), FIRST * GROWTH ** (failures + 1)
        shortest, longest = min(full[0], 1.0) * (1 - JITTER), min(full[1] * (1 + JITTER), 1.0)
        assert shortest - 1e-6 <= pause <= longest + 1e-6
    assert len({round(pause, 6) for pause in pauses(check)}) > 10


def test_each_dependency_has_a_pace_of_its_own_and_keeps_it() -> None:
    checks = [Fake(never) for _ in range(100)]
    wait_for(*(watch(each, f"n{n}", interval=1e6) for n, each in enumerate(checks)), seconds=1e4)

    paces = [[each / (FIRST * GROWTH**n) for n, each in enumerate(pauses(one))] for one in checks]
    by_jitter = (1 + JITTER) / (1 - JITTER) + 1e-6
    assert all(max(each) / min(each) <= by_jitter for each in paces)
    assert max(map(max, paces)) / min(map(min, paces)) > by_jitter


def test_a_local_target_is_tried_four_times_a_second_at_least() -> None:
    check = Fake(never)
    wait_for(watch(check, interval=10.0, is_local=True), seconds=60.0)

    assert max(pauses(check)) <= LOCAL_LIMIT + 1e-6


def test_waiting_is_not_busy() -> None:
    check = Fake(never)
    wait_for(watch(check, interval=1.0), seconds=3600.0)

    assert 3600 <= len(check.at) <= 3600 / (1 - JITTER) + 20


def test_a_ready_one_is_looked_at_gently_while_others_are_waited_for() -> None:
    ready, late = Fake(), Fake(until(1000.0))
    wait_for(watch(ready, "a"), watch(late, "b"))

    assert 1000 / (LOOK_AGAIN * 1.2) <= len(ready.at) <= 1000 / (LOOK_AGAIN * 0.8) + 2


def test_an_interval_above_that_is_kept_to() -> None:
    ready, late = Fake(), Fake(until(1000.0))
    wait_for(watch(ready, "a", interval=300.0), watch(late, "b"))

    assert len(ready.at) <= 1000 / 240 + 2


def test_one_that_is_lost_while_others_are_waited_for_is_shown_as_lost() -> None:
    lost = Fake(lambda at: "connection refused" if at > 20 else "")
    snapshot = wait_for(watch(lost, "a"), watch(Fake(never), "b"), seconds=45.0)

    assert snapshot.pending == ("a", "b")
    assert snapshot.dependencies[0].reason == "connection refused"


def test_a_stale_success_is_confirmed_before_opening() -> None:
    ready, late = Fake(took=0.2), Fake(until(60.0))
    snapshot = wait_for(watch(ready, "a", interval=300.0), watch(late, "b"))

    assert ready.at == [0.0, pytest.approx(late.at[-1])]
    assert snapshot.elapsed == pytest.approx(late.at[-1] + 0.2)


def test_a_failed_confirmation_is_waited_for_again() -> None:
    moody = Fake(lambda at: "gone" if 50 < at < 70 else "")
    snapshot = wait_for(watch(moody, "a"), watch(Fake(until(60.0)), "b"))

    assert 70.0 <= snapshot.elapsed <= 71.0 + 1e-6
    assert TransitionKind.LOST in [each.kind for each in snapshot.transitions]


def test_confirmations_follow_without_any_pause() -> None:
    slow, slower = Fake(took=8.0), Fake(took=20.0)
    snapshot = wait_for(
        watch(slow, "a", timeout=60.0, interval=500.0),
        watch(slower, "b", timeout=60.0, interval=500.0),
    )

    assert slow.at == pytest.approx([0.0, 20.0, 28.0])
    assert snapshot.elapsed == pytest.approx(48.0)


def test_successes_are_an_interval_apart() -> None:
    check = Fake()
    wait_for(watch(check, successes=3, interval=2.0))

    assert check.at == pytest.approx([0.0, 2.0, 4.0])


def test_a_slow_one_delays_no_other() -> None:
    hanging, quick = Fake(took=1e6), Fake(until(5.0))
    wait_for(watch(hanging, "a", timeout=300.0), watch(quick, "b"), seconds=100.0)

    assert 5.0 <= quick.at[-1 - sum(at > 6.0 for at in quick.at)] <= 6.0
    assert len(hanging.at) == 1


def test_a_broken_check_ends_no_other_and_is_tried_on() -> None:
    broken = Fake(lambda at: str(1 / 0) if at < 5 else "")
    snapshot = wait_for(watch(broken, "a"), watch(Fake(until(3.0)), "b"))

    assert snapshot.is_open
    assert len(broken.at) > 5


def test_a_check_that_cancels_itself_is_tried_on() -> None:
    async def check() -> None:
        if now() - START < 5:
            raise asyncio.CancelledError

    assert wait_for(watch(check)).is_open


def test_the_opening_ends_the_attempts_under_way() -> None:
    hanging = Fake(took=1e6)
    snapshot = wait_for(
        watch(Fake(), "a", group="g"), watch(hanging, "b", group="g", timeout=1e5), seconds=50.0
    )

    assert snapshot.at - START < 1
    assert hanging.under_way == 0


def test_nothing_to_wait_for_is_open_at_once() -> None:
    snapshot = wait_for()

    assert snapshot.is_open
    assert snapshot.at == START


def test_a_gate_that_is_open_already_tries_nothing() -> None:
    check = Fake()

    async def main() -> None:
        board = Board(Latch([watch(check).dependency], now=now()))
        board.open("disabled")
        await run_checks([watch(check)], board)

    play(main())

    assert check.at == []


# -- deadlines


def test_a_deadline_passes_without_any_attempt_ending() -> None:
    hanging = watch(Fake(took=1e6), timeout=1e5, deadline=7.0)
    snapshot = wait_for(hanging, seconds=8.0)

    assert snapshot.phase is Phase.OVERDUE
    assert snapshot.transitions[0].at == pytest.approx(START + 7.0)


def test_a_hanging_optional_one_is_given_up_in_time() -> None:
    hanging = watch(Fake(took=1e6), "cache", timeout=1e5, deadline=30.0, optional=True)
    snapshot = wait_for(watch(Fake(), "db"), hanging)

    assert 30.0 <= snapshot.elapsed <= 30.1
    assert snapshot.degraded == "opened without cache: no answer yet"


def test_the_total_timeout_opens_degraded_when_told_so() -> None:
    snapshot = wait_for(watch(Fake(never)), timeout=60.0, open_on_timeout=True)

    assert snapshot.elapsed == pytest.approx(60.0)
    assert snapshot.degraded == "opened without db: connection refused"


# -- a check that says when it is worth it


class Telling(Fake):
    """Calls another attempt worth making each time *worth* returns."""

    def __init__(
        self, why_not: Callable[[float], str], worth: Callable[[], Awaitable[Any]]
    ) -> None:
        super().__init__(why_not)
        self.worth = worth
        self.cancelled = 0

    async def changed(self) -> None:
        try:
            await self.worth()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def test_changed_cuts_the_pause_short() -> None:
    check = Telling(until(0.1), lambda: asyncio.sleep(0.5))
    snapshot = wait_for(watch(check, interval=60.0))

    assert len(check.at) in {3, 4}
    assert snapshot.elapsed == pytest.approx(check.at[-1])

    later = Telling(until(100.0), lambda: asyncio.sleep(START + 100.0 - now()))

    assert wait_for(watch(later, interval=1000.0)).elapsed == pytest.approx(100.0)


def test_a_pause_that_ends_first_ends_the_listening() -> None:
    check = Telling(until(10.0), lambda: asyncio.sleep(1e6))
    wait_for(watch(check))

    assert check.cancelled == len(check.at) - 1


async def _at_once() -> None:
    return


async def _fails_at_once() -> None:
    msg = "connection refused"
    raise CheckFailed(msg)


async def _breaks_at_once() -> None:
    raise ValueError


async def _leaves_at_once() -> None:
    raise SystemExit(3)


@pytest.mark.parametrize("worth", [_at_once, _fails_at_once, _breaks_at_once])
def test_whatever_changed_does_there_is_a_pause(worth: Callable[[], Awaitable[None]]) -> None:
    check = Telling(never, worth)
    wait_for(watch(check, interval=1.0), seconds=60.0)

    assert min(pauses(check)) >= FIRST / GROWTH * (1 - JITTER) - 1e-6


@pytest.mark.parametrize("worth", [_fails_at_once, _breaks_at_once, _leaves_at_once])
def test_a_changed_that_fails_leaves_the_pause_as_it_is(
    worth: Callable[[], Awaitable[None]],
) -> None:
    check = Telling(never, worth)
    wait_for(watch(check, interval=1.0), seconds=3600.0)

    assert len(check.at) <= 3600 / (1 - JITTER) + 20


# -- after the opening


def test_a_monitored_one_is_tried_on_at_its_interval() -> None:
    check = Fake()
    wait_for(watch(check, monitor=True, interval=2.0), seconds=9.0)

    assert check.at == pytest.approx([0.0, 2.0, 4.0, 6.0, 8.0])


def test_what_is_not_monitored_is_left_alone_after_the_opening() -> None:
    left, monitored = Fake(), Fake()
    wait_for(watch(left, "a"), watch(monitored, "b", monitor=True), seconds=100.0)

    assert len(left.at) == 1
    assert len(monitored.at) > 90


def test_a_monitored_one_becomes_unfit_and_fit() -> None:
    check = Fake(lambda at: "status 503" if 10 < at < 20 else "")
    snapshot = wait_for(watch(check, monitor=True), seconds=30.0)
    told = snapshot.transitions[2:]

    assert [each.kind for each in told] == [TransitionKind.UNFIT, TransitionKind.FIT]
    assert [each.at - START for each in told] == pytest.approx([13.0, 20.0], abs=0.01)


# -- the end


def test_cancelling_ends_everything_at_once() -> None:
    checks = [Fake(took=1e6), Fake(never), Telling(never, lambda: asyncio.sleep(1e6))]

    async def main() -> float:
        dependency_checks = [watch(check, f"d{n}", timeout=1e5) for n, check in enumerate(checks)]
        board = Board(Latch([each.dependency for each in dependency_checks], now=now()))
        task = asyncio.ensure_future(run_checks(dependency_checks, board))
        await asyncio.sleep(10.0)
        before = now()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return now() - before

    assert play(main()) == 0.0
    assert [check.under_way for check in checks] == [0, 0, 0]
