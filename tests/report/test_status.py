"""The shape of `/status`: what programs may rely on."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from gate.core.attempt_counters import MOST_MARKS
from gate.core.history import MOST as HISTORY
from gate.core.latch import Latch
from gate.core.model import Dependency, Result, Until
from gate.report import status
from gate.runtime.board import Board
from tests import virtual

DB = Dependency(name="db", url="tcp://db:5432", monitor=True)
CACHE = Dependency(
    name="cache", url="redis://cache", optional=True, deadline=2.0, group="caches", until=Until.DOWN
)


def told(*dependencies: Dependency, happen: Callable[[Board], None], now: float) -> dict[str, Any]:
    """Return the document *now* seconds after the start, read back from its JSON."""

    async def main() -> dict[str, Any]:
        board = Board(Latch(dependencies, now=virtual.now()))
        board.tick()
        happen(board)
        await asyncio.sleep(now)
        board.tick()
        return status.document(board)

    read: dict[str, Any] = json.loads(json.dumps(virtual.play(main())))
    return read


def attempt(board: Board, name: str, end: float, reason: str = "") -> None:
    start = virtual.now()
    result = Result(
        name=name, ok=not reason, reason=reason, started=start + end - 0.25, finished=start + end
    )
    board.record(result)


def waiting(board: Board) -> None:
    attempt(board, "db", 0.25, "connection refused")
    attempt(board, "db", 0.75, "starting up")


def test_the_gate_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_NAME", "shop-1")
    document = told(DB, happen=waiting, now=1.0)

    assert {key: document[key] for key in document if key not in MOMENTS | {"gate"}} == {
        "version": 1,
        "pod": "shop-1",
        "state": "waiting",
        "open": False,
        "degraded": "",
        "stopping": False,
        "revision": 2,
        "opened": None,
        "elapsed_seconds": 1.0,
        "pending": ["db"],
        "slowest": {"dependency": "db", "seconds": 1.0},
    }


MOMENTS = {"now", "started", "dependencies", "transitions"}


def test_a_moment_is_utc_and_seconds_since_the_start() -> None:
    document = told(DB, happen=waiting, now=1.0)
    started, now = document["started"], document["now"]

    assert (started["after_seconds"], now["after_seconds"]) == (0.0, 1.0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", now["time"])
    took = datetime.fromisoformat(now["time"]) - datetime.fromisoformat(started["time"])
    assert took.total_seconds() == pytest.approx(1.0, abs=0.05)


def test_a_clock_that_is_set_moves_moments_and_no_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    documents = []
    for shift in (0, -86_400, 3_600):
        monkeypatch.setattr(time, "time", lambda shift=shift: now + shift)
        documents.append(told(DB, happen=waiting, now=1.0))

    assert len({one["now"]["time"] for one in documents}) == 3
    assert {one["elapsed_seconds"] for one in documents} == {1.0}
    assert {one["dependencies"][0]["since"]["after_seconds"] for one in documents} == {0.0}


def test_a_dependency() -> None:
    (dependency,) = told(DB, happen=waiting, now=1.0)["dependencies"]
    since = dependency.pop("since")

    assert set(since) == {"time", "after_seconds"}
    assert dependency == {
        "name": "db",
        "url": "tcp://db:5432",
        "state": "waiting",
        "reason": "starting up",
        "hint": "",
        "attempts": 2,
        "attempted": [[0.0, 0.25], [0.5, 0.25]],
        "waited_seconds": 1.0,
        "fit": None,
        "left_out": 0,
        "options": {
            "timeout": 3.0,
            "interval": 1.0,
            "successes": 1,
            "deadline": None,
            "optional": False,
            "any": None,
            "group": None,
            "monitor": True,
            "until": None,
        },
    }


def test_every_option_that_is_given() -> None:
    _, cache = told(DB, CACHE, happen=waiting, now=1.0)["dependencies"]

    assert cache["options"] == {
        "timeout": 3.0,
        "interval": 1.0,
        "successes": 1,
        "deadline": 2.0,
        "optional": True,
        "any": "caches",
        "group": None,
        "monitor": False,
        "until": "down",
    }


def test_each_transition_stands_with_its_time_and_reason() -> None:
    transitions = told(DB, happen=waiting, now=1.0)["transitions"]

    assert all(one.pop("time").endswith("Z") for one in transitions)
    assert transitions == [
        {
            "after_seconds": 0.25,
            "event": "dependency.waiting",
            "dependency": "db",
            "reason": "connection refused",
        },
        {
            "after_seconds": 0.75,
            "event": "dependency.waiting",
            "dependency": "db",
            "reason": "starting up",
        },
    ]


def test_after_a_degraded_opening() -> None:
    def happen(board: Board) -> None:
        attempt(board, "cache", 0.5, "connection refused")
        attempt(board, "db", 3.0)

    cache = Dependency(name="cache", url="redis://cache", optional=True, deadline=2.0)
    document = told(DB, cache, happen=happen, now=10.0)

    assert (document["state"], document["open"]) == ("open", True)
    assert document["degraded"] == "opened without cache: connection refused"
    assert document["opened"]["after_seconds"] == document["elapsed_seconds"] == 3.0
    assert document["pending"] == []
    assert document["slowest"] == {"dependency": "db", "seconds": 3.0}
    assert [one["fit"] for one in document["dependencies"]] == [True, None]


def test_what_held_the_gate_is_still_told_after_a_monitored_one_came_and_went_for_days() -> None:
    def happen(board: Board) -> None:
        attempt(board, "db", 0.5, "starting up")
        attempt(board, "db", 1.0)
        for number in range(HISTORY):
            for attempted in range(3):
                attempt(board, "db", 10.0 * number + attempted, "connection refused")
            attempt(board, "db", 10.0 * number + 4)

    document = told(DB, happen=happen, now=10.0 * HISTORY)
    events = [one["event"] for one in document["transitions"]]

    assert events[:3] == ["dependency.waiting", "dependency.ready", "gate.opened"]
    assert len(events) == 3 + HISTORY
    assert document["revision"] - len(events) == HISTORY
    assert len(document["dependencies"][0]["attempted"]) == 2


def test_the_attempts_shown_are_bounded_and_spread_over_the_wait() -> None:
    def happen(board: Board) -> None:
        for number in range(1000):
            attempt(board, "db", number + 1.0, "connection refused")

    (dependency,) = told(DB, happen=happen, now=1000.0)["dependencies"]
    starts = [start for start, _ in dependency["attempted"]]
    gaps = {later - before for before, later in itertools.pairwise(starts)}

    assert dependency["attempts"] == 1000
    assert MOST_MARKS / 2 <= len(starts) <= MOST_MARKS
    assert len(gaps) == 1
    assert starts[0] < 50
    assert starts[-1] > 950


def test_without_any_attempt_there_is_no_slowest() -> None:
    document = told(DB, happen=lambda _: None, now=1.0)

    assert document["slowest"] is None


def test_of_a_group_the_fastest_is_what_held_the_gate() -> None:
    def happen(board: Board) -> None:
        attempt(board, "one", 0.5, "connection refused")
        attempt(board, "two", 1.0)
        attempt(board, "db", 2.0)

    names = [Dependency(name=name, url=f"tcp://{name}:1", group="g") for name in ("one", "two")]
    document = told(DB, *names, happen=happen, now=3.0)

    assert document["slowest"] == {"dependency": "db", "seconds": 2.0}
