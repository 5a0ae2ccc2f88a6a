"""What is asked of a PostgreSQL server after login, and which answer will do.

Only the status of a command is read, `SELECT 1` for one row: rows need no decoding, and a
pooler in transaction mode stays out of the way of prepared statements.
"""

from __future__ import annotations

from dataclasses import dataclass

from gate.core.errors import CheckFailed


@dataclass(frozen=True, slots=True)
class Query:
    """A statement, and why the server is not ready if it gives no row."""

    sql: str
    without_rows: str

    def judge(self, status: str) -> None:
        """Raise `CheckFailed` where *status*, the server's, tells of an empty result."""
        if status == "SELECT 0":
            raise CheckFailed(self.without_rows)


ROLES = {
    "any": None,
    "prefer-standby": None,
    "primary": Query(
        "SELECT 1 WHERE NOT pg_catalog.pg_is_in_recovery()",
        "is in recovery (read-only), not primary",
    ),
    "standby": Query("SELECT 1 WHERE pg_catalog.pg_is_in_recovery()", "is primary, not standby"),
    "read-write": Query(
        "SELECT 1 WHERE pg_catalog.current_setting('transaction_read_only') = 'off'",
        "is read-only, not read-write",
    ),
    "read-only": Query(
        "SELECT 1 WHERE pg_catalog.current_setting('transaction_read_only') = 'on'",
        "is read-write, not read-only",
    ),
}
"""By the words of libpq's `target_session_attrs`; None asks nothing."""


def questions(role: str, query: str) -> tuple[Query, ...]:
    """Return what to ask where *role* and *query*, if any, are wanted."""
    of_role = ROLES[role]
    own = Query(query, "query gave no row") if query else None
    return tuple(question for question in (of_role, own) if question is not None)
