"""What `serve` and `wait` have in common, in virtual time."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

from gate.config import Settings
from gate.core.errors import CheckFailed
from gate.core.model import Dependency
from gate.report import log
from gate.report.wait_plan import WaitPlan, make_board
from gate.runtime.runner import DependencyCheck
from gate.runtime.supervisor import run_until_exit
from tests.virtual import play


async def refused() -> None:
    msg = "connection refused"
    raise CheckFailed(msg)


def waited(
    seconds: float, *, timeout: float | None = None, **settings: Any
) -> list[dict[str, Any]]:
    """Return what is logged in *seconds* of waiting for what never comes."""
    stream = io.StringIO()
    logger = log.set_up(level="info", form="json", stream=stream)
    watch = DependencyCheck(Dependency(name="db", url="tcp://db:1"), refused)
    plan = WaitPlan(Settings(termination_log="off", **settings), [watch], logger)

    follow(plan, seconds, timeout=timeout)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def follow(plan: WaitPlan, seconds: float, *, timeout: float | None = None) -> None:
    async def main() -> None:
        board = make_board(plan, timeout=timeout)
        exit_code = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(seconds, exit_code.set_result, 0)
        await run_until_exit(plan.dependency_checks, board, exit_code, *plan.reminders(board))

    play(main())


def test_every_15_seconds_a_line_says_what_is_waited_for() -> None:
    lines = [line for line in waited(50.0) if line["event"] == "gate.waiting"]

    assert [line["seconds"] for line in lines] == [15, 30, 45]
    assert {line["waiting_for"] for line in lines} == {"db: connection refused"}


def test_what_usually_causes_a_reason_is_logged_once_after_a_minute() -> None:
    lines = waited(200.0)
    (hint,) = (line for line in lines if line["event"] == "dependency.hint")

    assert (hint["level"], hint["dependency"], hint["reason"]) == (
        "info",
        "db",
        "connection refused",
    )
    assert hint["hint"].startswith("nothing listens on that port")
    assert lines[lines.index(hint) - 1]["seconds"] == 60


def test_an_overdue_gate_says_so_at_once_and_then_in_that_line() -> None:
    lines = [line for line in waited(31.0, timeout=20.0) if line["event"] == "gate.overdue"]

    assert [line.get("after") or line["seconds"] for line in lines] == ["20s", 30]
    assert {line["waiting_for"] for line in lines} == {"db: connection refused"}


def test_the_termination_message_follows_what_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "log"
    reasons = iter(["name not found", "connection refused", ""])
    texts: list[str] = []

    async def check() -> None:
        texts.append(path.read_text() if path.exists() else "")
        if reason := next(reasons):
            raise CheckFailed(reason)

    watch = DependencyCheck(Dependency(name="db", url="tcp://db:1"), check)
    logger = log.set_up(level="error", form="json", stream=io.StringIO())
    plan = WaitPlan(Settings(termination_log=str(path)), [watch], logger)

    follow(plan, 5.0)

    assert texts[1:] == ["waiting for db: name not found", "waiting for db: connection refused"]
    assert path.read_text() == ""
