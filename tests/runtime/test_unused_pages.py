"""Pages of files go back to the kernel, and nothing of what the process has is lost."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gate.runtime import c_library, unused_pages
from gate.runtime.unused_pages import give_back, unchanged

HEAD = "00400000-00452000 {rights} 00000000 fe:00 {inode}      /usr/bin/a name"
BODY = "Size: 328 kB\nRss: 12 kB\nAnonymous: {anonymous} kB\nSwap: {swap} kB\nVmFlags: rd ex mr"


@pytest.mark.parametrize(
    ("rights", "inode", "anonymous", "swap", "count"),
    [
        ("r-xp", 7, 0, 0, 2),
        ("r--p", 7, 0, 0, 2),
        ("r-xp", 7, 4, 0, 0),
        ("r-xp", 7, 0, 4, 0),
        ("rw-p", 7, 0, 0, 0),
        ("r--s", 7, 0, 0, 0),
        ("---p", 7, 0, 0, 0),
        ("r-xp", 0, 0, 0, 0),
    ],
)
def test_what_was_written_to_or_is_of_no_file_stays(
    rights: str, inode: int, anonymous: int, swap: int, count: int
) -> None:
    told = f"{HEAD}\n{BODY}\n".format(rights=rights, inode=inode, anonymous=anonymous, swap=swap)
    other = told.replace("00400000-00452000", "7f0000000000-7f0000001000")

    found = unchanged((told + other).encode().splitlines())

    both = [(0x400000, 0x52000), (0x7F0000000000, 0x1000)]
    assert found == both[:count]


WORKS_ON = """
import hashlib, json, ssl, sys
from gate.runtime.unused_pages import give_back

def resident():
    lines = open("/proc/self/smaps_rollup").read().splitlines()[1:]
    found = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return found["Rss"] - found["Anonymous"]

kept = [object() for _ in range(1000)], {str(n): n for n in range(1000)}
context = ssl.create_default_context()
before = resident()
give_back()
between = resident()
digest = hashlib.sha256(json.dumps(kept[1]).encode()).hexdigest()
assert kept[1]["999"] == 999 and ssl.create_default_context() is not context
print(before, between, digest)
"""


def test_a_process_goes_on_with_less() -> None:
    told = subprocess.check_output([sys.executable, "-c", WORKS_ON], text=True)

    before, after, digest = told.split()
    assert int(after) < int(before) * 0.7
    kept = {str(number): number for number in range(1000)}
    assert digest == hashlib.sha256(json.dumps(kept).encode()).hexdigest()


def test_where_the_kernel_does_not_tell_nothing_happens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(unused_pages, "_SMAPS", str(tmp_path / "none"))

    give_back()


def test_where_the_kernel_refuses_it_stops_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refused(name: str, *_: int | bytes) -> int:
        asked.append(name)
        raise OSError

    monkeypatch.setattr(c_library, "call", refused)

    give_back()

    assert asked == ["madvise"]
