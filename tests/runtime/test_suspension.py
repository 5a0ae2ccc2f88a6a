from __future__ import annotations

import subprocess
import sys
import time

import pytest

from gate.runtime.suspension import slept
from tests.conftest import needs

DAY = 24 * 3600.0


def test_a_host_that_is_awake_sleeps_no_more() -> None:
    before = slept()

    assert slept() - before < DAY


def test_what_one_clock_has_more_than_the_other_was_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = {time.CLOCK_MONOTONIC: 100.0, time.CLOCK_BOOTTIME: 160.0}
    monkeypatch.setattr(time, "clock_gettime", clocks.__getitem__)

    assert slept() == 60.0


def test_a_day_of_which_the_loop_knows_nothing_is_seen() -> None:
    """In a time namespace whose host has slept for a day more."""
    unshare = [needs("unshare", "util-linux"), "--user", "--map-root-user", "--time", "--fork"]
    code = "from gate.runtime.suspension import slept; print(slept())"
    done = subprocess.run(
        [*unshare, "--boottime", str(int(DAY)), sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )

    assert float(done.stdout) >= slept() + DAY / 2
