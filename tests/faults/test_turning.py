"""What goes wrong at the very moment at which gate turns into the small responder."""

from __future__ import annotations

import os
import resource
import signal
import time
from pathlib import Path
from threading import Thread

from tests.conftest import free_port
from tests.faults.test_pid_1 import as_pid_1
from tests.faults.test_process import Quiet, waiting_for
from tests.process import PATIENCE, UNMEASURED, GateProcess, listening
from tests.serve.test_handover import is_small, until_small

STRAY = (
    *(signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGQUIT),
    *(signal.SIGPIPE, signal.SIGWINCH, signal.SIGCHLD, signal.SIGSTOP, signal.SIGCONT),
)
"""In this order: it stops, and goes on."""


def test_whoever_was_told_that_it_is_open_finds_it_open_after_a_kill(tmp_path: Path) -> None:
    port, answers = free_port(), []
    env = waiting_for(port, GATE_STATE_FILE=str(tmp_path / "opened"), **UNMEASURED)
    with GateProcess("serve", env=env) as gate:
        gate.until("dependency.waiting")

        def ask() -> None:
            answers.append(gate.ask("/startupz?hold=20s").status)
            gate.signal(signal.SIGKILL)

        asking = Thread(target=ask)
        asking.start()
        with listening(port):
            asking.join(PATIENCE)
        killed = gate.end()
    with GateProcess("serve", env=env) as gate:
        gate.event("gate.restored")
        after = gate.ask("/startupz").status

    assert (answers, killed, after) == ([200], -signal.SIGKILL, 200)


def test_a_full_disk_is_told_and_gate_opens_and_stays_whole(tmp_path: Path) -> None:
    port, path = free_port(), tmp_path / "opened"
    env = waiting_for(port, GATE_STATE_FILE=str(path), **UNMEASURED)
    with GateProcess("serve", env=env) as gate:
        gate.until("dependency.waiting")
        resource.prlimit(gate.pid, resource.RLIMIT_FSIZE, (0, 0))
        with listening(port):
            gate.event("state_file.unwritable")
            gate.event("gate.not_shrunk")
        status = gate.ask("/startupz").status
        gate.signal(signal.SIGTERM)

        assert (status, gate.end(), path.exists()) == (200, 0, False)


def test_without_a_descriptor_to_be_had_it_stays_whole_and_answers() -> None:
    env = waiting_for(free_port(), GATE_TIMEOUT="1s", GATE_ON_TIMEOUT="open")
    with GateProcess("serve", env=env) as gate:
        gate.until("dependency.waiting")
        before = resource.prlimit(gate.pid, resource.RLIMIT_NOFILE)
        # As many as the streams are: every other that is opened has a higher number.
        resource.prlimit(gate.pid, resource.RLIMIT_NOFILE, (3, before[1]))
        told = gate.event("gate.not_shrunk")
        resource.prlimit(gate.pid, resource.RLIMIT_NOFILE, before)
        status = gate.ask("/startupz").status
        gate.signal(signal.SIGTERM)

        assert (told["reason"], status, gate.end()) == ("too many open files", 200, 0)


def test_stray_signals_to_pid_1_change_nothing() -> None:
    port = free_port()
    # What measures coverage takes a lock at times, for which a signal's handler would wait in vain.
    with as_pid_1(10.0, f"db tcp://127.0.0.1:{port}", **UNMEASURED) as (gate, pid):
        with listening(port):
            end = time.monotonic() + PATIENCE
            while not is_small(pid):
                assert time.monotonic() < end
                for number in STRAY:
                    os.kill(pid, number)
        for number in STRAY:
            os.kill(pid, number)

        assert gate.ask("/startupz").status == 200


def test_all_three_streams_closed_no_line_of_the_log_goes_to_a_client() -> None:
    port = free_port()
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    with listening(port):
        gate = Quiet(1, waiting_for(port), program=closed)
        try:
            gate.until_asked("/livez")
            until_small(gate)
            links = [str(Path(f"/proc/{gate.pid}/fd/{number}").readlink()) for number in range(3)]
        finally:
            code = gate.leave()

    assert (links, code) == (["/dev/null"] * 3, 0)
