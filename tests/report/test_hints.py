"""Hints: which reason has which, how they are worded, and when they are told."""

from __future__ import annotations

from typing import Any

import pytest

from gate.core.model import Dependency
from gate.report import hints
from gate.report.hints import LOCAL, USUAL, usual_cause
from gate.runtime.board import Board
from tests.report.test_status import attempt, told

DB = Dependency(name="db", url="tcp://db:5432")
CACHE = Dependency(name="cache", url="redis://cache", optional=True, deadline=90.0)


@pytest.mark.parametrize(
    ("reason", "begins"),
    [
        ("connection refused (10.0.0.1), connection refused (10.0.0.2)", "nothing listens on"),
        ("no route to host", "a NetworkPolicy that rejects"),
        ("network unreachable", "this pod has no route"),
        ("connecting: no answer within 3s", "packets are dropped"),
        ("connection timed out", "packets are dropped"),
        ("name not found: db.prod", "no such Service here"),
        ("name lookup: no answer within 3s", "the cluster's DNS"),
        ("name lookup failed: db: temporary failure in name resolution", "the cluster's DNS"),
        ("connection reset", "a proxy or mesh"),
        ("connection closed during startup", "a proxy or mesh"),
        ("TLS: certificate expired", "the certificate was not renewed"),
        ("TLS: hostname mismatch, certificate is not valid for 'db'", "the certificate has other"),
        ("TLS: self-signed certificate in certificate chain", "this container does not know"),
        ("TLS: unable to get local issuer certificate", "this container does not know"),
        ("the server does not speak TLS on this port", "it is the port without TLS"),
        ("the server speaks TLS on this port", "it is the port with TLS"),
        ("status 401", "no login, or an outdated one"),
        ("API server: the token is refused (status 401)", "no login, or an outdated one"),
        ("status 403", "this login may not do it"),
        ("may not get pods in prod: RBAC lacks verb get on resource pods", "the pod's service"),
        ("status 404", "no such path there"),
        ("status 302", "redirects are not followed"),
        ("status 503: db DOWN", "the server says that it is not ready"),
        ('login refused: password authentication failed for user "app"', "the Secret here is not"),
        ("password-file: cannot read /run/db: no such file or directory", "the Secret is not"),
        ('database "app" does not exist', "nobody has created the database"),
        ("unknown database 'app'", "nobody has created the database"),
        ("migration 0042 has not run yet", "the Job that migrates"),
        ('query failed: relation "users" does not exist', "the Job that migrates"),
        ("too many connections", "the server's limit"),
        ("TLS handshake: no answer within 3s", "it accepts connections but"),
        ("starting up", ""),
        ("exit code 1", ""),
    ],
)
def test_a_reason_has_its_usual_cause(reason: str, begins: str) -> None:
    assert usual_cause(reason).startswith(begins)
    assert bool(usual_cause(reason)) == bool(begins)


def test_within_the_pod_it_is_another_one() -> None:
    assert "behind gate" in usual_cause("connection refused", is_local=True)
    assert "volume" in usual_cause("no such socket", is_local=True)
    assert usual_cause("status 404", is_local=True) == usual_cause("status 404")


def test_a_hint_is_one_short_clause_that_is_put_after_a_name() -> None:
    for words, hint in (*LOCAL, *USUAL):
        assert 40 < len(hint) <= 90, hint
        assert hint[-1] not in ".;,:", hint
        assert hint.startswith("CoreDNS") or hint[0].islower(), hint
        assert hint.isprintable()
        assert all(words)


def test_no_entry_hides_another_one() -> None:
    for words, hint in USUAL:
        assert [usual_cause(word) for word in words] == [hint] * len(words)


def refused(seconds: int) -> dict[str, Any]:
    """Return `/status` after that many seconds of one reason, that began at 1 s."""

    def happen(board: Board) -> None:
        attempt(board, "db", 0.25, "name not found: db")
        for second in range(1, seconds + 1):
            attempt(board, "db", float(second), "connection refused")

    return told(DB, happen=happen, now=float(seconds))


def test_a_hint_is_told_once_its_reason_has_stood_for_a_minute() -> None:
    early, late = (refused(seconds)["dependencies"][0] for seconds in (60, 61))

    assert (early["reason"], early["hint"]) == ("connection refused", "")
    assert late["hint"] == usual_cause("connection refused")


def test_another_reason_begins_another_minute() -> None:
    def happen(board: Board) -> None:
        attempt(board, "db", 1.0, "connection refused")
        attempt(board, "db", 50.0, "status 503")

    (db,) = told(DB, happen=happen, now=100.0)["dependencies"]

    assert (db["reason"], db["hint"]) == ("status 503", "")


def test_what_was_lost_and_what_is_ready_have_no_old_hint() -> None:
    def happen(board: Board) -> None:
        attempt(board, "cache", 1.0)
        attempt(board, "db", 1.0, "connection refused")
        attempt(board, "db", 61.0)
        attempt(board, "cache", 61.0, "connection refused")

    db, cache = told(DB, CACHE, happen=happen, now=70.0)["dependencies"]

    assert (db["state"], db["hint"]) == ("ready", "")
    assert (cache["reason"], cache["hint"]) == ("connection refused", "")


def test_after_the_opening_the_hint_stays_that_was_there_then() -> None:
    def happen(board: Board) -> None:
        attempt(board, "cache", 1.0, "name not found: cache")
        board.open("opened without cache: name not found: cache")

    (opened_at_once,) = told(CACHE, happen=happen, now=300.0)["dependencies"]
    late = told(
        CACHE, happen=lambda board: attempt(board, "cache", 1.0, "no route to host"), now=95
    )

    assert opened_at_once["hint"] == ""
    assert (late["open"], late["dependencies"][0]["hint"]) == (
        True,
        usual_cause("no route to host"),
    )


def test_only_what_holds_the_gate_is_pending() -> None:
    late: list[str] = []

    def happen(board: Board) -> None:
        attempt(board, "db", 1.0, "connection refused")
        attempt(board, "cache", 1.0, "starting up")
        snapshot = board.latch.snapshot(board.now() + 70)
        late.extend(view.dependency.name for view, _ in hints.pending(snapshot))

    told(DB, CACHE, happen=happen, now=1.0)

    assert late == ["db"]
