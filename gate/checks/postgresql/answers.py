"""Puts a question to a PostgreSQL server by asyncpg, and reads as much of the answer as is wanted.

A pooler in transaction mode has to stay out of the way of prepared statements, which asyncpg reads
rows by. `COPY (…) TO STDOUT` is a simple query, and its rows come as text. Other statements, and
several at once, are just executed: of them only the status is known, `SELECT 1` for one row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import asyncpg

from gate.checks.wire.query_answer import Answer

if TYPE_CHECKING:
    from gate.checks.wire.query_answer import Question

_READS = re.compile(r"\s*\(*\s*(select|with|values|table)\b", re.IGNORECASE)
_LONGEST = 64 * 1024
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


async def answer(connection: Any, question: Question) -> Answer:  # noqa: ANN401 -- asyncpg has no types
    """Return the answer to *question*; raises what asyncpg raises."""
    if _READS.match(question.sql):
        try:
            return await _copied(connection, question.sql)
        except (asyncpg.PostgresSyntaxError, asyncpg.FeatureNotSupportedError):
            # Several statements, or a server that has no such COPY, like Redshift.
            if question.wants_value:
                raise
    status = await connection.execute(question.sql)
    kind, _, rows = str(status).partition(" ")
    return Answer(int(rows) if kind == "SELECT" and rows.isascii() and rows.isdigit() else -1)


async def _copied(connection: Any, sql: str) -> Answer:  # noqa: ANN401 -- asyncpg has no types
    rows = _Rows()
    # On a line of its own, the bracket is not within a comment at the end.
    await connection.copy_from_query(sql.rstrip().rstrip(";") + "\n", output=rows.take)
    return Answer(rows.count, rows.first_value())


class _Rows:
    """Counts rows in COPY's text format, one a line, and keeps the beginning of the first."""

    def __init__(self) -> None:
        self.count = 0
        self._first = b""

    async def take(self, data: bytes) -> None:
        """Take the next piece."""
        if self.count == 0:
            self._first = (self._first + data)[:_LONGEST]
        self.count += data.count(b"\n")

    def first_value(self) -> str | None:
        """Return the first value of the first row; None is NULL."""
        value = self._first.partition(b"\n")[0].partition(b"\t")[0]
        if value == rb"\N":
            return None
        plain = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), value)
        return plain.decode(errors="replace")
