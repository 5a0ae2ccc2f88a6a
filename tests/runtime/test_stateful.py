"""Runner, board and latch, whole, in virtual time: a world that changes, and the rule in ten lines.

The model knows neither states nor proofs. It looks at what the checks have answered, and when, and
at how long the world has been as it is.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from math import inf
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gate.core.errors import Absent, CheckFailed, NameNotFound
from gate.core.latch import Latch
from gate.core.model import Dependency, Phase, Snapshot, Until
from gate.runtime.board import Board
from gate.runtime.runner import DependencyCheck, run_checks
from tests.virtual import VirtualLoop, now

FRESHNESS = 5.0
FAST = 0.25
"""The spec's "at the same time": how long an attempt at most takes, and its success counts."""
SOON = 30.0
"""Seconds in which a world that stays as it is must be noticed, and proven."""


class World(Enum):
    UP = auto()
    DOWN = auto()
    ABSENT = auto()
    GONE = auto()
    HANGS = auto()
    BROKEN = auto()


WANTED = {
    Until.READY: {World.UP},
    Until.DOWN: {World.ABSENT},
    Until.GONE: {World.ABSENT, World.GONE},
}
RAISED: dict[World, Exception] = {
    World.DOWN: CheckFailed("starting up"),
    World.ABSENT: Absent("connection refused"),
    World.GONE: NameNotFound("name not found"),
    World.BROKEN: KeyError("oops"),
}


@dataclass
class Asked:
    """A dependency, how the world has it, and what its check has answered."""

    dependency: Dependency
    took: float
    world: World = World.DOWN
    since: float = 0.0
    answers: list[tuple[float, float, bool]] = field(default_factory=list)
    """Began, ended, and whether it was as wanted."""

    @property
    def is_as_wanted(self) -> bool:
        return self.world in WANTED[self.dependency.until]

    async def __call__(self) -> None:
        began, world, as_wanted = now(), self.world, self.is_as_wanted
        try:
            await asyncio.sleep(inf if world is World.HANGS else self.took)
        except asyncio.CancelledError:
            if now() - began < self.dependency.timeout:
                raise  # by the opening, not by the timeout
            as_wanted = False
            raise
        finally:
            if world is not World.HANGS or now() - began >= self.dependency.timeout:
                self.answers.append((began, now(), as_wanted))
        if world in RAISED:
            raise RAISED[world]

    def has_just_answered(self, at: float) -> bool:
        """As often in a row as it must, and not long before *at*."""
        known = [each for each in self.answers if each[1] < at or (each[1] == at and each[2])]
        last = known[-self.dependency.successes :]
        if len(last) < self.dependency.successes or not all(ok for _, _, ok in last):
            return False
        began, ended, _ = last[-1]
        return at - ended <= (FAST if ended - began <= FAST else FRESHNESS) + 1e-6


class Model:
    """The rule: one of each need has just answered; who is optional is needed for a time only."""

    def __init__(self, asked: list[Asked], started: float) -> None:
        self.started = started
        needs: dict[str, list[Asked]] = defaultdict(list)
        for each in asked:
            needs[each.dependency.group or f"{each.dependency.name} alone"].append(each)
        self.needs = list(needs.values())

    def is_late(self, each: Asked, at: float) -> bool:
        end = each.dependency.deadline
        return end is not None and at >= self.started + end

    def is_given_up(self, each: Asked, at: float) -> bool:
        return each.dependency.optional and self.is_late(each, at)

    def is_overdue(self, at: float) -> bool:
        return any(all(self.is_late(each, at) for each in need) for need in self.needs)

    def may_open(self, at: float) -> bool:
        return all(
            any(each.has_just_answered(at) for each in need)
            or all(self.is_given_up(each, at) for each in need)
            for need in self.needs
        )

    def must_be_open(self, at: float) -> bool:
        return all(
            any(each.is_as_wanted and each.since <= at - SOON for each in need)
            or all(self.is_given_up(each, at - SOON) for each in need)
            for need in self.needs
        )


dependencies = st.lists(
    st.builds(
        Dependency,
        name=st.just(""),
        url=st.just("tcp://x:1"),
        successes=st.sampled_from([1, 1, 3]),
        deadline=st.sampled_from([None, None, 3.0, 20.0]),
        optional=st.sampled_from([False, False, True]),
        group=st.sampled_from([None, "g", "g"]),
        monitor=st.booleans(),
        until=st.sampled_from([Until.READY, Until.READY, Until.DOWN, Until.GONE]),
        is_local=st.booleans(),
    ),
    min_size=2,
    max_size=4,
)
timeouts = st.sampled_from([None, None, 10.0])


class Gate(RuleBasedStateMachine):
    """A gate whose dependencies come and go."""

    @initialize(
        given=dependencies,
        took=st.lists(st.sampled_from([0.0, 0.0, 0.1, 2.0]), min_size=4, max_size=4),
        timeout=timeouts,
        open_on_timeout=st.booleans(),
    )
    def start(
        self, given: list[Dependency], took: list[float], timeout: float | None, **options: Any
    ) -> None:
        self.loop = VirtualLoop()
        self.timeout, self.opens_late = timeout, bool(options["open_on_timeout"])
        self.asked = [
            Asked(named(each, number), took[number], since=self.loop.time())
            for number, each in enumerate(given)
        ]
        start = self.loop.time()
        every = [each.dependency for each in self.asked]
        more: Any = {"now": start, "freshness": FRESHNESS}
        self.part = Latch(every[:2], **more)
        self.board = Board(
            Latch(every, timeout=timeout, open_on_timeout=self.opens_late, **more),
            groups={"part": self.part},
        )
        self.models = [
            (self.board.latch, Model(self.asked, start)),
            (self.part, Model(self.asked[:2], start)),
        ]
        checks = [DependencyCheck(each.dependency, each) for each in self.asked]
        self.running = self.loop.create_task(run_checks(checks, self.board))
        self.start_time = start
        self.openings: dict[int, float] = {}
        self.pass_time(0.001)

    @rule(index=st.integers(0, 3), world=st.sampled_from([*World, World.UP, World.ABSENT]))
    def change(self, index: int, world: World) -> None:
        each = self.asked[index % len(self.asked)]
        if each.world is not world:
            each.world, each.since = world, self.loop.time()

    @rule(but=st.integers(0, 4), world=st.sampled_from(World))
    def all_is_well_for_long(self, but: int, world: World) -> None:
        """All but one, perhaps."""
        for index, each in enumerate(self.asked):
            best = min(WANTED[each.dependency.until], key=lambda one: one.value)
            self.change(index, world if index == but else best)
        self.pass_time(SOON + 1.0)

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 4.0, 11.0]))
    def pass_time(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    @invariant()
    def it_opens_by_the_rule_and_never_closes(self) -> None:
        at, whole = self.loop.time(), self.seen().opened
        for latch, model in self.models:
            opened = latch.snapshot(at).opened
            is_by_whole = latch is self.part and whole is not None and (opened or inf) >= whole
            if is_by_whole:
                # What opens the whole opens every part.
                opened = whole
            if id(latch) not in self.openings and opened is not None:
                self.openings[id(latch)] = opened
                assert is_by_whole or model.may_open(opened) or self.is_late_for(opened)
            assert opened == self.openings.get(id(latch))
            assert opened is not None or not model.must_be_open(at)

    def is_late_for(self, opened: float) -> bool:
        """Whether it was the whole that opened then, as it was overdue."""
        _, model = self.models[0]
        is_overdue = self.is_over(opened) or model.is_overdue(opened)
        return self.opens_late and is_overdue and opened == self.seen().opened

    @invariant()
    def it_is_overdue_when_its_time_is_over(self) -> None:
        phase = self.seen().phase
        if self.is_over(self.loop.time()):
            assert phase is (Phase.OPEN if self.board.latch.is_open else Phase.OVERDUE)
            assert self.board.latch.is_open or not self.opens_late
        elif all(each.dependency.deadline is None for each in self.asked):
            assert phase is not Phase.OVERDUE

    @invariant()
    def who_is_monitored_is_fit_as_the_world_is(self) -> None:
        at, opened = self.loop.time(), self.seen().opened
        if opened is None or opened > at - SOON:
            return
        for each, view in zip(self.asked, self.seen().dependencies, strict=True):
            if not each.dependency.monitor:
                assert all(began <= opened for began, _, _ in each.answers)
            elif each.since <= at - SOON:
                assert view.is_fit == each.is_as_wanted

    def seen(self) -> Snapshot:
        return self.board.latch.snapshot(self.loop.time())

    def is_over(self, at: float) -> bool:
        return self.timeout is not None and at >= self.start_time + self.timeout

    def teardown(self) -> None:
        if hasattr(self, "running"):
            if self.running.done():
                self.running.result()
            self.running.cancel()
            with suppress(asyncio.CancelledError):
                self.loop.run_until_complete(self.running)
            self.loop.close()


def named(given: Dependency, number: int) -> Dependency:
    """Return it with a name, and a deadline if it is optional, as the configuration does."""
    deadline = 30.0 if given.optional and given.deadline is None else given.deadline
    return replace(given, name=f"d{number}", deadline=deadline)


def test_whatever_the_world_does_it_opens_by_the_rule() -> None:
    run_state_machine_as_test(
        Gate, settings=settings(max_examples=120, stateful_step_count=8, deadline=None)
    )
