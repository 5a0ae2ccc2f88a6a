"""The table of faults names tests that there are."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| .+ \| .+ \| `(tests/\S+\.py)::(test_\w+)` \|$", re.MULTILINE)
TABLE = Path(__file__).with_name("README.md").read_text()


@cache
def text_of(path: str) -> str:
    return (ROOT / path).read_text()


def test_every_test_that_the_table_names_exists() -> None:
    named = ROW.findall(TABLE)

    assert [f"{path}::{name}" for path, name in named if f"def {name}(" not in text_of(path)] == []


def test_every_row_names_one_and_there_are_many() -> None:
    rows = [
        line for line in TABLE.splitlines() if line.startswith("| ") and "what gate" not in line
    ]

    assert len(rows) == len(ROW.findall(TABLE)) >= 60
