"""Moves main containers to the native sidecars, in the text: what is written in them stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.pods.editing.page import CannotSplice, Page, indent_of, lines_of
from gate.pods.nodes import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.pods.editing.changes import Move

    Patch = tuple[int, int, list[str]]

_EMPTY = ("", "[]", "null", "~")


def moved(page: Page, spec: Map, moves: Sequence[Move]) -> Iterator[Patch]:
    """Return what takes the containers out, and what puts them in, in this order."""
    main = spec.get("containers")
    if not moves or not isinstance(main, Seq):
        return
    number = page.line_of(spec, "containers")
    if page.rest_of(number):
        raise CannotSplice  # in flow style, or an anchor
    starts = page.starts_of(main)
    ends = [first for first, _ in starts[1:]]
    ends.append(page.end_of(number, page.column_of(number), has_items=True))
    first, last, lines = _place(page, spec)
    dash = indent_of(page.lines[_first_dash(page, spec, starts)])
    names = [item.get("name") if isinstance(item, Map) else None for item in main]
    for move in moves:
        index = names.index(move.name)
        lines += _rewritten(page, starts[index], ends[index], dash, move)
        yield starts[index][0], ends[index], []
    yield first, last, lines


def _place(page: Page, spec: Map) -> tuple[int, int, list[str]]:
    """Return the lines that the moved ones stand for, and what stands above them there."""
    items = spec.get("initContainers")
    if "initContainers" in spec:
        number = page.line_of(spec, "initContainers")
        column = page.column_of(number)
        if items:
            if page.rest_of(number):
                raise CannotSplice
            end = page.end_of(number, column, has_items=True)
            return end, end, []
        if page.rest_of(number) not in _EMPTY:
            raise CannotSplice
        head = page.lines[number][:column] + "initContainers:"
        return number, number + 1, [head]
    number = page.line_of(spec, "containers")
    column = page.column_of(number)
    start = page.start_of(number, column)
    return start, start, [f"{' ' * column}initContainers:"]


def _first_dash(page: Page, spec: Map, starts: Sequence[tuple[int, int]]) -> int:
    items = spec.get("initContainers")
    return page.starts_of(items)[0][1] if isinstance(items, Seq) and items else starts[0][1]


def _rewritten(page: Page, start: tuple[int, int], end: int, dash: int, move: Move) -> list[str]:
    """Return the lines of a container with its dash in column *dash*, and what is new in it."""
    first, number = start
    column = page.column_of(number)
    if page.lines[number][column : column + 1] in "{&*":
        raise CannotSplice
    shift = dash - indent_of(page.lines[number])
    lines = [_shifted(line, shift) for line in page.lines[first:end]]
    while not lines[-1].strip():
        lines.pop()
    return lines + lines_of(column + shift, move.added)


def _shifted(line: str, columns: int) -> str:
    if not line.strip():
        return line
    if line[: max(0, -columns)].strip():
        raise CannotSplice
    return " " * columns + line[max(0, -columns) :]
