"""gate as PID 1 of a namespace, as in a container: it inherits whatever loses its parent there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import free_port, needs
from tests.process import PATIENCE, GateProcess, listening
from tests.serve.test_handover import is_small

PROGRAM = """
import sys
from gate.runtime import orphans
orphans.GRACE = {grace}
from gate.__main__ import run
run()
"""


@contextmanager
def as_pid_1(grace: float, dependencies: str, **settings: str) -> Iterator[tuple[GateProcess, int]]:
    """Yield a gate, and the number that its process has outside."""
    unshare = [needs("unshare", "util-linux"), "--user", "--map-root-user", "--pid", "--mount-proc"]
    program = [
        *unshare,
        "--fork",
        "--kill-child",
        sys.executable,
        "-c",
        PROGRAM.format(grace=grace),
    ]
    env = {"GATE_DEPENDENCIES": dependencies, **settings}
    with GateProcess("serve", env=env, program=program) as gate:
        gate.until("gate.started")
        (pid,) = children(gate.pid)
        try:
            yield gate, pid
        finally:
            subprocess.run(["kill", str(pid)], check=True)
            assert gate.end() == 0


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def leave_an_orphan_to(pid: int) -> None:
    """Have a process end that PID 1 has inherited."""
    enter = [needs("nsenter", "util-linux"), "--target", str(pid), "--user", "--pid", "--preserve"]
    subprocess.run([*enter, "sh", "-c", "sleep 0.1 &"], check=True)
    until(lambda: "Z" in states(pid))


def states(pid: int) -> list[str]:
    """Return the states of the orphans that are children of *pid*."""
    stats = [Path(f"/proc/{child}/stat") for child in children(pid)]
    return [text.split(") ")[1][0] for text in map(read, stats) if "(sleep)" in text]


def read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_orphans_are_reaped_and_a_check_still_gets_its_exit_code() -> None:
    line = "command exec:false interval=50ms"
    with as_pid_1(0.05, line) as (gate, pid):
        for _ in range(2):
            leave_an_orphan_to(pid)
            until(lambda: not states(pid))
        status = gate.ask("/status").body

    assert '"reason": "exit code 1"' in status
    assert "went to another process" not in "".join(gate.lines)


@pytest.mark.parametrize("command", ["", "\ncommand 'exec:sleep 60' optional deadline=1ms"])
def test_orphans_that_ended_before_the_change_are_reaped_after_it(command: str) -> None:
    """With a command that is ended by the opening, too."""
    port = free_port()
    with as_pid_1(3600, f"db tcp://127.0.0.1:{port}{command}") as (_, pid):
        leave_an_orphan_to(pid)
        with listening(port):
            until(lambda: is_small(pid))
        until(lambda: not children(pid))
