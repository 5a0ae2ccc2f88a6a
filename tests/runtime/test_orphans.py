"""Children that have ended, as processes of the test's own."""

from __future__ import annotations

import os
import subprocess

from gate.runtime import orphans
from tests.conftest import run


def ended() -> subprocess.Popen[bytes]:
    """Return a child that has ended with 3, and nobody has asked it for that."""
    child = subprocess.Popen(["sh", "-c", "exit 3"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    return child


def test_a_child_that_was_left_long_enough_is_reaped() -> None:
    child = ended()

    first = orphans.reap(set())
    then = orphans.reap({child.pid})
    later = orphans.reap({child.pid})

    assert child.pid in first
    assert child.pid not in then | later
    assert child.wait() == 0, "its exit code is gone"


def test_what_gate_has_started_is_left_to_whoever_asks_for_its_exit_code() -> None:
    child = ended()

    with orphans.own(child.pid):
        seen = orphans.reap({child.pid})

    assert child.pid not in seen
    assert child.wait() == 3


def test_a_running_child_is_none_that_has_ended() -> None:
    ended_one = ended()
    with subprocess.Popen(["sleep", "60"]) as running:
        seen = orphans.reap(set())
        running.kill()

    assert ended_one.wait() == 3
    assert ended_one.pid in seen
    assert running.pid not in seen


def test_who_is_not_pid_1_inherits_nothing() -> None:
    assert os.getpid() != 1

    run(orphans.clear_away())
