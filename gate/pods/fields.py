"""Reading a mapping field by field: what has the wrong type is noted, and taken for absent."""

from __future__ import annotations

import re
from typing import TypeVar

from gate.pods.hit import Hit
from gate.pods.nodes import Map, Seq

T = TypeVar("T")
_OPEN = re.compile(r"\$\{?[\w.]+\}?|<[^<>]+>|%[sdv]|\{\{.*\}\}")
"""A text that something else is put in for."""
_NAMES: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    Map: "a mapping",
    Seq: "a list",
}


class Fields:
    """A mapping of a manifest, and the list that its wrong types are noted in."""

    def __init__(self, raw: Map, notes: list[Hit]) -> None:
        self.raw = raw
        self.notes = notes

    @property
    def line(self) -> int:
        """Where the mapping begins."""
        return self.raw.line

    def line_of(self, key: str) -> int:
        """Return the line of *key*, that of the mapping where it is not given."""
        return self.raw.lines.get(key, self.raw.line)

    def has(self, key: str) -> bool:
        """Whether *key* is given, with more than null."""
        return self.raw.get(key) is not None

    def text(self, key: str, default: str = "") -> str:
        """Return the text *key*."""
        value = self._typed(key, str)
        return default if value is None else value

    def number(self, key: str, default: int | None = None) -> int | None:
        """Return the whole number *key*."""
        value = self._typed(key, int)
        return default if value is None else value

    def count(self, key: str, default: int) -> int:
        """Return the number *key*; 0 is as good as none, as for the API server."""
        return self.number(key) or default

    def flag(self, key: str, *, default: bool) -> bool:
        """Return whether *key* is true."""
        value = self._typed(key, bool)
        return default if value is None else value

    def word_or_number(self, key: str) -> str | int | float | None:
        """Return *key* where it may be either: a port, a quantity."""
        value = self.raw.get(key)
        if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
            return value
        self._note(self.line_of(key), key, "a text or a number", value)
        return None

    def inner(self, key: str) -> Fields:
        """Return the mapping *key*, an empty one where it is not given."""
        value = self._typed(key, Map)
        return Fields(Map(self.line_of(key)) if value is None else value, self.notes)

    def each(self, key: str) -> list[Fields]:
        """Return the mappings of the list *key*."""
        return [Fields(item, self.notes) for item in self._items(key, Map)]

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts of the list *key*."""
        return tuple(self._items(key, str))

    def pairs(self, key: str) -> dict[str, str]:
        """Return the texts of the mapping *key*, as of labels."""
        inner = self.inner(key)
        return {name: inner.text(name) for name in inner.raw}

    def _items(self, key: str, kind: type[T]) -> list[T]:
        found = self._typed(key, Seq)
        good = []
        for line, item in zip(found.lines, found, strict=True) if found is not None else ():
            if isinstance(item, kind):
                good.append(item)
            else:
                self._note(line, f"an item of {key}", _NAMES[kind], item)
        return good

    def _typed(self, key: str, kind: type[T]) -> T | None:
        value = self.raw.get(key)
        # A boolean is an int for Python alone.
        if isinstance(value, kind) and isinstance(value, bool) is (kind is bool):
            return value
        if value is not None:
            self._note(self.line_of(key), key, _NAMES[kind], value)
        return None

    def _note(self, line: int, what: str, wanted: str, found: object) -> None:
        remedy = "write it in quotes" if wanted == "a text" else f"write {wanted}"
        if _is_placeholder(found):
            remedy = "if this is a template, put the values in first"
        text = f"{what} is not {wanted}, so the API server refuses it"
        self.notes.append(Hit(line, text, remedy))


def _is_placeholder(value: object) -> bool:
    """Whether *value* is what a template has where a value will be: `{NAME}`, `${NAME}`."""
    if isinstance(value, Map):
        return len(value) == 1 and not any(value.values())
    return isinstance(value, str) and bool(_OPEN.fullmatch(value))
