from __future__ import annotations

from dataclasses import asdict

from gate.core.model import (
    Dependency,
    DependencyView,
    Phase,
    Result,
    Snapshot,
    State,
    Transition,
    TransitionKind,
    Until,
)

DB = Dependency(name="db", url="tcp://db:1")


def test_a_dependency_is_waited_for_as_the_manual_says() -> None:
    assert asdict(DB) == {
        "name": "db",
        "url": "tcp://db:1",
        "timeout": 3.0,
        "interval": 1.0,
        "successes": 1,
        "deadline": None,
        "optional": False,
        "group": None,
        "part": None,
        "monitor": False,
        "until": Until.READY,
        "is_local": False,
        "secrets": (),
    }


def test_a_dependency_does_not_show_its_secrets() -> None:
    assert "hunter2" not in repr(Dependency(name="db", url="tcp://db:1", secrets=("hunter2",)))


def test_of_what_is_not_known_nothing_is_said() -> None:
    view = DependencyView(dependency=DB, since=1.0)
    result = Result(name="db", ok=True, started=1.0, finished=2.0)

    assert (view.state, view.reason, view.reason_since) == (State.WAITING, "", 0.0)
    assert (view.attempts, view.waited, view.last_attempt) == (0, 0.0, None)
    assert (view.is_fit, view.has_been_ready, result.reason) == (True, False, "")


def snapshot(phase: Phase, opened: float | None = None) -> Snapshot:
    cache = Dependency(name="cache", url="tcp://cache:1")
    views = tuple(DependencyView(dependency=each, since=1.0) for each in (DB, cache))
    return Snapshot(
        at=9.0,
        started=2.0,
        phase=phase,
        revision=0,
        dependencies=views,
        opened=opened,
        pending=("cache",),
    )


def test_a_gate_that_waits_has_taken_until_now_and_an_open_one_until_its_opening() -> None:
    waiting, late, opened = (
        snapshot(phase) for phase in (Phase.WAITING, Phase.OVERDUE, Phase.OPEN)
    )

    assert [each.is_open for each in (waiting, late, opened)] == [False, False, True]
    assert (waiting.elapsed, snapshot(Phase.OPEN, 5.0).elapsed) == (7.0, 3.0)
    assert (waiting.degraded, waiting.transitions, waiting.left_out) == ("", (), {})


def test_who_holds_the_gate_is_who_is_pending() -> None:
    assert [view.dependency.name for view in snapshot(Phase.WAITING).held_by] == ["cache"]


def test_the_words_that_people_see() -> None:
    assert [*State] == ["waiting", "ready", "overdue", "given up"]
    assert [*Phase] == ["waiting", "overdue", "open"]
    assert [*Until] == ["ready", "down", "gone", "blocked"]


def test_changes_are_called_in_the_log_as_alerts_and_scripts_know_them() -> None:
    assert [str(each) for each in TransitionKind] == [
        "dependency.waiting",
        "dependency.ready",
        "dependency.lost",
        "dependency.overdue",
        "dependency.given_up",
        "dependency.unfit",
        "dependency.fit",
        "gate.overdue",
        "gate.opened",
        "part.opened",
    ]


def test_a_change_of_the_whole_gate_has_no_name() -> None:
    change = Transition(at=1.0, kind=TransitionKind.GATE_OPENED)

    assert (change.name, change.reason) == ("", "")
