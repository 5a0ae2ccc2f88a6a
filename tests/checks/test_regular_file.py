from __future__ import annotations

import asyncio
import threading

import pytest

from gate.checks.wire.regular_file import reading
from gate.core import attempt
from tests.conftest import run


def test_a_file_that_cannot_be_read_holds_nobody_up_and_is_named() -> None:
    mount_is_back = threading.Event()

    async def main() -> str:
        attempt.enter_stage("login")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await reading("password-file", mount_is_back.wait, 5)
        return attempt.current_stage()

    assert run(main()) == "reading password-file"
    mount_is_back.set()


def test_what_was_under_way_goes_on_after_the_file_is_read() -> None:
    async def main() -> str:
        attempt.enter_stage("login")
        await reading("password-file", int)
        return attempt.current_stage()

    assert run(main()) == "login"
