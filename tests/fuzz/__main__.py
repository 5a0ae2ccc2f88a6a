"""Fuzz one target with atheris: `python -m tests.fuzz TARGET [OPTION OF LIBFUZZER…]`.

Without a target it prints all there are, one a line. `make fuzz` runs them all.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # `make fuzz` installs it

with atheris.instrument_imports(include=["gate"]):
    from tests.fuzz.targets import TARGETS, use_all

    use_all()

CORPUS = Path(__file__).with_name("corpus")


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer's options say that it is enough, or a fault is found."""
    if not arguments:
        sys.stdout.write("\n".join(TARGETS))
        return
    name, *options = arguments
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    atheris.Setup([sys.argv[0], str(folder), *options], lambda data: TARGETS[name](bytes(data)))
    atheris.Fuzz()


main(sys.argv[1:])
