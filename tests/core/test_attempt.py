from __future__ import annotations

import asyncio
import contextvars

import pytest

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


def redacted(text: str, *secrets: str) -> str:
    """Return *text* as an attempt with these *secrets* tells it."""

    def telling() -> str:
        attempt.begin(secrets)
        return attempt.redacted(text)

    return contextvars.Context().run(telling)


@pytest.mark.parametrize(
    ("text", "secret", "told"),
    [
        ("no hunter2 here, Hunter2", "hunter2", "no *** here, ***"),
        ("abc", "abc", "***"),
        ("ab", "ab", "ab"),
        ("a b c", "b", "a b c"),
        ("on two\n lines", "two lines", "on ***"),
        ("as a%2Fb%26 in a URL", "a/b&", "as *** in a URL"),
        (r"as a\"b in JSON", 'a"b', "as *** in JSON"),
        (r"as \u00fcber in JSON", "über", "as *** in JSON"),
        (r"as a\x07bc of Python", "a\abc", "as *** of Python"),
        ("any character.", "c.r", "any character."),
        ("x a b", "a b", "x ***"),
        (r"as ü\"b in JSON", 'ü"b', "as *** in JSON"),
        ("no text abc\udcff", "abc\udcff", "no text ***"),
    ],
)
def test_a_secret_is_removed_in_whatever_form_it_is_written(
    text: str, secret: str, told: str
) -> None:
    assert redacted(text, secret) == told


def test_of_two_secrets_the_longer_one_is_removed_first() -> None:
    assert redacted("hunter22 and hunter", "hunter", "hunter22") == "*** and ***"
    assert redacted("a hunter", "hunter", "a hunter") == "***"


@pytest.mark.parametrize(("secret", "kept"), [("ab", ()), ("abc", ("abc",))])
def test_what_is_too_short_to_be_secret_is_not_kept(secret: str, kept: tuple[str, ...]) -> None:
    def keeping() -> tuple[str, ...]:
        attempt.begin()
        attempt.keep_secret(secret)
        return attempt.secrets()

    assert contextvars.Context().run(keeping) == kept


def test_a_stage_belongs_to_its_attempt() -> None:
    def stages() -> tuple[str, ...]:
        before = attempt.current_stage()
        attempt.enter_stage("login")
        during = attempt.current_stage()
        attempt.begin()
        return before, during, attempt.current_stage()

    assert contextvars.Context().run(stages) == ("", "login", "")
