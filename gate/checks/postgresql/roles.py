"""What is asked of a PostgreSQL server about its role, by the words of libpq."""

from __future__ import annotations

from gate.checks.wire.query_answer import has_row

ROLES = {
    "any": None,
    "prefer-standby": None,
    "primary": has_row(
        "SELECT 1 WHERE NOT pg_catalog.pg_is_in_recovery()",
        "is in recovery (read-only), not primary",
    ),
    "standby": has_row("SELECT 1 WHERE pg_catalog.pg_is_in_recovery()", "is primary, not standby"),
    "read-write": has_row(
        "SELECT 1 WHERE pg_catalog.current_setting('transaction_read_only') = 'off'",
        "is read-only, not read-write",
    ),
    "read-only": has_row(
        "SELECT 1 WHERE pg_catalog.current_setting('transaction_read_only') = 'on'",
        "is read-write, not read-only",
    ),
}
"""By the words of libpq's `target_session_attrs`; None asks nothing."""
