"""gate as a real process, whose log, files, checks or time are taken from it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

from tests.conftest import free_port
from tests.process import GATE, PATIENCE, UNMEASURED, Answer, GateProcess, environment, listening
from tests.serve.test_handover import until_small

PLUG_IN = """
import asyncio, ctypes, sys, time
from dataclasses import dataclass
from types import ModuleType
from gate.checks import SCHEMES

def computes():
    while True:
        pass

def waits_in_c():
    library, lock = ctypes.CDLL(None), ctypes.create_string_buffer(64)
    while True:
        library.pthread_mutex_lock(lock)

async def refuses():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

@dataclass(frozen=True)
class Blocks:
    async def __call__(self):
        print("blocking", file=sys.stderr, flush=True)
        {how}

module = sys.modules["blocks"] = ModuleType("blocks")
module.parse = lambda target: Blocks()
SCHEMES["blocks"] = "blocks"
from gate.__main__ import run
run()
"""
"""A gate with a check that does not let it end."""
PROMPT = 0.2
"""Seconds from SIGTERM to the end."""


def waiting_for(port: int, **settings: str) -> dict[str, str]:
    return {"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{port}", **settings}


@contextmanager
def full_pipe() -> Iterator[int]:
    """Yield the end that is written to; nobody reads, and no byte more goes in."""
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        os.set_blocking(writing, True)
        yield writing
    finally:
        os.close(reading)
        os.close(writing)


class Quiet(GateProcess):
    """A gate whose log goes to a descriptor."""

    def __init__(self, log: int, env: dict[str, str], program: Sequence[str] = ()) -> None:
        self.port = free_port()
        self.lines = []
        self._process = subprocess.Popen(
            [*program, *GATE, "serve"], env=environment(self.port, env), stderr=log, text=True
        )

    def until_asked(self, path: str) -> Answer:
        """Return its answer as soon as it listens."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.ask(path)
            except ConnectionRefusedError:
                assert time.monotonic() < end
                time.sleep(0.01)

    def leave(self) -> int:
        self.signal(signal.SIGTERM)
        return self._process.wait(PATIENCE)


def test_a_log_that_nobody_reads_holds_up_neither_probes_nor_the_end() -> None:
    port = free_port()
    with full_pipe() as log:
        gate = Quiet(log, waiting_for(port))
        try:
            before = gate.until_asked("/startupz").status
            with listening(port):
                held = gate.ask("/startupz?hold=20s").status
            until_small(gate)
            after = gate.ask("/startupz").status
        finally:
            code = gate.leave()

    assert (before, held, after, code) == (503, 200, 200, 0)


def blocked(how: str, command: str, **settings: str) -> tuple[float, int, list[str]]:
    """Return how long a gate that is blocked takes to end on SIGTERM, its exit code and its log."""
    program = [sys.executable, "-c", PLUG_IN.format(how=how)]
    env = {"GATE_DEPENDENCIES": "x blocks://x", **settings}
    with GateProcess(command, env=env, program=program) as gate:
        gate.until("blocking")
        took = until_ended(gate)
        return took, gate.end(), gate.lines


def until_ended(gate: GateProcess) -> float:
    """Return how long *gate* takes to end on SIGTERM, but for what it and this waited for a CPU."""
    ended, handle = select.poll(), os.pidfd_open(gate.pid)
    ended.register(handle, select.POLLIN)
    began = time.monotonic() - held_up(gate)
    gate.signal(signal.SIGTERM)
    ended.poll(PATIENCE * 1000)
    os.close(handle)
    return time.monotonic() - held_up(gate) - began


def held_up(gate: GateProcess) -> float:
    """Return the seconds for which the two have waited for a CPU: the machine may be busy."""
    return sum(
        int(Path(f"/proc/{each}/schedstat").read_text().split()[1]) / 1e9
        for each in ("thread-self", gate.pid)
    )


@pytest.mark.parametrize(
    ("how", "command", "code"),
    [
        ("time.sleep(3600)", "serve", 0),
        ("computes()", "wait", 128 + signal.SIGTERM),
        ("waits_in_c()", "serve", 0),
    ],
)
def test_a_check_that_blocks_the_loop_does_not_keep_it_from_ending(
    how: str, command: str, code: int
) -> None:
    # A busy machine makes one of them late, and not each.
    tried = (blocked(how, command, **UNMEASURED) for _ in range(3))
    took, ended, lines = next((each for each in tried if each[0] < PROMPT), (PROMPT, None, []))

    assert took < PROMPT
    assert ended == code
    assert "gate.blocked" in lines[-1]
    assert "<string>:" in lines[-1]


def test_a_check_that_refuses_to_be_cancelled_does_not_keep_it_from_ending() -> None:
    _, code, lines = blocked("await refuses()", "serve")

    assert code == 0
    assert "gate.blocked" in lines[-1]


@pytest.mark.parametrize("kind", ["fifo", "folder", "full disk"])
def test_what_cannot_be_a_termination_log_is_told_once_and_gate_goes_on(
    tmp_path: Path, kind: str
) -> None:
    path, port = tmp_path / "log", free_port()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/full")

    with GateProcess("serve", env=waiting_for(port, GATE_TERMINATION_LOG=str(path))) as gate:
        gate.event("termination_log.unwritable")
        with listening(port):
            gate.until("gate.opened")

        assert gate.ask("/startupz").status == 200
        assert "termination_log.unwritable" not in "".join(gate.lines[-2:])


def test_a_state_file_whose_folder_goes_away_is_told_and_gate_opens(tmp_path: Path) -> None:
    folder, port = tmp_path / "state", free_port()
    folder.mkdir()
    with GateProcess("serve", env=waiting_for(port, GATE_STATE_FILE=f"{folder}/opened")) as gate:
        gate.until("dependency.waiting")
        folder.rmdir()
        with listening(port):
            told = gate.event("state_file.unwritable")
            gate.until("gate.opened")

    assert told["reason"] == "no such file or directory"


@pytest.mark.parametrize("is_open", [False, True])
def test_stopped_for_a_while_it_goes_on_where_it_was(is_open: bool) -> None:  # noqa: FBT001 -- both sides of the handover
    port, answers = free_port(), []
    with GateProcess("serve", env=waiting_for(port)) as gate:
        gate.until("dependency.waiting")
        if is_open:
            with listening(port):
                until_small(gate)
        asking = Thread(target=lambda: answers.append(gate.ask("/startupz?hold=20s").status))
        gate.signal(signal.SIGSTOP)
        try:
            asking.start()
            with listening(port):
                time.sleep(0.3)
                gate.signal(signal.SIGCONT)
                asking.join(PATIENCE)
        finally:
            gate.signal(signal.SIGCONT)
        gate.signal(signal.SIGTERM)

        assert (answers, gate.end()) == ([200], 0)


def test_what_went_away_while_it_was_stopped_does_not_count_when_the_rest_has_come() -> None:
    first, second, answers = free_port(), free_port(), []
    lines = f"a tcp://127.0.0.1:{first}\nb tcp://127.0.0.1:{second}"
    env = {"GATE_DEPENDENCIES": lines, "GATE_FRESHNESS": "500ms"}
    with GateProcess("serve", env=env) as gate:
        with listening(first):
            gate.until('"dependency.ready", "dependency": "a"')
            asking = Thread(target=lambda: answers.append(gate.ask("/startupz?hold=500ms").status))
            gate.signal(signal.SIGSTOP)
            asking.start()
        with listening(second):
            # Older than the freshness is what it has seen, and over the hold, when it goes on.
            time.sleep(1)
            gate.signal(signal.SIGCONT)
            lost = gate.event("dependency.lost")
            asking.join(PATIENCE)
            meanwhile = gate.ask("/startupz").status
            with listening(first):
                gate.until("gate.opened")

    assert lost["dependency"] == "a"
    assert (answers, meanwhile) == ([503], 503)
