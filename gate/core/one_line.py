"""Text of others on one short line: a server's answer may hold line breaks and escape sequences."""

from __future__ import annotations


def one_line(text: str, longest: int) -> str:
    """Return *text* as one line of at most *longest* characters, each of them printable."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
