"""The latch against the rule of the spec, told a second time and as plainly as possible."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gate.core.latch import Latch
from gate.core.model import Dependency, Phase, Result, Snapshot, State
from gate.core.proofs import SAME_TIME

FRESHNESS = 5.0
PLAIN = Dependency(name="", url="tcp://x:1")

dependencies = st.lists(
    st.builds(
        Dependency,
        name=st.just(""),
        url=st.just("tcp://x:1"),
        successes=st.integers(1, 3),
        deadline=st.none() | st.sampled_from([0.5, 3.0, 12.0, 40.0]),
        optional=st.booleans(),
        group=st.none() | st.sampled_from(["g", "h"]),
        monitor=st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


def named(given: list[Dependency]) -> list[Dependency]:
    """Return them with names, and a deadline for each optional one, as the configuration does."""
    return [
        Dependency(
            name=f"d{number}",
            url=each.url,
            successes=each.successes,
            deadline=30.0 if each.optional and each.deadline is None else each.deadline,
            optional=each.optional,
            group=each.group,
            monitor=each.monitor,
        )
        for number, each in enumerate(given)
    ]


@dataclass
class Seen:
    """What the model remembers of one dependency."""

    dependency: Dependency
    results: list[Result] = field(default_factory=list)
    was_ready: bool = False

    @property
    def is_ready(self) -> bool:
        """`successes` of them in a row, and none has failed since."""
        needed = 1 if self.was_ready else self.dependency.successes
        last = self.results[-needed:]
        return len(last) == needed and all(result.ok for result in last)

    def is_needed(self, now: float) -> bool:
        """Whether it holds the gate: an optional one only within its deadline, or if ready."""
        deadline = self.dependency.deadline
        in_time = deadline is None or now < deadline
        return in_time or not self.dependency.optional or self.is_ready


class Model:
    """The rule: all that is needed is ready, and each was confirmed since all are ready.

    A slow one need not be where its success is fresh.
    """

    def __init__(self, given: list[Dependency]) -> None:
        self.seen = {each.name: Seen(each) for each in given}
        self.together_since: float | None = None

    def needs(self, now: float) -> list[list[Seen]]:
        groups: dict[tuple[str, str], list[Seen]] = {}
        for name, seen in self.seen.items():
            group = seen.dependency.group
            key = ("group", group) if group else ("one", name)
            if seen.is_needed(now):
                groups.setdefault(key, []).append(seen)
        return list(groups.values())

    def take(self, result: Result) -> None:
        seen = self.seen[result.name]
        seen.results.append(result)
        seen.was_ready = seen.is_ready

    def look(self, now: float) -> None:
        met = all(any(seen.is_ready for seen in need) for need in self.needs(now))
        if not met:
            self.together_since = None
        elif self.together_since is None:
            self.together_since = now

    def may_open(self, now: float) -> bool:
        return self.together_since is not None and all(
            any(self.counts(seen, now) for seen in need) for need in self.needs(now)
        )

    def must_open(self, now: float) -> bool:
        """All are ready and fresh: nothing is left to wait for."""
        return self.together_since is not None and all(
            any(seen.is_ready and self.is_fresh(seen, now) for seen in need)
            for need in self.needs(now)
        )

    def counts(self, seen: Seen, now: float) -> bool:
        if not seen.is_ready or self.together_since is None:
            return False
        last = seen.results[-1]
        is_bounded = now - last.finished <= FRESHNESS or last.finished - last.started > SAME_TIME
        return self.is_fresh(seen, now) or (last.started >= self.together_since and is_bounded)

    def is_fresh(self, seen: Seen, now: float) -> bool:
        """A slow success by its age, a fast one if it was given since all are ready."""
        last = seen.results[-1]
        if last.finished - last.started > SAME_TIME:
            return now - last.finished <= FRESHNESS
        assert self.together_since is not None
        return last.finished >= self.together_since and now - last.finished <= SAME_TIME


class Player:
    """Plays steps to the latch and to the model, and compares them after each."""

    def __init__(self, dependencies: list[Dependency], timeout: float | None) -> None:
        self.dependencies = dependencies
        self.latch = Latch(dependencies, now=0.0, freshness=FRESHNESS, timeout=timeout)
        self.model = Model(dependencies)
        self.now = 0.0
        self.under_way: dict[str, float] = {}
        self.opened: float | None = None
        self.last = self.latch.snapshot(0.0)

    def play(self, step: Step) -> None:
        kind, index, seconds, reason = step
        names = sorted(self.latch.asked if kind == "prove" else self.model.seen)
        name = names[index % len(names)] if names else ""
        if kind == "wait":
            self.now += seconds
        elif kind == "tick":
            self.latch.tick(self.now)
            self.compare()
        elif kind == "begin" and name:
            self.under_way.setdefault(name, self.now)
        elif name:
            # "end" ends at once what was begun before; the others take their time.
            started = self.under_way.pop(name, self.now)
            self.now += 0.0 if kind == "end" else seconds
            self.take(
                Result(name=name, ok=not reason, reason=reason, started=started, finished=self.now)
            )
        self.check_snapshot()

    def take(self, result: Result) -> None:
        self.latch.record(result)
        self.model.take(result)
        self.compare()

    def compare(self) -> None:
        """It opens only when it may, at once when it must, and never closes."""
        self.model.look(self.now)
        if self.opened is not None:
            assert self.latch.is_open
        elif self.latch.is_open:
            assert self.model.may_open(self.now)
            self.opened = self.now
        else:
            assert not self.model.must_open(self.now)
            assert bool(self.latch.asked) == (self.model.together_since is not None)

    def check_snapshot(self) -> None:
        snapshot = self.latch.snapshot(self.now)
        assert snapshot.opened == self.opened
        assert snapshot.is_open == (snapshot.phase is Phase.OPEN) == (snapshot.opened is not None)
        # As long as it is not open, somebody holds it.
        assert bool(snapshot.pending) != snapshot.is_open
        assert [view.dependency for view in snapshot.dependencies] == self.dependencies
        for view in snapshot.dependencies:
            seen = self.model.seen[view.dependency.name]
            assert view.attempts == len(seen.results)
            assert 0.0 <= view.waited <= self.now
            assert snapshot.is_open or (view.state is State.READY) == seen.is_ready
        self.check_revision(snapshot)
        self.last = snapshot

    def check_revision(self, snapshot: Snapshot) -> None:
        """It grows by one with each transition, and none is changed or lost."""
        before = self.last.transitions
        assert snapshot.transitions[: len(before)] == before
        assert snapshot.revision == len(snapshot.transitions) >= self.last.revision


Step = tuple[str, int, float, str]
steps = st.lists(
    st.tuples(
        st.sampled_from(["attempt", "attempt", "attempt", "prove", "wait", "begin", "end", "tick"]),
        st.integers(0, 4),
        st.sampled_from([0.01, 0.01, 1.0, 3.0, 6.0, 20.0]),
        st.sampled_from(["", "", "", "", "", "refused"]),
    ),
    min_size=20,
    max_size=50,
)


@settings(max_examples=150, deadline=None)
@given(given_=dependencies, timeout=st.none() | st.sampled_from([5.0, 60.0]), played=steps)
def test_it_opens_by_the_rule_and_never_closes(
    given_: list[Dependency], timeout: float | None, played: list[Step]
) -> None:
    player = Player(named(given_), timeout)
    for step in played:
        player.play(step)


@settings(max_examples=250, deadline=None)
@given(count=st.integers(2, 3), played=steps)
def test_proofs_are_asked_for_and_taken_by_the_rule(count: int, played: list[Step]) -> None:
    """All required and nothing else: more of the steps go into proofs."""
    player = Player(named([PLAIN] * count), None)
    for step in played:
        player.play(step)


@settings(max_examples=200, deadline=None)
@given(
    given_=dependencies,
    took=st.lists(st.sampled_from([0.001, 0.9, 4.9, 5.1, 8.0, 20.0]), min_size=5, max_size=5),
    first=st.lists(st.sampled_from([0.0, 0.3, 7.0, 26.0]), min_size=5, max_size=5),
)
@example(given_=[PLAIN] * 3, took=[20.0] * 5, first=[0.0, 7.0, 7.0, 0.0, 0.0])
def test_it_always_opens_when_all_stay_ready(
    given_: list[Dependency], took: list[float], first: list[float]
) -> None:
    """However slow the attempts are, and whatever else goes on failing."""
    plain = [Dependency(name=each.name, url=each.url, group=each.group) for each in named(given_)]
    gone = Dependency(name="gone", url="tcp://x:1", optional=True, deadline=0.1)
    latch = Latch([*plain, gone], now=0.0, freshness=FRESHNESS)
    pace = {each.name: seconds for each, seconds in zip(plain, took, strict=False)}
    under_way = {
        each.name: (at, at + pace[each.name]) for each, at in zip(plain, first, strict=False)
    }
    under_way["gone"], pace["gone"] = (0.2, 0.3), 0.1
    attempts = 0
    while not latch.is_open:
        name = min(under_way, key=lambda name: under_way[name][1])
        started, now = under_way.pop(name)
        reason = "refused" if name == "gone" else ""
        latch.record(Result(name=name, ok=not reason, reason=reason, started=started, finished=now))
        attempts += name != "gone"
        for other, seconds in pace.items():
            if other not in under_way and not latch.rests(other):
                # A failure is tried again after a pause, proof is given at once.
                begin = now + (0.7 if other == "gone" else 0.0)
                under_way[other] = (begin, begin + seconds)
        assert attempts <= 5 * len(plain)
