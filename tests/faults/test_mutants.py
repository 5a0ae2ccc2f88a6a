"""`make mutants` tells what no test notices, and MUTATION.md speaks of what there is."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.mutants.changes import mutants
from tests.faults.mutants.forks import LIVES, NOTICED, PATIENCE, forked
from tests.faults.mutants.table import TABLE, Row, rows

ROOT = Path(__file__).parents[2]
TINY = '''\
"""A module."""

LIMIT = 3
UNUSED = "text"
READ = 7


def is_many(number: int) -> bool:
    """Whether *number* is many."""
    return number > LIMIT


def never() -> int:
    return 1
'''
TESTS = """\
from gate.tiny import READ, is_many


def test_read():
    assert READ == 7


def test_few():
    assert not is_many(3)


def test_many():
    assert is_many(5)
"""
TOLD = """\
gate/tiny.py:3: LIMIT = 3 → LIMIT = 4
gate/tiny.py:4: UNUSED = 'text' → UNUSED = ''
gate/tiny.py:14: return 1 → return None  (no test comes by)
gate/tiny.py:14: return 1 → return 2  (no test comes by)
gate/tiny.py:14: return 1 → return 0  (no test comes by)
| `tiny.py` | 11 | 6 | 5 |
"""


def test_what_no_test_notices_is_told(tmp_path: Path) -> None:
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate/__init__.py").touch()
    (tmp_path / "gate/tiny.py").write_text(TINY)
    (tmp_path / "test_tiny.py").write_text(TESTS)

    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.mutants", "--here", "tiny.py", "--", "test_tiny.py"],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stdout.endswith(TOLD), done
    assert done.returncode == 1
    assert (tmp_path / "gate/tiny.py").read_text() == TINY


ALTERNATIVES = {
    "if a < b and c: pass": "a < b or c; c; a < b; a <= b and c; a >= b and c",
    "if a or not b: pass": "a and (not b); not b; a; a or b",
    "if a: pass": "not a",
    "x = y + 1": "x = y - 1; x = y + 2; x = y + 0",
    "self.x = None": "pass; self.x = 0",
    "x += True": "x -= True; pass; x += False",
    "def f(x: int = 3) -> 'int': 'text'": "x: int=4; x: int=2",
    "def f():\n    return a is None": "return None; return a is not None",
    "def f():\n    return": "pass",
    "f(min(a), b='c')": "pass; f(min(a)); f(max(a), b='c'); f(min(a), b='')",
    "raise E(b'x')": "pass; raise E(b'')",
    "from a import b\nif TYPE_CHECKING:\n    x = 1": "",
    "class A(Protocol):\n    x = 1": "",
    "__all__ = ['x']": "",
}


@pytest.mark.parametrize(("text", "expected"), ALTERNATIVES.items())
def test_every_place_is_changed_and_no_other(text: str, expected: str) -> None:
    assert "; ".join(each.after for each in mutants(ast.parse(text))) == expected


def test_a_mutant_that_hangs_spins_or_dies_is_noticed() -> None:
    def hang() -> int:
        time.sleep(60)
        return LIVES

    def spin() -> int:
        while True:
            pass

    def die() -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return LIVES

    found = [forked(each, patience=0.1) for each in (hang, spin, die)]

    assert found == [NOTICED, NOTICED, NOTICED]
    assert forked(lambda: LIVES, patience=PATIENCE) == LIVES


def test_the_table_can_be_read() -> None:
    text = (
        "| module | change | why |\n|---|---|---|\n| `a.py` | `x \\| y → x`<br>`N = → any` | so |"
    )

    assert rows(text) == [Row("a.py", "x | y", "x"), Row("a.py", "N =", "any")]


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="others write f-strings differently")
def test_every_change_that_the_table_explains_can_still_be_made() -> None:
    """If this fails for a line that you have changed: change its row, or take it out."""
    told = rows(TABLE.read_text())
    made = {
        module: mutants(ast.parse((ROOT / "gate" / module).read_text()))
        for module in {row.module for row in told}
    }

    assert [
        str(row)
        for row in told
        if not any(row.explains(row.module, mutant) for mutant in made[row.module])
    ] == []
