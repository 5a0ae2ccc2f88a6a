"""A pattern that backtracks for hours must not stop gate."""

from __future__ import annotations

import asyncio
import re

import pytest

from gate.checks.http.bounded_regex import BoundedRegex, is_fast
from gate.core.errors import CheckFailed
from tests.checks.servers.raw_http import serving, status
from tests.conftest import run, why_not

EVIL = "^(a+)+$"
VICTIM = "a" * 40 + "!"


def test_a_pattern_that_backtracks_is_ended_and_said_so() -> None:
    async def main() -> str:
        async with serving(status(200, body=VICTIM)) as server:
            return await why_not(f"{server.url}/ body-regex={EVIL} timeout=4s")

    assert run(main()) == ("body: body-regex takes longer than 2s on this answer; make it simpler")


def test_the_loop_goes_on_meanwhile() -> None:
    async def main() -> int:
        regex = BoundedRegex(re.compile(EVIL), 1.0)
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.01)

        other = asyncio.create_task(turn())
        with pytest.raises(CheckFailed):
            await regex.is_in(VICTIM.encode())
        other.cancel()
        return turns

    assert run(main()) > 2


@pytest.mark.parametrize(
    ("body", "matches"), [(b"aaa", True), (b"aab", False), ("ü".encode(), False)]
)
def test_a_process_finds_what_re_finds(body: bytes, matches: bool) -> None:  # noqa: FBT001 -- a table
    assert run(BoundedRegex(re.compile("^a+$"), 30.0).is_in(body)) is matches


@pytest.mark.parametrize(
    ("pattern", "fast"),
    [("ready|ok", True), ("^UP$", True), ("a+", False), ("a{3}", False), ("a?" * 30, False)],
)
def test_only_what_cannot_take_long_is_matched_in_place(pattern: str, fast: bool) -> None:  # noqa: FBT001 -- a table
    assert is_fast(pattern) is fast
