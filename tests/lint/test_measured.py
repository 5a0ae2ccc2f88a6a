"""What the limits of the rules rest on, measured."""

from __future__ import annotations

from pathlib import Path

from tests.lint.corpus import text_of
from tests.process import GateProcess

MIB = 1024


def test_a_gate_needs_more_memory_than_the_limit_that_is_found() -> None:
    """Anonymous memory: the kernel can take nothing of it back, and kills instead."""
    with GateProcess("serve", env={"GATE_DEPENDENCIES": "db tcp://127.0.0.1:1"}) as gate:
        gate.event("dependency.waiting")
        status = Path(f"/proc/{gate.pid}/status").read_text()

    (line,) = [each for each in status.splitlines() if each.startswith("RssAnon")]
    assert "limits: {memory: 24Mi}" in text_of("bad", "memory-limit")
    assert int(line.split()[1]) > 24 * MIB
