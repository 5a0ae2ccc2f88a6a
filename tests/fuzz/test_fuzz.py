"""A little fuzzing each time: what is kept in `corpus`, and a hundred variations of it.

`make fuzz` has the patience for more, and keeps there what leads it to new places.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.fuzz.targets import TARGETS, connect_to_nothing

CORPUS = Path(__file__).with_name("corpus")
VARIATIONS = 100
LONGEST = 1000
"""Bytes of what is varied: longer ones cost time, and are read once as they are."""


def kept(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]


def varied(random: Random, known: list[bytes]) -> bytes:
    """Return one of *known*, with a few bytes changed, doubled, left out, or of another."""
    data = bytearray(random.choice(known)[:LONGEST])
    for _ in range(random.randint(1, 4)):
        start, end = sorted(random.randint(0, len(data)) for _ in range(2))
        piece = random.choice(
            [
                *(b"", bytes(data[start:end]) * 2, random.randbytes(end - start)),
                *(b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", random.choice(known)[start:end]),
            ]
        )
        data[start:end] = piece
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_others_write_is_no_fault_of_gate(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_to_nothing(monkeypatch.setattr)
    known, random = kept(name), Random(name)

    for data in known:
        TARGETS[name](data)
    for _ in range(VARIATIONS):
        TARGETS[name](varied(random, known))
