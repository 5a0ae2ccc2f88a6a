"""The waterfall of the page in a real browser: bars, their axis, and what did not hold the app.

The waits are played in virtual time by a real board, so they may take days.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gate.core.history import MOST as HISTORY
from gate.core.model import Dependency
from gate.runtime.board import Board
from tests.browser import Browser, chromium
from tests.report.test_page import fake_gate
from tests.report.test_status import attempt, told

DB = Dependency(name="db", url="tcp://db:5432")
WEB = Dependency(name="web", url="http://web/", deadline=60.0)
FLAPPY = Dependency(name="flappy", url="tcp://flappy:1", monitor=True)


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        running.size(1100, 760)
        yield running


def show(chrome: Browser, status: dict[str, Any], until: str = "#row-0 .why") -> None:
    """Show a gate of that *status*, and stop following it."""
    with fake_gate("", status) as port:
        chrome.open(f"http://127.0.0.1:{port}/")
        chrome.until(lambda: chrome.text(until) != "")


def bar(chrome: Browser, row: int = 0) -> list[tuple[str, float, float]]:
    """Return state, start and end of each piece, in thousandths of the axis."""
    return [tuple(piece) for piece in chrome.run(PIECES, row)]


PIECES = """
return [...document.querySelectorAll(`#row-${arguments[0]} .bar rect`)].map((one) => {
  const [x, width] = ["x", "width"].map((name) => Number(one.getAttribute(name)));
  return [one.parentNode.getAttribute("class"), Math.round(x), Math.round(x + width)];
});
"""
SAID = "return document.querySelector(`#row-${arguments[0]} .bar`).getAttribute('aria-label')"


def alternating(board: Board, seconds: int, start: int = 0) -> None:
    for number in range(start * 4, seconds * 4):
        attempt(board, "web", 0.25 * (number + 1), f"status {(500, 503)[number % 2]}")


def test_reasons_that_alternate_are_one_piece_and_not_a_hole(chrome: Browser) -> None:
    show(chrome, told(WEB, happen=lambda board: alternating(board, 50), now=50.0))

    (piece,) = bar(chrome)
    assert piece[:2] == ("waiting", 0)
    assert piece[2] > 970
    assert "waiting: several reasons from " in chrome.run(SAID, 0)
    assert "; also status 500 for 25s" in chrome.text("#row-0 .why")


def test_a_dependency_that_comes_and_goes_is_said_to_be_ready_at_times(chrome: Browser) -> None:
    def happen(board: Board) -> None:
        for number in range(180):
            attempt(board, "db", 0.25 * (number + 1), "connection refused" * (number % 2))

    show(chrome, told(DB, WEB, happen=happen, now=50.0))

    assert [piece[0] for piece in bar(chrome)] == ["waiting", "waiting"]
    assert "waiting: ready at times from " in chrome.run(SAID, 0)


def test_the_moment_of_the_deadline_is_seen_among_reasons_that_alternate(chrome: Browser) -> None:
    show(chrome, told(WEB, happen=lambda board: alternating(board, 100), now=100.0))

    states, starts, ends = zip(*bar(chrome), strict=True)
    assert states == ("waiting", "overdue")
    assert starts == (0, *ends[:-1])
    assert 500 < starts[1] < 600


def test_a_wait_whose_beginning_is_forgotten_says_so(chrome: Browser) -> None:
    status = told(WEB, happen=lambda board: alternating(board, 200), now=200.0)
    show(chrome, status)

    of_web = [one["after_seconds"] for one in status["transitions"] if one["dependency"]]
    kept = of_web[0]
    # All but one are of it: the other is that the gate is overdue.
    assert kept == 200 - (HISTORY - 1) / 4 + 0.25
    states, starts, _ = zip(*bar(chrome), strict=True)
    assert states == ("waiting", "overdue", "overdue")
    assert starts[1] / starts[2] == pytest.approx(60 / kept, abs=0.01)
    assert chrome.run(SAID, 0).startswith(
        "waiting: earlier changes are left out from 0s to 1m; "
        "overdue: earlier changes are left out from 1m to 1m16s; overdue: several reasons"
    )


def test_what_is_forgotten_is_never_told_as_the_reason_that_held_the_app(chrome: Browser) -> None:
    def happen(board: Board) -> None:
        alternating(board, 200)
        attempt(board, "web", 201.0)

    show(chrome, told(WEB, happen=happen, now=300.0))

    headline = chrome.text("#headline")
    assert "web, 3m21s (in the end status " in headline
    assert "left out" not in headline
    assert "no answer" not in headline


def test_one_that_flaps_drives_no_changes_of_others_out(chrome: Browser) -> None:
    def happen(board: Board) -> None:
        attempt(board, "db", 0.5, "starting up")
        attempt(board, "flappy", 30.0)
        alternating(board, 200, start=31)

    show(chrome, told(DB, FLAPPY, WEB, happen=happen, now=200.0))

    assert "waiting: starting up from 0s to " in chrome.run(SAID, 0)
    assert "left out" not in chrome.run(SAID, 0)
    assert [piece[0] for piece in bar(chrome, 1)] == ["waiting", "ready"]
    assert "; ready from 30s to " in chrome.run(SAID, 1)


def test_nothing_of_the_wait_is_called_left_out_for_what_came_after_it(chrome: Browser) -> None:
    def happen(board: Board) -> None:
        attempt(board, "flappy", 20.0)
        for number in range(8 * HISTORY):
            attempt(board, "flappy", 30.0 + number, "connection refused" * (number % 4 < 3))

    status = told(FLAPPY, happen=happen, now=9 * HISTORY)
    show(chrome, status)

    assert status["revision"] > len(status["transitions"])
    assert chrome.run(SAID, 0) == "waiting: no answer yet from 0s to 20s"


def test_what_another_of_its_group_made_unneeded_is_grey_from_then_on(chrome: Browser) -> None:
    def happen(board: Board) -> None:
        attempt(board, "one", 1.0, "connection refused")
        attempt(board, "two", 20.0)
        attempt(board, "db", 30.0, "starting up")

    group = [Dependency(name=name, url=f"tcp://{name}:1", group="g") for name in ("one", "two")]
    show(chrome, told(*group, DB, happen=happen, now=40.0))

    reason = "not needed, as two is ready (connection refused, 1 attempt)"
    assert chrome.text("#row-0 .why") == reason
    assert [piece[0] for piece in bar(chrome)][-1] == "not-needed"
    assert chrome.text("#row-0 .time") == "20s"
    assert chrome.run(CLASSES) == ["idle", "ready", "waiting"]


CLASSES = "return [...document.querySelectorAll('#rows > li')].map((one) => one.className)"


def test_a_group_of_which_none_is_ready_holds_the_app(chrome: Browser) -> None:
    group = [Dependency(name=name, url=f"tcp://{name}:1", group="g") for name in ("one", "two")]
    show(chrome, told(*group, happen=lambda _: None, now=10.0))

    assert chrome.run(CLASSES) == ["waiting", "waiting"]


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [
        (0.21, ["0s", "50ms", "100ms", "150ms", "200ms"]),
        (7, ["0s", "2s", "4s", "6s"]),
        (80, ["0s", "15s", "30s", "45s", "1m", "1m15s"]),
        (155, ["0s", "30s", "1m", "1m30s", "2m", "2m30s"]),
        (1600, ["0s", "5m", "10m", "15m", "20m", "25m"]),
        (4000, ["0s", "15m", "30m", "45m", "1h"]),
        (40_000, ["0s", "2h", "4h", "6h", "8h", "10h"]),
        (300_000, ["0s", "1d", "2d", "3d"]),
        (3_000_000, ["0s", "10d", "20d", "30d"]),
    ],
)
def test_the_axis_has_the_steps_of_a_clock(
    chrome: Browser, seconds: float, ticks: list[str]
) -> None:
    def happen(board: Board) -> None:
        attempt(board, "db", seconds)

    show(chrome, told(DB, happen=happen, now=seconds + 1))

    assert chrome.run(TICKS) == ticks


TICKS = "return [...document.querySelectorAll('#scale span')].map((one) => one.textContent)"


def test_after_a_degraded_opening_nothing_is_said_to_wait(chrome: Browser) -> None:
    def happen(board: Board) -> None:
        attempt(board, "db", 1.0, "connection refused")
        board.open("opened without db: connection refused")

    show(chrome, told(DB, happen=happen, now=9.0))

    assert chrome.text("#row-0 .why") == "not ready: connection refused (1 attempt)"


def test_no_answer_yet_is_not_told_as_a_reason_afterwards(chrome: Browser) -> None:
    def happen(board: Board) -> None:
        attempt(board, "db", 0.5)

    show(chrome, told(DB, happen=happen, now=9.0))

    assert chrome.text("#row-0 .why") == "ready after 500ms and 1 attempt"
    assert chrome.text("#headline").endswith("Longest waited for: db, 500ms.")


def test_what_usually_causes_a_reason_is_said_below_it(chrome: Browser) -> None:
    def happen(board: Board) -> None:
        attempt(board, "db", 1.0, "connection refused")
        attempt(board, "web", 1.0, "starting up")

    show(chrome, told(DB, WEB, happen=happen, now=70.0))

    assert chrome.text("#row-0 .hint").startswith("Often: nothing listens on that port, or")
    assert chrome.text("#row-1 .hint") == ""
