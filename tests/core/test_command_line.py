from __future__ import annotations

import pytest

from gate.core.command_line import is_url, label


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("--hold", "--hold"),
        ("--hold=25s", "--hold"),
        ("--on_Timeout-Z", "--on_Timeout-Z"),
        ("--", "number 4"),
        ("--=x", "number 4"),
        ("-h", "number 4"),
        ("hold", "number 4"),
        ("--tcp://me:secret@db", "number 4"),
        ("tcp://me:secret@db:1", "number 4"),
    ],
)
def test_a_word_is_named_without_what_may_be_secret(word: str, name: str) -> None:
    assert label(word, 4) == name


def test_a_dependency_is_told_from_the_value_of_a_flag() -> None:
    assert is_url("tcp://db:1")
    assert not is_url("25s")
