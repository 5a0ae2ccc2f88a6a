"""What one dependency makes of attempts and looks; the looks are given."""

from __future__ import annotations

import math
from typing import cast

import pytest

from gate.core.attempt import Place
from gate.runtime.lookout import Lookout, Watch

HERE, THERE = ("127.0.0.1", 80), ("/run/app.sock", 0)


class Eyes:
    """Sees some places, and at each of them what it is told."""

    def __init__(self, *visible: Place) -> None:
        self.visible = visible
        self.found: dict[Place, object] = {}
        self.followed: set[Place] = set()
        self.crowd = 0

    def count(self, _: Watch, *, answers: bool) -> None:
        self.crowd = int(answers)

    def can_see(self, place: Place) -> bool:
        return place in self.visible

    def follow(self, places: tuple[Place, ...]) -> None:
        self.followed.update(places)

    def look_at(self, places: tuple[Place, ...]) -> tuple[object, ...]:
        return tuple(map(self.found.get, places))


def watch(*visible: Place) -> Watch:
    return Watch(cast("Lookout", Eyes(*visible)))


@pytest.mark.parametrize("is_there", [True, False])
def test_what_an_attempt_has_tried_is_looked_at_from_then_on(*, is_there: bool) -> None:
    eyes = Eyes(HERE, THERE)
    found = Watch(cast("Lookout", eyes))
    for place in (HERE, THERE):
        found.note({place: is_there})

    assert eyes.followed == {HERE, THERE}


@pytest.mark.parametrize(
    ("tried", "visible", "sees_nothing"),
    [
        ({}, [HERE], False),
        ({HERE: False}, [HERE], True),
        ({HERE: False, THERE: False}, [HERE, THERE], True),
        ({HERE: False, THERE: False}, [THERE], False),
        ({HERE: False}, [], False),
        ({HERE: True}, [HERE], False),
        ({HERE: False, THERE: True}, [HERE, THERE], False),
    ],
)
def test_nothing_is_seen_where_all_is_visible_and_nothing_was_there(
    tried: dict[Place, bool], visible: list[Place], *, sees_nothing: bool
) -> None:
    found = watch(*visible)
    found.note(tried)

    assert found.sees_nothing is sees_nothing


def test_a_look_that_sees_one_of_two_servers_sees_something() -> None:
    found = watch(HERE, THERE)
    found.note({HERE: False, THERE: False})
    found.judge((None, (1, 2, 3)))

    assert not found.sees_nothing


def test_refusals_are_counted_where_something_has_appeared_and_not_where_it_has_gone() -> None:
    found = watch(THERE)
    found.note({THERE: False})
    counts = []
    for seen in (((1, 2, 3),), (None,)):
        found.judge(seen)
        found.note({THERE: False})
        counts.append(found.refusals)

    assert counts == [1, math.inf]


def test_a_server_that_answers_is_one_of_the_crowd_until_it_is_refused() -> None:
    found = watch(HERE)
    crowds = []
    for is_there in (True, False):
        found.note({HERE: is_there})
        crowds.append(found.crowd)

    assert crowds == [1, 0]
