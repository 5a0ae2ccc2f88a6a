"""The lines of a YAML document in block style: where what is written on them begins and ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.pods.editing.emitter import emit

if TYPE_CHECKING:
    from gate.pods.nodes import Map, Seq

INDENT = re.compile(r"[ ]*(?:- +)*")


class CannotSplice(Exception):  # noqa: N818 -- it is a way out, not an error
    """The text is not written in a way that can be changed line by line."""


class Page:
    """The lines of a document, and where what is written on them begins and ends."""

    def __init__(self, lines: list[str], offset: int) -> None:
        self.lines = lines
        self._above = offset + 1

    def line_of(self, owner: Map, key: str) -> int:
        """Return the line of *key*, counted from 0; raises `CannotSplice` if it is not its own."""
        number = owner.lines[key] - self._above
        own = INDENT.sub("", self.lines[number], count=1)
        if not re.match(rf"(['\"]?){re.escape(key)}\1\s*:(\s|$)", own):
            raise CannotSplice
        return number

    def column_of(self, number: int) -> int:
        """Return the column in which what is written on the line begins, behind its dashes."""
        found = INDENT.match(self.lines[number])
        return len(found[0]) if found else 0

    def end_of(self, number: int, column: int, *, has_items: bool = False) -> int:
        """Return the line behind the block that begins on *number*, a key in *column*.

        Comments and empty lines at its end belong to what follows.
        """
        end = last = number + 1
        while end < len(self.lines):
            bare = self.lines[end].lstrip(" ")
            indent = len(self.lines[end]) - len(bare)
            is_inside = indent > column or (has_items and indent == column and bare[:1] == "-")
            if bare and not is_inside and not bare.startswith("#"):
                break
            end += 1
            if bare and not bare.startswith("#"):
                last = end
        return last

    def start_of(self, number: int, column: int) -> int:
        """Return the line on which the comments directly above *number* begin."""
        while number and self.lines[number - 1].startswith(" " * column + "#"):
            number -= 1
        return number

    def rest_of(self, number: int) -> str:
        """Return what stands behind the key on its line, without a comment."""
        return self.lines[number].partition(":")[2].partition(" #")[0].strip()

    def starts_of(self, items: Seq) -> list[tuple[int, int]]:
        """Return of each item the line on which its comments begin, and that of its dash."""
        return [self._start_of_item(line - self._above) for line in items.lines]

    def _start_of_item(self, number: int) -> tuple[int, int]:
        text = self.lines[number]
        dash = indent_of(text)
        if text[dash : dash + 2] != "- ":
            raise CannotSplice
        return self.start_of(number, dash), number


def indent_of(text: str) -> int:
    """Return the column in which *text* begins."""
    return len(text) - len(text.lstrip(" "))


def lines_of(column: int, value: object) -> list[str]:
    """Return *value* as lines that begin in *column*."""
    return [f"{' ' * column}{line}" for line in emit(value).splitlines()]
