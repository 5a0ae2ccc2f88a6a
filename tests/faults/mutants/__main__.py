"""`make mutants`, or `make mutants M="core/latch.py core/proofs.py:69"`: what no test notices.

Everything is tried in a copy of the tree. It ends with 1 if something is left that MUTATION.md does
not explain.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults.mutants.table import TABLE, Outcome, rows
from tests.faults.mutants.trying import judge

ROOT = Path(__file__).parents[3]
HERE = "--here"
"""Says that this is the copy."""
SUITES = {
    "core": ("tests/core", "tests/runtime/test_board.py", "tests/runtime/test_runner.py"),
    "runtime": ("tests/runtime",),
    "serve": ("tests/serve",),
}
"""The tests of each wing that is looked at."""
SERVE = ("answers", "connections", "endpoints", "exchange", "request_head", "responder", "server")
"""Modules of `gate/serve` that make up the endpoints."""


def modules() -> list[str]:
    """Return all that are looked at."""
    found = [
        f"{wing}/{path.name}"
        for wing in ("core", "runtime")
        for path in sorted((ROOT / "gate" / wing).glob("*.py"))
    ]
    return [*found, *(f"serve/{name}.py" for name in SERVE)]


def try_in_a_copy(names: Sequence[str], tests: Sequence[str]) -> int:
    """Have a process in a copy of the tree try *names*; return its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "gate")
        shutil.copytree(
            ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".*", "__pycache__")
        )
        command = [sys.executable, "-m", "tests.faults.mutants", HERE, *names, "--", *tests]
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        return subprocess.run(command, cwd=copy, env=environment, check=False).returncode


def try_here(names: Sequence[str], tests: Sequence[str]) -> int:
    """Try *names*, in this tree; print what is left, and the rows of the table."""
    known = rows(TABLE.read_text())
    outcomes = {module: Outcome(module) for module, _, _ in (each.partition(":") for each in names)}
    for verdict in judge(names, tests):
        told = outcomes[verdict.module].take(verdict, known)
        if told:
            sys.stdout.write(f"{told}\n")
    for outcome in outcomes.values():
        sys.stdout.write(f"{outcome.row()}\n")
    return int(any(outcome.left for outcome in outcomes.values()))


def main(arguments: Sequence[str]) -> int:
    if HERE in arguments:
        at = arguments.index("--")
        return try_here(arguments[1:at], arguments[at + 1 :])
    wanted = arguments or modules()
    wings = sorted({name.partition("/")[0] for name in wanted})
    codes = [
        try_in_a_copy([name for name in wanted if name.startswith(f"{wing}/")], SUITES[wing])
        for wing in wings
    ]
    return max(codes)


sys.exit(main(sys.argv[1:]))
