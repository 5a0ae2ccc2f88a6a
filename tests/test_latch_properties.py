"""The latch against the rule of the spec, told a second time and as plainly as possible."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gate.latch import Latch
from gate.model import Dependency, Phase, Result, Snapshot, State

FRESHNESS = 5.0

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
    """The rule: all that is needed is ready, each fresh or confirmed since all are ready."""

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
        return self.is_fresh(seen, now) or seen.results[-1].started >= self.together_since

    def is_fresh(self, seen: Seen, now: float) -> bool:
        return now - seen.results[-1].finished <= FRESHNESS


class LatchMachine(RuleBasedStateMachine):
    """Attempts begin and end in any order at any time; the latch obeys the model."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.under_way: dict[str, float] = {}
        self.opened: float | None = None
        self.last: Snapshot | None = None

    @initialize(given=dependencies, timeout=st.none() | st.sampled_from([5.0, 60.0]))
    def start(self, given: list[Dependency], timeout: float | None) -> None:
        self.dependencies = named(given)
        self.latch = Latch(self.dependencies, now=0.0, freshness=FRESHNESS, timeout=timeout)
        self.model = Model(self.dependencies)

    @rule(seconds=st.sampled_from([0.01, 0.5, 2.0, 4.0, 6.0, 20.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def tick(self) -> None:
        was_open = self.latch.is_open
        self.latch.tick(self.now)
        self.compare(was_open=was_open)

    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.seen)))
        self.under_way.setdefault(name, self.now)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), reason=st.sampled_from(["", "", "", "refused", "status 503"]))
    def end(self, data: st.DataObject, reason: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.under_way)))
        started = self.under_way.pop(name)
        result = Result(name=name, ok=not reason, reason=reason, started=started, finished=self.now)
        was_open = self.latch.is_open
        self.latch.record(result)
        self.model.take(result)
        self.compare(was_open=was_open)

    def compare(self, *, was_open: bool) -> None:
        self.model.look(self.now)
        if self.latch.is_open and not was_open:
            assert self.model.may_open(self.now)
            self.opened = self.now
        if not self.latch.is_open:
            assert not self.model.must_open(self.now)
            assert self.latch.asked or self.model.together_since is None

    @invariant()
    def it_never_closes(self) -> None:
        assert self.latch.is_open == (self.opened is not None)
        assert self.latch.snapshot(self.now).opened == self.opened

    @invariant()
    def a_snapshot_agrees_with_itself(self) -> None:
        snapshot = self.latch.snapshot(self.now)
        assert snapshot.is_open == (snapshot.phase is Phase.OPEN) == (snapshot.opened is not None)
        assert [view.dependency for view in snapshot.dependencies] == self.dependencies
        # Not open: somebody holds it.
        if self.last is not None:
            assert snapshot.is_open or snapshot.pending
        assert not (snapshot.is_open and snapshot.pending)
        for view in snapshot.dependencies:
            assert 0.0 <= view.waited <= self.now
            assert view.attempts == len(self.model.seen[view.dependency.name].results)
            if not snapshot.is_open:
                is_ready = self.model.seen[view.dependency.name].is_ready
                assert (view.state is State.READY) == is_ready

    @invariant()
    def the_revision_grows_with_each_transition(self) -> None:
        snapshot = self.latch.snapshot(self.now)
        before = self.last or snapshot
        new = snapshot.revision - before.revision
        assert new >= 0
        assert (
            snapshot.transitions[len(snapshot.transitions) - new :]
            == (snapshot.transitions[len(before.transitions) :])
        )
        assert snapshot.transitions[: len(before.transitions)] == before.transitions
        assert snapshot.revision == len(snapshot.transitions)
        self.last = snapshot


TestLatch = LatchMachine.TestCase
TestLatch.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@settings(max_examples=200, deadline=None)
@given(
    given_=dependencies,
    took=st.lists(st.sampled_from([0.001, 0.9, 4.9, 5.1, 8.0, 20.0]), min_size=5, max_size=5),
    first=st.lists(st.sampled_from([0.0, 0.3, 7.0, 26.0]), min_size=5, max_size=5),
)
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
