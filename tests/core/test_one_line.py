"""What others say, on one line."""

from __future__ import annotations

import pytest

from gate.core.one_line import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("refused", "refused"),
        (" two\n  lines\t", "two lines"),
        ("two\nlines", "two lines"),
        ("just ten s", "just ten s"),
        ("\x1b[2Jclear \u202eback", "[2Jclear back"),
        ("ten letters", "ten lette…"),
        ("ünïcode", "ünïcode"),
    ],
)
def test_a_text_becomes_one_printable_line(text: str, line: str) -> None:
    assert one_line(text, 10 if "ten" in text else 20) == line
