"""From files to files that have been changed: all of them, or none."""

from __future__ import annotations

import difflib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gate.core.errors import UsageError
from gate.pods import nodes
from gate.pods.editing import documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gate.pods.editing.changes import Change
    from gate.pods.editing.documents import Piece

    File = tuple[str, str, str]
    """Name, text before and text after."""


def read(inputs: Sequence[tuple[str, str]]) -> list[list[Piece]]:
    """Return the pieces of each file; raises `UsageError` where one cannot be read."""
    pieces = [list(documents.read(name, text.replace("\r\n", "\n"))) for name, text in inputs]
    faults = [(each.file, fault) for own in pieces for each in own if (fault := each.read.fault)]
    if faults:
        lines = [f"{file}:{fault.line}: {fault}" for file, fault in faults]
        raise UsageError("\n  ".join(["nothing is written, as something cannot be read:", *lines]))
    return pieces


def make(piece: Piece, made: Sequence[Change]) -> None:
    """Make all changes of *piece*; raises `UsageError` where that would change more."""
    try:
        piece.change(made)
    except nodes.Fault as exc:
        msg = f"{piece.file}:{exc.line}: {exc}; nothing is written"
        raise UsageError(msg) from exc


def outcome(inputs: Sequence[tuple[str, str]], pieces: Sequence[Sequence[Piece]]) -> list[File]:
    """Return what became of each file, with its own line ends."""
    files = []
    for (name, before), own in zip(inputs, pieces, strict=True):
        after = documents.joined(own)
        files.append((name, before, after.replace("\n", "\r\n") if "\r\n" in before else after))
    return files


def diff(files: Iterable[File]) -> str:
    """Return what has changed, as a unified diff."""
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for name, before, after in files
        for line in difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), name, name
        )
    )


def write(files: Iterable[File], flag: str) -> None:
    """Write the files that have changed, each whole or not at all; *flag* asked for it.

    Raises `UsageError`.
    """
    changed = [(name, after) for name, before, after in files if before != after]
    if any(name == "stdin" for name, _ in changed):
        msg = f"{flag}: standard input cannot be written; name files"
        raise UsageError(msg)
    for name, after in changed:
        try:
            _replace(Path(name), after.encode())
        except OSError as exc:
            msg = f"{name}: {(exc.strerror or str(exc)).lower()}"
            raise UsageError(msg) from exc


def _replace(path: Path, content: bytes) -> None:
    """Put *content* in the place of the file, which is whole at any moment; raises `OSError`."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as new:
        try:
            new.write(content)
            os.fchmod(new.fileno(), path.stat().st_mode)
            Path(new.name).replace(path)
        except OSError:
            Path(new.name).unlink()
            raise
