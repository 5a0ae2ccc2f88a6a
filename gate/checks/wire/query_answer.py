"""What is asked of a database after login, and which answer will do.

`query` is to be true for the app: a first row whose first value is neither false nor 0 nor NULL.
`equals=VALUE` wants that value, as text, and `rows=N` wants that many rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gate.checks.wire import secret_file
from gate.core.errors import CheckFailed
from gate.core.target import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.core.target import Target

_FALSE = {"f": "false", "0": "0", "\0": "0"}
"""How PostgreSQL writes false, both write 0, and MySQL a bit that is not set."""
_TRUE = {"t": "true", "\1": "1"}
_LONGEST_NUMBER = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gives: how many rows, -1 for no table, and the first value of the first."""

    rows: int
    first: str | None = ""
    """None is NULL; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Question:
    """A statement, and `judge`, which raises `CheckFailed` where its answer will not do."""

    sql: str
    judge: Callable[[Answer], None]
    without_table: str = ""
    """Why the server is not ready where a table of the statement does not exist."""
    most: int = 1
    """How many rows have to be counted."""
    wants_value: bool = False
    """Whether a value is compared, so that the number of rows alone is no answer."""
    path: str = ""
    """A file that says what is asked for; it is read at each attempt, and `about` makes of it
    the question to put instead."""
    about: Callable[[str], Question] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the answer to `query` has to be."""

    equals: str = ""
    rows: int | None = None

    def judge(self, answer: Answer) -> None:
        """Raise `CheckFailed` where *answer* is not what is wanted."""
        if self.rows is not None:
            self._count(answer.rows, self.rows)
        if self.equals:
            self._compare(answer)
        elif self.rows is None:
            _be_true(answer)

    def _count(self, found: int, wanted: int) -> None:
        if found > wanted:
            msg = f"query gave more rows than the {wanted} wanted"
            raise CheckFailed(msg)
        if found < wanted:
            msg = f"query gave {max(found, 0)} of the {wanted} rows wanted"
            raise CheckFailed(msg)

    def _compare(self, answer: Answer) -> None:
        found = answer.first
        known = (found, _FALSE.get(found or ""), _TRUE.get(found or ""))
        if answer.rows <= 0 or self.equals not in known:
            told = "no row" if answer.rows <= 0 else _shown(found)
            msg = f"query gave {told}, wanted {self.equals[:_LONGEST_NUMBER]}"
            raise CheckFailed(msg)


def parse(target: Target) -> tuple[Question, ...]:
    """Return the question that the options `query`, `equals` and `rows` make, if any."""
    sql = target.text("query")
    wanted = Wanted(target.text("equals"), target.read("rows", whole_number, None))
    if not sql:
        if wanted != Wanted():
            target.problem(
                "equals and rows: are about the answer to a query; write query='SELECT …'"
            )
        return ()
    most = (wanted.rows or 0) + 1
    return (Question(sql, wanted.judge, most=most, wants_value=bool(wanted.equals)),)


async def current(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    """Return *questions* as they are now; raises `CheckFailed` where a file cannot be read."""
    found = []
    for question in questions:
        if question.about is not None:
            text = await secret_file.read(question.path, "schema", is_secret=False)
            question = question.about(text.strip())  # noqa: PLW2901 -- the same, filled in
        found.append(question)
    return tuple(found)


def has_row(sql: str, reason: str) -> Question:
    """Return the question whether *sql* gives a row; *reason* is why not ready if it does not."""
    return Question(sql, partial(_have_row, reason))


def _have_row(reason: str, answer: Answer) -> None:
    if answer.rows == 0:
        raise CheckFailed(reason)


def _be_true(answer: Answer) -> None:
    _have_row("query gave no row", answer)
    if answer.first is None or answer.first in _FALSE:
        msg = f"query gave {_shown(answer.first)}"
        raise CheckFailed(msg)


def _shown(value: str | None) -> str:
    """Return *value* for people: numbers and the like, no text, as that may be anybody's secret."""
    if value is None:
        return "NULL"
    known = _FALSE.get(value) or _TRUE.get(value) or value
    is_number = known.isascii() and known.replace(".", "").lstrip("-").isdigit()
    is_shown = known in {"true", "false"} or (is_number and len(known) <= _LONGEST_NUMBER)
    return known if is_shown else "another text"
