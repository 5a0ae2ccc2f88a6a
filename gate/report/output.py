"""Writing to stdout and stderr, which may be full, closed, or read by nobody."""

from __future__ import annotations

import sys


def print_output(text: str) -> int:
    """Write *text* to stdout, at once; return 0, or the exit code 1 if it cannot be written.

    The reason goes to stderr, unless the reader has just gone away: it has read enough.
    """
    if not text:
        return 0
    if sys.stdout is None:
        print_error("gate: the output cannot be written: stdout is closed")
        return 1
    try:
        sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        return 1
    except OSError as exc:
        print_error(f"gate: the output cannot be written: {(exc.strerror or str(exc)).lower()}")
        return 1
    return 0


def print_error(text: str) -> None:
    """Write *text* as a line to stderr. If that fails there is nobody to tell."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except OSError:
        return
