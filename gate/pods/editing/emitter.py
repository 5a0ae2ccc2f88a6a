"""Writes YAML: mappings, lists, texts, numbers and comments.

It is written by hand because PyYAML is an extra and writes no comments. A text that YAML could read
as something else is quoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./-_:@ ")
_NO_TEXTS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_SHORT = 60
"""Longest mapping or list that is written on one line, in characters."""


@dataclass(frozen=True, slots=True)
class Commented:
    """A value, and the lines of comment above it."""

    value: object
    notes: tuple[str, ...]


def emit(value: object) -> str:
    """Return *value* as a YAML document."""
    return "".join(f"{line}\n" for line in _block(value))


def _block(value: object) -> Iterator[str]:
    match value:
        case Commented():
            yield from (f"# {_clean(note)}" for note in value.notes)
            yield from _block(value.value)
        case dict():
            for key, item in value.items():
                yield from _pair(key, item)
        case list():
            for item in value:
                yield from _item(item)
        case _:
            yield _flow(value)


def _pair(key: str, value: object) -> Iterator[str]:
    if isinstance(value, Commented):
        yield from (f"# {_clean(note)}" for note in value.notes)
        yield from _pair(key, value.value)
    elif isinstance(value, str) and _is_block(value):
        yield f"{key}: |"
        yield from (f"  {line}" for line in value.splitlines())
    elif _is_flat(value) and len(line := f"{key}: {_flow(value)}") <= _SHORT:
        yield line
    elif isinstance(value, dict | list):
        yield f"{key}:"
        yield from (f"  {line}" for line in _block(value))
    else:
        yield f"{key}: {_flow(value)}"


def _item(value: object) -> Iterator[str]:
    if isinstance(value, Commented):
        yield from (f"# {_clean(note)}" for note in value.notes)
        value = value.value
    for number, line in enumerate(_block(value)):
        yield f"{'  ' if number else '- '}{line}"


def _is_flat(value: object) -> bool:
    """Whether *value* is a mapping or a list of single words only."""
    if isinstance(value, dict):
        return all(isinstance(item, str | int) or _is_words(item) for item in value.values())
    return _is_words(value)


def _is_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _flow(value: object) -> str:
    match value:
        case dict():
            pairs = (f"{key}: {_flow(item)}" for key, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        case list():
            return "[" + ", ".join(_flow(item) for item in value) + "]"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            return _text(str(value))


def _text(value: str) -> str:
    if _is_quantity(value) or _is_plain(value):
        return value
    return '"' + "".join(_escaped(char) for char in value) + '"'


def _is_quantity(value: str) -> bool:
    """Whether *value* is a number with a unit: `10m`, `96Mi`, `1h30m`; never `1e3` or `0x1d`."""
    return value.isascii() and value.isalnum() and value[0].isdigit() and value[-1] in "smhi"


def _is_plain(value: str) -> bool:
    begins = value[:1].isalpha() or value[:1] == "/"
    is_safe = begins and value[-1:].isalnum() and _PLAIN.issuperset(value)
    return is_safe and ": " not in value and value.lower() not in _NO_TEXTS


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def _is_block(value: str) -> bool:
    """Whether *value* is a text of whole lines that a literal block can hold."""
    *lines, rest = value.split("\n")
    is_plain = all(line.strip() and line.isprintable() and line == line.rstrip() for line in lines)
    # The first line says how far the block is indented.
    return bool(lines) and not rest and is_plain and not lines[0].startswith(" ")


def _clean(note: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in note)
