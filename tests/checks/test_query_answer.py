from __future__ import annotations

import pytest

from gate.checks.wire.migrations import TOOLS, Migration
from gate.checks.wire.query_answer import Answer, Wanted
from gate.core.errors import CheckFailed
from tests.conftest import problems_of, watch_for

IN_FILE = ", or {}:/PATH of a file that holds it"
NO_TOOL = "schema: wants TOOL:VERSION with a tool that gate knows"


def why_not(wanted: Wanted | Migration, answer: Answer) -> str:
    try:
        wanted.judge(answer)
    except CheckFailed as exc:
        return str(exc)
    return ""


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(1, "1"), ""),
        (Answer(1, "t"), ""),
        (Answer(1, "no"), ""),
        (Answer(3), ""),
        (Answer(-1), ""),
        (Answer(0), "query gave no row"),
        (Answer(1, "f"), "query gave false"),
        (Answer(2, "0"), "query gave 0"),
        (Answer(1, "\0"), "query gave 0"),
        (Answer(1, None), "query gave NULL"),
    ],
)
def test_a_query_is_to_be_true(answer: Answer, why: str) -> None:
    assert why_not(Wanted(), answer) == why


@pytest.mark.parametrize(
    ("equals", "answer", "why"),
    [
        ("0", Answer(1, "0"), ""),
        ("false", Answer(1, "f"), ""),
        ("f", Answer(1, "f"), ""),
        ("1", Answer(1, "\1"), ""),
        ("1", Answer(1, None), "query gave NULL, wanted 1"),
        ("1", Answer(1, "-1.5"), "query gave -1.5, wanted 1"),
        ("1", Answer(1, "t"), "query gave true, wanted 1"),
        ("1", Answer(1, "hunter2"), "query gave another text, wanted 1"),
        ("1", Answer(1, "1" * 31), "query gave another text, wanted 1"),
        ("x" * 90, Answer(-1), f"query gave no row, wanted {'x' * 30}"),
    ],
)
def test_a_value_is_compared_as_text_and_no_text_of_the_answer_is_told(
    equals: str, answer: Answer, why: str
) -> None:
    assert why_not(Wanted(equals), answer) == why


@pytest.mark.parametrize(
    ("wanted", "answer", "why"),
    [
        (Wanted(rows=2), Answer(2, "f"), ""),
        (Wanted(rows=0), Answer(0), ""),
        (Wanted(rows=0), Answer(1, "1"), "query gave more rows than the 0 wanted"),
        (Wanted("a", rows=1), Answer(1, "a"), ""),
        (Wanted("a", rows=1), Answer(2, "a"), "query gave more rows than the 1 wanted"),
        (Wanted("a", rows=1), Answer(1, "b"), "query gave another text, wanted a"),
    ],
)
def test_rows_are_counted(wanted: Wanted, answer: Answer, why: str) -> None:
    assert why_not(wanted, answer) == why


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("equals=1", "equals and rows: are about the answer to a query; write query='SELECT …'"),
        ("rows=0", "equals and rows: are about the answer to a query; write query='SELECT …'"),
        ("query=x rows=-1", "rows: '-1' is not a whole number from 0"),
        ("schema=alembik:1", f"{NO_TOOL}; did you mean alembic:?"),
        ("schema=x", f"{NO_TOOL}; there are {', '.join(TOOLS)}"),
        ("schema=alembic", f"schema: of alembic wants alembic:REVISION{IN_FILE.format('alembic')}"),
        (
            "schema=django:0001_initial",
            f"schema: of django wants django:APP.MIGRATION{IN_FILE.format('django')}",
        ),
        (
            "schema=django:.x",
            f"schema: of django wants django:APP.MIGRATION{IN_FILE.format('django')}",
        ),
        (r"schema='rails:\\'", f"schema: of rails wants rails:VERSION{IN_FILE.format('rails')}"),
        ("schema=goose:1x", "schema: a version of goose is a number"),
    ],
)
def test_what_cannot_work_is_a_problem(scheme: str, options: str, problem: str) -> None:
    assert problems_of(f"db {scheme}://app:x@db/app {options}") == [problem]


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_schema_wants_a_user_to_log_in_as(scheme: str) -> None:
    (problem,) = problems_of(f"db {scheme}://db/app schema=flyway:1")

    assert problem.startswith("a password, query, schema or role wants a user to log in as")


def test_values_cannot_leave_their_quotes() -> None:
    check = watch_for("db postgresql://app:x@db/app \"schema=django:a'.'; DROP TABLE x; --\"").check
    (question,) = check.questions  # type: ignore[attr-defined]

    assert question.sql.endswith("WHERE app = 'a''' AND name = '''; DROP TABLE x; --' LIMIT 1")


def test_a_schema_without_a_row_has_not_run() -> None:
    assert why_not(Migration("7"), Answer(0)) == "migration 7 has not run yet"
    assert why_not(Migration("7"), Answer(1, "6")) == "schema is at 6, wanted 7"
