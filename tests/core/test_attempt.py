from __future__ import annotations

import asyncio
import contextvars

from gate.core import attempt
from tests.conftest import run


async def read(secret: str) -> None:
    attempt.keep_secret(secret)


def test_what_the_tasks_of_an_attempt_read_is_secret_in_it() -> None:
    async def attempting() -> set[str]:
        attempt.begin()
        async with asyncio.TaskGroup() as group:
            group.create_task(read("hunter2"))
            group.create_task(read("hunter3"))
        return set(attempt.secrets())

    assert run(attempting()) == {"hunter2", "hunter3"}


def test_an_attempt_knows_nothing_of_the_one_before_or_beside_it() -> None:
    async def attempting(secret: str) -> tuple[str, ...]:
        attempt.begin()
        await read(secret)
        await asyncio.sleep(0)
        return attempt.secrets()

    async def main() -> tuple[tuple[str, ...], ...]:
        beside = await asyncio.gather(attempting("hunter2"), attempting("hunter3"))
        return await attempting("hunter4"), await attempting("hunter5"), *beside

    assert run(main()) == (("hunter4",), ("hunter5",), ("hunter2",), ("hunter3",))


def test_outside_of_an_attempt_no_secret_is_kept() -> None:
    async def main() -> tuple[str, ...]:
        await read("hunter2")
        return attempt.secrets()

    assert run(main()) == ()


def test_the_places_of_this_pod_that_an_attempt_has_tried_are_known_until_the_next() -> None:
    attempt.begin()
    for address in ("127.0.0.1", "::ffff:127.0.0.2", "::1", "10.0.0.1", "2001:db8::1"):
        attempt.note_place(address, 80, is_there=False)
    attempt.note_place("/run/app.sock", is_there=True)
    found = attempt.places()
    attempt.begin()

    assert found == {
        ("127.0.0.1", 80): False,
        ("127.0.0.2", 80): False,
        ("::1", 80): False,
        ("/run/app.sock", 0): True,
    }
    assert attempt.places() == {}


def test_outside_of_an_attempt_no_place_is_noted() -> None:
    def note() -> object:
        attempt.note_place("127.0.0.1", 80, is_there=True)
        return attempt.places()

    assert contextvars.Context().run(note) == {}
