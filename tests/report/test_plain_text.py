from __future__ import annotations

from dataclasses import replace

from gate.core.model import Dependency, DependencyView, Phase, Snapshot, State
from gate.report import plain_text

WAITING = DependencyView(
    dependency=Dependency(name="cache", url="redis://cache"),
    reason="connection refused",
    attempts=41,
    since=0.0,
    waited=12.3,
)
READY = replace(
    WAITING,
    dependency=Dependency(name="db", url="tcp://db:1"),
    state=State.READY,
    reason="",
    waited=3.2,
)
SNAPSHOT = Snapshot(
    at=12.3,
    started=0.0,
    phase=Phase.WAITING,
    revision=3,
    dependencies=(READY, WAITING),
    pending=("cache",),
)


def test_the_body_of_a_probe_is_in_the_style_of_the_api_server() -> None:
    assert plain_text.verbose(SNAPSHOT) == (
        "[+]db ready after 3.2s\n"
        "[-]cache waiting: connection refused (41 attempts, 12.3s)\n"
        "gate is waiting\n"
    )


def test_the_brief_form_has_no_counters_and_no_times() -> None:
    assert plain_text.brief(SNAPSHOT) == "waiting for cache: connection refused"


def test_the_brief_form_of_a_gate_that_is_overdue() -> None:
    late = replace(SNAPSHOT, phase=Phase.OVERDUE)

    assert plain_text.brief(late) == "overdue, waiting for cache: connection refused"


def test_a_dependency_without_an_answer_yet() -> None:
    first = replace(WAITING, reason="", attempts=0, waited=0.5)
    snapshot = replace(SNAPSHOT, dependencies=(first,))

    assert plain_text.brief(snapshot) == "waiting for cache: no answer yet"
    assert plain_text.verbose(snapshot).startswith("[-]cache waiting: no answer yet (0 attempts")


def test_a_body_is_never_longer_than_8_kib_and_says_how_many_are_left_out() -> None:
    many = tuple(
        replace(WAITING, dependency=Dependency(name=f"d{i}", url=""), reason="é" * 100)
        for i in range(200)
    )

    body = plain_text.verbose(replace(SNAPSHOT, dependencies=many))

    shown = body.count("[-]")
    assert len(body.encode()) <= 8192
    assert f"… and {200 - shown} more\ngate is waiting\n" in body


def test_readiness_tells_of_the_monitored_only() -> None:
    unfit = replace(
        READY,
        dependency=Dependency(name="api", url="", monitor=True),
        is_fit=False,
        reason="status 503",
    )
    snapshot = replace(SNAPSHOT, phase=Phase.OPEN, dependencies=(READY, unfit))

    assert plain_text.readiness(snapshot, is_stopping=False) == (
        "[+]gate open\n[-]api unfit: status 503\nreadyz check failed\n"
    )


def test_a_gate_that_is_stopping_is_not_ready() -> None:
    snapshot = replace(SNAPSHOT, phase=Phase.OPEN, dependencies=())

    assert plain_text.is_ready(snapshot, is_stopping=False)
    assert not plain_text.is_ready(snapshot, is_stopping=True)


def test_a_reason_that_is_too_long_leaves_room_for_the_lines() -> None:
    degraded = replace(SNAPSHOT, phase=Phase.OPEN, degraded="opened without " + "é" * 9000)

    body = plain_text.verbose(degraded)

    assert len(body.encode()) <= 8192
    assert body.startswith("[+]db ready after 3.2s\n[-]cache")
    assert body.endswith("é…\n")
    assert len(plain_text.brief(degraded).encode()) < 8192


def test_the_brief_form_is_never_longer_than_8_kib() -> None:
    names = [f"d{number}" for number in range(300)]
    many = tuple(
        replace(WAITING, dependency=Dependency(name=name, url=""), reason="é" * 100)
        for name in names
    )

    line = plain_text.brief(replace(SNAPSHOT, dependencies=many, pending=tuple(names)))

    assert len(line.encode()) < 8192
    assert line.endswith("é…")
