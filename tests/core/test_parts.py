from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gate.core.model import (
    Dependency,
    DependencyView,
    Phase,
    Snapshot,
    State,
    Transition,
    TransitionKind,
)
from gate.core.parts import of_dependency, of_group


def view(name: str, **state: Any) -> DependencyView:
    return DependencyView(
        dependency=Dependency(name=name, url=f"tcp://{name}:1"), since=7.0, **state
    )


def whole(*views: DependencyView, **state: Any) -> Snapshot:
    """A gate of which nothing is as in a part of it."""
    told = Transition(at=3.0, kind=TransitionKind.WAITING, name="db")
    known = {"phase": Phase.WAITING, "pending": ("db", "web"), **state}
    return Snapshot(
        at=9.0, started=2.0, revision=5, dependencies=views, transitions=(told,), **known
    )


def opened(*views: DependencyView) -> Snapshot:
    state: dict[str, Any] = {"phase": Phase.OPEN, "opened": 8.0, "pending": ()}
    return whole(*views, degraded="opened without web: refused", **state)


def part(snapshot: Snapshot, name: str = "db") -> Snapshot:
    found = of_dependency(name, snapshot)
    assert found is not None
    return found


def test_a_dependency_that_has_never_been_ready_is_waited_for_alone() -> None:
    db = view("db", reason="refused")

    assert part(whole(view("web"), db)) == Snapshot(
        at=9.0,
        started=2.0,
        revision=5,
        phase=Phase.WAITING,
        dependencies=(db,),
        pending=("db",),
    )


def test_another_name_is_no_part() -> None:
    assert of_dependency("other", whole(view("db"))) is None


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.OVERDUE])
def test_a_dependency_that_was_ready_once_has_opened_its_part_for_good(phase: Phase) -> None:
    lost = view("db", has_been_ready=True, state=State.OVERDUE, reason="refused")
    found = part(whole(view("web"), lost, phase=phase, pending=("web",)))

    assert (found.phase, found.opened, found.degraded, found.pending) == (Phase.OPEN, 7.0, "", ())


@pytest.mark.parametrize(("reason", "told"), [("refused", "refused"), ("", "no answer yet")])
def test_an_optional_one_that_was_given_up_opens_its_part_degraded(reason: str, told: str) -> None:
    found = part(whole(view("db", state=State.GIVEN_UP, reason=reason)))

    assert (found.phase, found.opened, found.pending) == (Phase.OPEN, 7.0, ())
    assert found.degraded == f"opened without db: {told}"


def test_what_opens_the_whole_opens_the_part_as_it_did() -> None:
    found = part(opened(view("db"), view("web")))

    assert (found.phase, found.opened, found.pending) == (Phase.OPEN, 8.0, ())
    assert found.degraded == "opened without web: refused"
    assert found.dependencies == (view("db"),)


def test_a_dependency_that_was_ready_before_the_whole_opened_keeps_its_own_opening() -> None:
    found = part(opened(view("db", has_been_ready=True), view("web")))

    assert (found.opened, found.degraded) == (7.0, "")


@pytest.mark.parametrize(
    ("state", "phase", "expected"),
    [
        (State.WAITING, Phase.WAITING, Phase.WAITING),
        (State.OVERDUE, Phase.WAITING, Phase.OVERDUE),
        (State.WAITING, Phase.OVERDUE, Phase.OVERDUE),
        (State.OVERDUE, Phase.OVERDUE, Phase.OVERDUE),
    ],
)
def test_a_part_is_overdue_by_its_own_deadline_or_with_the_whole(
    state: State, phase: Phase, expected: Phase
) -> None:
    found = part(whole(view("db", state=state), phase=phase))

    assert found.phase is expected
    assert (found.opened, found.pending) == (None, ("db",))


def test_a_group_is_what_its_own_latch_says_until_the_whole_opens() -> None:
    group = whole(view("db"), pending=("db",))

    assert of_group(group, whole(view("db"), view("web"))) == group
    assert of_group(group, opened(view("db"), view("web"))) == replace(
        group, phase=Phase.OPEN, opened=8.0, degraded="opened without web: refused", pending=()
    )


def test_a_group_that_opened_before_the_whole_keeps_its_own_opening() -> None:
    group = whole(view("db"), phase=Phase.OPEN, opened=4.0, pending=())

    assert of_group(group, opened(view("db"))) == group
