from __future__ import annotations

import io
import json
import os
import select
from contextlib import suppress

import pytest

from gate.core.latch import Latch
from gate.core.model import Dependency, Result
from gate.report import log


def told(
    form: str, *results: tuple[str, bool, str], level: str = "info", step: float = 1.0
) -> list[str]:
    """Return what is logged of the outcomes (name, ok, reason), *step* seconds apart."""
    stream = io.StringIO()
    observer = log.LogObserver(log.set_up(level=level, form=form, stream=stream))
    names = sorted({name for name, _, _ in results})
    latch = Latch([Dependency(name=name, url="") for name in names], now=0.0)
    for number, (name, ok, reason) in enumerate(results, start=1):
        second = number * step
        result = Result(name=name, ok=ok, reason=reason, started=second, finished=second)
        for transition in latch.record(result):
            observer.observe(transition, latch.snapshot(second))
    return stream.getvalue().splitlines()


def test_one_json_line_a_happening_in_utc() -> None:
    (waiting, ready, opened) = map(
        json.loads, told("json", ("db", False, "connection refused"), ("db", True, ""))
    )

    assert list(waiting) == ["time", "level", "event", "dependency", "after", "reason"]
    assert waiting["time"].endswith("Z")
    assert (waiting["event"], waiting["reason"]) == ("dependency.waiting", "connection refused")
    assert (ready["event"], ready["after"]) == ("dependency.ready", "2s")
    assert (opened["event"], opened["slowest"]) == ("gate.opened", "db")


def test_console_lines_are_plain() -> None:
    lines = told("console", ("db", False, "connection refused"), ("db", True, ""))

    assert [line[9:] for line in lines] == [
        'dependency.waiting db after=1s reason="connection refused"',
        "dependency.ready db after=2s",
        "gate.opened after=2s slowest=db slowest_after=2s",
    ]


def test_attempts_that_change_nothing_are_not_logged() -> None:
    assert len(told("json", *[("db", False, "connection refused")] * 50)) == 1


def test_reasons_that_come_and_go_are_logged_once_each() -> None:
    flapping = [("db", False, "connection refused"), ("db", False, "starting up")] * 20

    assert len(told("json", *flapping)) == 2


def test_a_reason_that_is_always_new_does_not_flood_the_log() -> None:
    assert len(told("json", *[("db", False, f"answer {number}") for number in range(99)])) == 20


def test_a_reason_that_is_new_twenty_times_a_second_is_logged_with_pauses() -> None:
    often = [("db", False, f"answer {number}") for number in range(200)]

    assert len(told("json", *often, step=0.05)) == 6


@pytest.mark.parametrize(("level", "count"), [("info", 3), ("warning", 0)])
def test_the_level_is_heeded(level: str, count: int) -> None:
    outcomes = (("db", False, "connection refused"), ("db", True, ""))

    assert len(told("json", *outcomes, level=level)) == count


def test_a_reason_cannot_forge_a_line() -> None:
    (line,) = told("console", ("db", False, "x\n10:00:00 gate.opened"))

    assert json.dumps("x\n10:00:00 gate.opened") in line


def filled(end: int) -> int:
    """Fill the pipe behind *end*; return how many bytes it took."""
    os.set_blocking(end, False)
    taken = 0
    with suppress(BlockingIOError):
        while True:
            taken += os.write(end, b"x" * select.PIPE_BUF)
    os.set_blocking(end, True)
    return taken


@pytest.mark.parametrize("form", ["json", "console"])
def test_lines_that_nobody_reads_are_counted_and_told_of(form: str) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reader, os.fdopen(writing, "w") as stream:
        logger = log.set_up(level="info", form=form, stream=stream)
        taken = filled(writing)
        logger.info("one")
        logger.info("two")
        reader.read(taken)
        logger.info("three")
        logger.info("four")
        lost, three, four = reader.read(select.PIPE_BUF).decode().splitlines()

    assert "log.lines_lost" in lost
    assert json.loads(lost)["count"] == 2 if form == "json" else "count=2" in lost
    assert ("three" in three, "four" in four) == (True, True)


def test_a_line_that_was_cut_off_does_not_run_into_the_next() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reader, os.fdopen(writing, "w") as stream:
        logger = log.set_up(level="info", form="json", stream=stream)
        taken = filled(writing)
        reader.read(select.PIPE_BUF)  # room for the first piece alone
        logger.info("long", text="y" * 2 * select.PIPE_BUF)
        read = reader.read(taken)
        logger.info("next")
        read += reader.read(select.PIPE_BUF)

    *_, torn, lost, following = read.decode().splitlines()
    assert torn.endswith("y")
    assert json.loads(lost)["event"] == "log.lines_lost"
    assert json.loads(following)["event"] == "next"
