from __future__ import annotations

import asyncio

from gate import stage
from tests.conftest import run


async def read(secret: str) -> None:
    stage.keep_secret(secret)


def test_what_the_tasks_of_an_attempt_read_is_secret_in_it() -> None:
    async def attempt() -> set[str]:
        stage.begin()
        async with asyncio.TaskGroup() as group:
            group.create_task(read("hunter2"))
            group.create_task(read("hunter3"))
        return set(stage.secrets())

    assert run(attempt()) == {"hunter2", "hunter3"}


def test_an_attempt_knows_nothing_of_the_one_before_or_beside_it() -> None:
    async def attempt(secret: str) -> tuple[str, ...]:
        stage.begin()
        await read(secret)
        await asyncio.sleep(0)
        return stage.secrets()

    async def main() -> tuple[tuple[str, ...], ...]:
        beside = await asyncio.gather(attempt("hunter2"), attempt("hunter3"))
        return await attempt("hunter4"), await attempt("hunter5"), *beside

    assert run(main()) == (("hunter4",), ("hunter5",), ("hunter2",), ("hunter3",))


def test_outside_of_an_attempt_no_secret_is_kept() -> None:
    async def main() -> tuple[str, ...]:
        await read("hunter2")
        return stage.secrets()

    assert run(main()) == ()
