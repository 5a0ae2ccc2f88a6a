"""`make soak`: a gate that waits and one that is open, scraped and flapped at for ten minutes.

Memory, descriptors and threads are read from `/proc` all the time. They must be at the end what
they were when everything had run once.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import free_port
from tests.process import PATIENCE, GateProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

PATHS = ("/startupz", "/readyz", "/status", "/metrics", "/", "/nothing", "/startupz?hold=100ms")
WARM = 10
"""Rounds before anything is compared."""
GROWTH = 0.03
"""Of resident memory, between the first and the last third: what allocators do by themselves."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process has at one moment."""

    resident: int
    """In KiB."""
    descriptors: int
    threads: int


def sample(process: int) -> Sample:
    """Read what *process* has."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in status if ":" in line)
    return Sample(
        resident=int(found["VmRSS"].split()[0]),
        descriptors=len(os.listdir(f"/proc/{process}/fd")),  # noqa: PTH208 -- a list of names
        threads=int(found["Threads"]),
    )


def environment(port: int, *, is_held: bool) -> dict[str, str]:
    """Return the dependencies: one that flaps, and one that never comes if the gate is held."""
    flapping = f"flap tcp://127.0.0.1:{port} interval=100ms monitor"
    never = f"never tcp://127.0.0.1:{free_port()}"
    lines = [flapping, never] if is_held else [flapping]
    return {"GATE_DEPENDENCIES": "\n".join(lines), "GATE_LOG_LEVEL": "error"}


def soak(seconds: float) -> dict[str, list[Sample]]:
    """Return the samples of both gates, taken once a round."""
    port, end = free_port(), time.monotonic() + seconds
    found: dict[str, list[Sample]] = {"held": [], "open": []}
    with (
        GateProcess("serve", env=environment(port, is_held=True)) as held,
        GateProcess("serve", env=environment(port, is_held=False)) as opened,
    ):
        for gate in (held, opened):
            _await_listening(gate)
        rounds = 0
        while time.monotonic() < end or rounds < WARM * 2:
            with socket.create_server(("127.0.0.1", port), backlog=64):
                _scrape(held, opened)
            _scrape(held, opened)
            found["held"].append(sample(held.pid))
            found["open"].append(sample(opened.pid))
            rounds += 1
        held.signal(signal.SIGTERM)
        opened.signal(signal.SIGTERM)
        assert (held.end(), opened.end()) == (0, 0)
    return {name: samples[WARM:] for name, samples in found.items()}


def _await_listening(gate: GateProcess) -> None:
    """Return when *gate* answers: its log, which would say so, is as good as off."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            gate.ask("/livez")
        except ConnectionRefusedError:
            assert time.monotonic() < end, "gate does not listen"
            time.sleep(0.02)
        else:
            return


def _scrape(*gates: GateProcess) -> None:
    for gate in gates:
        for path in PATHS:
            gate.ask(path)


def leaks(samples: Sequence[Sample]) -> list[str]:
    """Return what has grown between the first third of *samples* and the last."""
    third = max(1, len(samples) // 3)
    first, last = samples[:third], samples[-third:]
    told = []
    for what in ("descriptors", "threads"):
        before, after = (max(getattr(each, what) for each in part) for part in (first, last))
        if after > before:
            told.append(f"{what}: {before}, then {after}")
    before, after = (statistics.median(each.resident for each in part) for part in (first, last))
    if after > before * (1 + GROWTH):
        told.append(f"resident: {before:.0f} KiB, then {after:.0f} KiB")
    return told


def main() -> int:
    """Soak for the seconds of the first argument, 600 by default; return the exit code."""
    code = 0
    for name, samples in soak(float(sys.argv[1]) if len(sys.argv) > 1 else 600).items():
        first, last = samples[0], samples[-1]
        sys.stdout.write(f"{name}: {len(samples)} rounds, {first} to {last}\n")
        for told in leaks(samples):
            sys.stdout.write(f"{name} grows: {told}\n")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
