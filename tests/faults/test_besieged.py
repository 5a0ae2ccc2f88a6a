"""A gate whose dependencies are all hostile, within the memory that its pod has for it."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import cycle
from pathlib import Path

from tests.faults.hostile import PATTERNS, hostile
from tests.faults.test_byte_patterns import line_of
from tests.faults.test_process import PROMPT, until_ended
from tests.process import UNMEASURED, GateProcess

GROWN = 16 * 1024
"""KiB that it may take beyond those it has at the start, for all of them together."""
SPACE = 64 * 1024 * 1024
"""Bytes of addresses that it may take beyond those it has at the start."""
CPU = 0.1
"""Seconds that an attempt may take of a CPU."""
NAMES = ["http", "redis", "postgresql", "kafka", "mongodb", "http (http2)", "amqp", "mysql"]
"""Checks of every kind, with drivers and without."""


@contextmanager
def peers(patterns: list[str]) -> Iterator[list[int]]:
    """Yield the ports of peers of these *patterns*."""
    ports: list[int] = []
    are_up, are_over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for pattern in patterns:
                peer = await stack.enter_async_context(hostile(PATTERNS[pattern]))
                ports.append(peer.port)
            loops.append(asyncio.get_running_loop())
            are_up.set()
            await are_over.wait()

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    are_up.wait()
    try:
        yield ports
    finally:
        loops[0].call_soon_threadsafe(are_over.set)
        thread.join()


def attempts(gate: GateProcess) -> list[int]:
    """Return how many attempts each dependency has had."""
    found = json.loads(gate.ask("/status").body)
    return [each["attempts"] for each in found["dependencies"]]


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that *pid* has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int, field: str) -> int:
    """Return what *pid* takes of memory, in KiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (each for each in lines if each.startswith(f"{field}:"))
    return int(line.split()[1])


def lines_for(ports: list[int]) -> Iterator[str]:
    """Yield a dependency for each peer, the checks in turn."""
    for port, name in zip(ports, cycle(NAMES)):
        yield f"peer-{port} {line_of(name, port)} successes=1000"


def other_faults(folder: Path, port: int) -> Iterator[str]:
    """Yield dependencies that hang without a peer; nobody answers at the UDP *port*."""
    os.mkfifo(folder / "fifo")
    yield "black-hole tcp://192.0.2.1:80"
    yield f"no-names dns://db.example.com server=127.0.0.1:{port} type=A"
    yield f"fifo file://{folder}/fifo contains=x"
    yield "command exec:'sleep 3600'"
    yield "flood exec:yes"


def test_a_gate_among_enemies_lives_within_its_limits_and_ends_at_once(tmp_path: Path) -> None:
    with peers(list(PATTERNS)) as ports, socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        lines = [*lines_for(ports), *other_faults(tmp_path, silent.getsockname()[1])]
        env = {"GATE_DEPENDENCIES": "\n".join(lines), "GATE_CHECK_TIMEOUT": "500ms", **UNMEASURED}
        with GateProcess("serve", env=env) as gate:
            gate.until("gate.started")
            size, before = memory_of(gate.pid, "VmSize") * 1024, cpu_of(gate.pid)
            grown = -memory_of(gate.pid, "VmHWM")
            resource.prlimit(gate.pid, resource.RLIMIT_AS, (size + SPACE, size + SPACE))
            while min(made := attempts(gate)) < 1:
                time.sleep(0.1)
            used = cpu_of(gate.pid) - before
            grown += memory_of(gate.pid, "VmHWM")
            verdict = gate.ask("/startupz").status
            took = until_ended(gate)
            code = gate.end()

    assert (verdict, code) == (503, 0)
    assert grown < GROWN
    assert used / sum(made) < CPU
    assert took < PROMPT
