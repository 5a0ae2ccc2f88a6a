"""Each file of `environments/` is an environment; beside an invalid one is its message.

A line is `NAME=value`, or `NAME<<END` with the value up to the line `END`; lines outside a
value that are empty or start with `#` say something to the reader only.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gate import checks, config
from gate.config import Config
from gate.core.errors import ConfigError

FOLDER = Path(__file__).parent / "environments"
VALID = sorted(FOLDER.glob("valid-*.env"))
INVALID = sorted(FOLDER.glob("invalid-*.env"))


def environment(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    lines = iter(path.read_text().splitlines())
    for line in lines:
        if not line or line.startswith("#"):
            continue
        name, heredoc, end = line.partition("<<")
        if heredoc and "=" not in name:
            value = []
            while (inner := next(lines)) != end:
                value.append(inner)
            found[name] = "\n".join(value)
        else:
            name, _, value_ = line.partition("=")
            found[name] = value_
    return found


def load(path: Path) -> Config:
    read = config.read(environment(path))
    for wanted in read.dependencies:
        checks.load(wanted.target)
    return read


def message(path: Path) -> str:
    return f"gate: {ConfigError(load(path).all_problems())}\n"


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_environment_has_no_problem(path: Path) -> None:
    assert load(path).all_problems() == ()


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_environment_yields_exactly_its_message(path: Path) -> None:
    expected = path.with_suffix(".txt").read_text()

    assert message(path) == expected.replace("SCHEMES", ", ".join(sorted(checks.SCHEMES)))


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_no_message_holds_a_piece_of_a_password(path: Path) -> None:
    text = path.with_suffix(".txt").read_text()

    assert not [piece for piece in ("hun", "ter2", "unter2") if piece in text]


def test_every_message_has_its_environment() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in INVALID}
