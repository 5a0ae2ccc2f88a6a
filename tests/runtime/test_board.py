from __future__ import annotations

import asyncio

import pytest

from gate.core.latch import Latch
from gate.core.model import Dependency, Phase, Result, Snapshot, Transition, TransitionKind
from gate.runtime import suspension
from gate.runtime.board import Board
from tests.virtual import now, play


def board_for(*names: str, told: list[tuple[Transition, Snapshot]] | None = None) -> Board:
    dependencies = [Dependency(name=name, url=f"tcp://{name}:1") for name in names]
    observers = [] if told is None else [lambda *each: told.append(each)]
    return Board(Latch(dependencies, now=now()), observers)


def success(name: str) -> Result:
    return Result(name=name, ok=True, started=now(), finished=now())


def test_an_observer_is_told_each_transition_with_the_state_after_it() -> None:
    told: list[tuple[Transition, Snapshot]] = []

    async def main() -> None:
        board_for("db", told=told).record(success("db"))

    play(main())

    assert [transition.kind for transition, _ in told] == [
        TransitionKind.READY,
        TransitionKind.GATE_OPENED,
    ]
    assert all(snapshot.is_open for _, snapshot in told)


def failure(name: str) -> Result:
    return Result(name=name, ok=False, reason="refused", started=now(), finished=now())


def board_with_group(
    *names: str, told: list[tuple[Transition, Snapshot]] | None = None, confirms: bool = False
) -> Board:
    """A board for web and db, with the group `front` of *names*, which are overdue after 5 s."""
    each = [Dependency(name=name, url=f"tcp://{name}:1", deadline=5.0) for name in ("web", "db")]
    observers = [] if told is None else [lambda *what: told.append(what)]
    group = Latch([one for one in each if one.name in names], now=now(), confirms=confirms)
    return Board(Latch(each, now=now(), confirms=False), observers, {"front": group})


def test_a_group_that_opens_before_the_whole_is_told_once_and_can_be_asked_for() -> None:
    told: list[tuple[Transition, Snapshot]] = []

    async def main() -> tuple[str, ...]:
        board = board_with_group("web", told=told)
        board.record(success("web"))
        board.record(success("web"))
        board.record(success("db"))
        return board.part_names

    names = play(main())

    assert names == ("front", "web", "db")
    assert [(transition.kind, transition.name) for transition, _ in told] == [
        (TransitionKind.PART_OPENED, "front"),
        (TransitionKind.READY, "web"),
        (TransitionKind.READY, "db"),
        (TransitionKind.GATE_OPENED, ""),
    ]


def test_a_group_stays_open_and_another_name_is_no_part() -> None:
    async def main() -> None:
        board = board_with_group("web")
        board.record(failure("web"))
        before, not_yet = board.part("front"), board.part("web")
        board.record(success("web"))
        board.record(failure("web"))
        after, alone = board.part("front"), board.part("web")

        assert before is not None
        assert after is not None
        assert alone is not None
        assert not_yet is not None
        assert not not_yet.is_open
        assert (before.is_open, after.is_open, alone.is_open) == (False, True, True)
        assert board.part("back") is None

    play(main())


def test_a_group_is_overdue_by_time_alone() -> None:
    async def main() -> Phase:
        board = board_with_group("web")
        await asyncio.sleep(6.0)
        board.tick()
        front = board.part("front")
        assert front is not None
        return front.phase

    assert play(main()) is Phase.OVERDUE


def test_a_group_that_opens_by_time_alone_is_told_of() -> None:
    told: list[tuple[Transition, Snapshot]] = []

    async def main() -> None:
        late = Dependency(name="web", url="tcp://web:1", deadline=5.0, optional=True)
        group = Latch([late], now=now(), confirms=False)
        latch = Latch([late, Dependency(name="db", url="tcp://db:1")], now=now())
        board = Board(latch, [lambda *what: told.append(what)], {"front": group})
        await asyncio.sleep(6.0)
        board.tick()

    play(main())

    assert [(transition.kind, transition.name) for transition, _ in told] == [
        (TransitionKind.PART_OPENED, "front"),
        (TransitionKind.GIVEN_UP, "web"),
    ]


def test_a_group_asks_for_its_own_proof_and_of_its_own_alone() -> None:
    async def main() -> None:
        board = board_with_group("web", "db", confirms=True)
        woken = asyncio.create_task(board.changed())
        board.record(success("web"))
        await asyncio.sleep(9.0)
        assert board.rests("web")
        assert not board.is_asked("web")
        board.record(failure("db"))
        board.record(success("db"))
        await woken

        assert (board.is_asked("web"), board.rests("web")) == (True, False)

    async def of_another() -> bool:
        board = board_with_group("web", confirms=True)
        board.record(success("db"))
        return board.is_asked("db")

    play(main())
    assert not play(of_another())


def board_that_waits_for_cache(*, confirms: bool = True) -> Board:
    """A board for web, db and cache, with the group `front` of web and db."""
    web, db, cache = (Dependency(name=name, url=f"{name}:") for name in ("web", "db", "cache"))
    group = Latch([web, db], now=now(), confirms=confirms)
    return Board(Latch([web, db, cache], now=now()), groups={"front": group})


def test_one_that_its_group_asks_does_not_rest_though_the_whole_waits_for_others() -> None:
    async def main() -> tuple[bool, bool]:
        board = board_that_waits_for_cache()
        board.record(success("web"))
        before = board.rests("web")
        await asyncio.sleep(9.0)
        board.record(success("db"))
        return before, board.rests("web")

    assert play(main()) == (True, False)


def test_whoever_waits_is_woken_where_a_group_asks_and_nothing_else_changes() -> None:
    async def main() -> bool:
        board = board_that_waits_for_cache()
        board.record(success("web"))
        await asyncio.sleep(9.0)
        board.record(success("db"))
        woken = asyncio.create_task(board.changed())
        await asyncio.sleep(1.0)
        board.record(success("web"))
        await asyncio.sleep(1.0)
        return woken.done() and board.is_asked("db")

    assert play(main())


def test_a_group_that_is_open_is_left_alone() -> None:
    async def main() -> tuple[bool, int]:
        board = board_that_waits_for_cache(confirms=False)
        for name in ("web", "db", "web", "web"):
            board.record(success(name))
        front = board.part("front")
        assert front is not None
        return board.rests("web"), front.dependencies[0].attempts

    assert play(main()) == (True, 1)


def test_of_a_group_only_an_opening_of_its_own_is_told() -> None:
    told: list[tuple[Transition, Snapshot]] = []

    async def main() -> None:
        board = board_with_group("web", told=told)
        board.record(failure("web"))
        board.open()
        board.record(success("web"))

    play(main())

    assert TransitionKind.PART_OPENED not in [transition.kind for transition, _ in told]
    assert told[-1][0].kind is TransitionKind.READY


def test_attempts_are_counted_and_their_times_kept_until_the_opening() -> None:
    async def main() -> tuple[int, int, int]:
        board = board_for("db")
        board.record(failure("db"))
        board.record(success("db"))
        board.record(success("db"))
        found = board.attempt_counters["db"]
        return found.failures, found.successes, len(found.marks)

    assert play(main()) == (1, 2, 2)


def test_whoever_waits_is_woken_by_a_change() -> None:
    async def main() -> float:
        board = board_for("db")
        asyncio.get_running_loop().call_later(3.0, lambda: board.record(success("db")))
        await board.changed()
        return now() - board.snapshot().started

    assert play(main()) == pytest.approx(3.0)


def test_whoever_waits_is_woken_by_a_request_for_proof() -> None:
    async def main() -> frozenset[str]:
        board = board_for("db", "cache")
        board.record(success("db"))
        asyncio.get_running_loop().call_later(9.0, lambda: board.record(success("cache")))
        await board.changed()
        return board.latch.asked

    assert play(main()) == {"db"}


def test_what_changes_nothing_wakes_nobody() -> None:
    async def main() -> bool:
        board = board_for("db")
        waiter = asyncio.ensure_future(board.changed())
        await asyncio.sleep(1)
        board.tick()
        await asyncio.sleep(1)
        return waiter.cancel()

    assert play(main())


def test_until_returns_as_soon_as_it_is_so() -> None:
    async def main() -> float:
        board = board_for("db")
        asyncio.get_running_loop().call_later(3.0, lambda: board.record(success("db")))
        await board.until(lambda: board.latch.is_open, 60.0)
        return now() - board.snapshot().started

    assert play(main()) == pytest.approx(3.0)


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 25.0])
def test_until_returns_when_its_time_is_over(seconds: float) -> None:
    async def main() -> float:
        board = board_for("db")
        await board.until(lambda: board.latch.is_open, seconds)
        return now() - board.snapshot().started

    assert play(main()) == pytest.approx(max(0.0, seconds))


def test_until_does_not_wait_for_what_is_so_already() -> None:
    async def main() -> float:
        board = board_for("db")
        board.record(success("db"))
        await board.until(lambda: board.latch.is_open, 25.0)
        return now() - board.snapshot().started

    assert play(main()) == 0.0


def test_opened_returns_at_the_opening_and_not_before() -> None:
    async def main() -> float:
        board = board_for("db", "cache")
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, lambda: board.record(success("db")))
        loop.call_later(2.0, lambda: board.record(success("cache")))
        loop.call_later(2.0, lambda: board.record(success("db")))
        await board.opened()
        return now() - board.snapshot().started

    assert play(main()) == pytest.approx(2.0)


def test_the_stop_sends_everyone_away() -> None:
    async def main() -> bool:
        board = board_for("db")
        assert not board.is_stopping
        asyncio.get_running_loop().call_later(3.0, board.stop)
        await board.until(lambda: board.is_stopping, 60.0)
        return board.is_stopping and now() - board.snapshot().started < 4

    assert play(main())


def test_told_to_open_without_a_word_it_is_not_degraded() -> None:
    async def main() -> Snapshot:
        board = board_for("db")
        board.open()
        return board.snapshot()

    assert play(main()).degraded == ""


def test_told_to_open_it_opens() -> None:
    async def main() -> Snapshot:
        board = board_for("db")
        board.open("disabled: night")
        return board.snapshot()

    assert play(main()).degraded == "disabled: night"


@pytest.mark.parametrize("part", ["", "front"])
def test_after_a_suspension_every_success_is_to_be_proven_anew(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """The loop's clock stands still while the host is suspended, so it shows no age."""

    async def main() -> tuple[bool, bool, bool]:
        board = board_with_group("web", "db", confirms=True)
        board.latch._confirms = True
        latch = board._groups[part] if part else board.latch

        async def come(*names: str) -> None:
            for name in names:
                await asyncio.sleep(0.01)
                board.record(success(name))

        await come("web", "db")
        proof = success("web")
        await asyncio.sleep(0.01)
        monkeypatch.setattr(suspension, "slept", lambda: slept + 60.0)
        board.record(proof)
        by_old_proofs = latch.is_open
        board.record(failure("web"))
        await come("db")
        without_web = latch.is_open
        await come("web", "db")
        return by_old_proofs, without_web, latch.is_open

    slept = suspension.slept()

    assert play(main()) == (False, False, True)


@pytest.mark.parametrize(("slept", "is_open"), [(0.0, True), (60.0, False)])
def test_what_time_alone_would_open_is_doubted_after_a_suspension(
    slept: float, monkeypatch: pytest.MonkeyPatch, *, is_open: bool
) -> None:
    async def main() -> bool:
        late = Dependency(name="late", url="tcp://late:1", optional=True, deadline=5.0)
        board = Board(Latch([Dependency(name="db", url="tcp://db:1"), late], now=now()))
        await asyncio.sleep(4.5)
        board.record(Result(name="db", ok=True, started=now() - 1, finished=now()))
        await asyncio.sleep(0.5)
        monkeypatch.setattr(suspension, "slept", lambda: before + slept)
        board.tick()
        return board.latch.is_open

    before = suspension.slept()

    assert play(main()) is is_open
