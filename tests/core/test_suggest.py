from __future__ import annotations

import pytest

from gate.config import SETTINGS
from gate.core.suggest import closest, hint


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("timout", "timeout"),
        ("time-out", "timeout"),
        ("intervall", "interval"),
        ("sucesses", "successes"),
        ("Optional", "optional"),
        ("ayn", "any"),
        ("retries", ""),
        ("", ""),
        ("x", ""),
    ],
)
def test_a_slip_is_told_from_another_word(word: str, meant: str) -> None:
    known = ["timeout", "interval", "successes", "optional", "deadline", "monitor", "any"]

    assert closest(word, known) == meant


@pytest.mark.parametrize("variable", [setting.variable for setting in SETTINGS])
def test_a_letter_left_out_of_a_setting_is_found(variable: str) -> None:
    known = [setting.variable for setting in SETTINGS]

    assert closest(variable[:-2] + variable[-1], known) == variable


def test_what_is_not_close_to_any_word_is_answered_with_all() -> None:
    assert hint("timout", iter(["timeout", "interval"])) == "did you mean timeout?"
    assert hint("retries", iter(["timeout", "interval"])) == "there are timeout, interval"


def test_in_a_short_word_two_swapped_letters_are_a_slip() -> None:
    assert closest("abdce", ["abcde", "x"]) == "abcde"
    assert closest("abdc", ["abcd"]) == "abcd"


def test_in_a_word_of_five_letters_three_of_four_are_close_and_three_of_five_are_not() -> None:
    assert closest("abcxy", ["abcz"]) == "abcz"
    assert closest("abcxy", ["abcde"]) == ""
