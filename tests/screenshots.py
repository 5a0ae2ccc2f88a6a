"""`python -m tests.screenshots`: make the pictures of examples/screenshots anew.

A wait of twelve seconds is played in virtual time by a real board; the page shows it at two
moments.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gate.core.model import Dependency, Result
from gate.runtime.board import Board
from tests import virtual
from tests.browser import Browser, chromium
from tests.report.test_page import fake_gate
from tests.report.test_status import told
from tests.stand_ins import EXAMPLES

DEPENDENCIES = [
    Dependency(name="proxy", url="http://localhost:9901/ready"),
    Dependency(name="db", url="postgresql://db.prod:5432/app"),
    Dependency(name="cache", url="redis://cache:6379"),
    Dependency(name="payments", url="https://payments/health", monitor=True),
    Dependency(name="search", url="http://search:9200", optional=True, deadline=8.0),
    Dependency(name="broker-a", url="kafka://broker-a:9092", group="brokers"),
    Dependency(name="broker-b", url="kafka://broker-b:9092", group="brokers"),
]
REFUSED, READY = "connection refused", ""
COURSE = {
    "proxy": [(1.2, REFUSED), (1.2, READY)],
    "db": [(11.4, REFUSED), (11.4, READY)],
    "cache": [(3.2, REFUSED), (7.2, "loading its data set"), (7.2, READY)],
    "payments": [(2.0, REFUSED), (4.7, "status 503"), (4.7, READY)],
    "search": [(11.4, REFUSED)],
    "broker-a": [(11.4, REFUSED)],
    "broker-b": [(2.6, REFUSED), (2.6, READY)],
}
"""For each: until when its attempts end how; the last one is made at that time."""


def attempts() -> Iterator[tuple[float, str, str]]:
    """Yield time, name and reason of whatever is tried."""
    yield 8.0, "search", REFUSED  # just when its deadline is
    for name, course in COURSE.items():
        time, pause = 0.004, 0.05
        for until, reason in course:
            while time < until:
                yield time, name, reason
                time, pause = time + pause, min(pause * 1.5, 0.25)
            if reason == READY:
                yield until, name, READY
                # Ready for long, so it has to prove it before the opening.
                yield 11.41, name, READY


def play(end: float) -> dict[str, object]:
    """Return the status of the gate after *end* seconds."""

    def happen(board: Board) -> None:
        start = virtual.now()
        for time, name, reason in sorted(attempts()):
            if time <= end:
                began, ended = start + max(time - 0.005, 0), start + time
                board.record(
                    Result(name=name, ok=not reason, reason=reason, started=began, finished=ended)
                )

    return told(*DEPENDENCIES, happen=happen, now=end)


def take(browser: Browser, end: float, height: int, scheme: str) -> bytes:
    browser.size(880, height)
    browser.colours(scheme)
    with fake_gate("", play(end)) as port:
        browser.open(f"http://127.0.0.1:{port}/")
        browser.until(lambda: browser.text("#row-0 .why") != "")
        return browser.picture()


def main() -> None:
    os.environ["POD_NAME"] = "shop-7d9f8c6b5-x2x4q"
    folder = EXAMPLES / "screenshots"
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as browser:
        (folder / "waiting.png").write_bytes(take(browser, 6.2, 830, "light"))
        (folder / "opened.png").write_bytes(take(browser, 12.0, 780, "dark"))


if __name__ == "__main__":
    main()
