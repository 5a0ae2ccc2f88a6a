"""Makes a change in the text of a YAML document, line by line: all other lines stay as they are.

It knows block style alone. Where it cannot tell how a part is written it gives up (`CannotSplice`),
and the document is written anew by a YAML library instead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.pods.editing.changes import at
from gate.pods.editing.emitter import emit
from gate.pods.nodes import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.pods.editing.changes import Change, KeyEdit, ListEdit

    Patch = tuple[int, int, list[str]]
    """First line, the line behind the last, and what stands there instead; counted from 0."""

_INDENT = re.compile(r"[ ]*(?:- +)*")


class CannotSplice(Exception):  # noqa: N818 -- it is a way out, not an error
    """The text is not written in a way that can be changed line by line."""


def splice(text: str, document: object, made: Sequence[Change], offset: int) -> str:
    """Return *text*, read as *document*, with all changes *made*.

    *offset* lines of the file stand above it.
    """
    lines = text.split("\n")
    page = _Page(lines, offset)
    patches = [patch for change in made for patch in _patches(page, document, change)]
    for first, end, written in sorted(patches, key=lambda patch: patch[:2], reverse=True):
        lines[first:end] = written
    return "\n".join(lines)


def _patches(page: _Page, document: object, change: Change) -> Iterator[Patch]:
    template = at(document, change.path)
    spec = template["spec"]
    if not isinstance(spec, Map):
        raise CannotSplice
    for each in change.keys:
        yield _key(page, at(template, each.path), each)
    for edit in change.lists:
        yield from _list(page, spec, edit)
    if change.annotation:
        yield from _annotation(page, template, change.annotation, change.value)


class _Page:
    """The lines of a document, and where what is written on them begins and ends."""

    def __init__(self, lines: list[str], offset: int) -> None:
        self.lines = lines
        self._above = offset + 1

    def line_of(self, owner: Map, key: str) -> int:
        """Return the line of *key*, counted from 0; raises `CannotSplice` if it is not its own."""
        number = owner.lines[key] - self._above
        own = _INDENT.sub("", self.lines[number], count=1)
        if not re.match(rf"(['\"]?){re.escape(key)}\1\s*:(\s|$)", own):
            raise CannotSplice
        return number

    def column_of(self, number: int) -> int:
        """Return the column in which what is written on the line begins, behind its dashes."""
        found = _INDENT.match(self.lines[number])
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


def _key(page: _Page, owner: Map, edit: KeyEdit) -> Patch:
    """Return the key with its value, where it stands or behind the last one."""
    if edit.key not in owner:
        return _behind_first(page, owner, {edit.key: edit.value})
    number = page.line_of(owner, edit.key)
    comment = page.lines[number].partition(" #")
    if isinstance(owner[edit.key], Map | Seq) or not page.rest_of(number).isalnum():
        raise CannotSplice
    (written,) = _written(page.column_of(number), {edit.key: edit.value})
    head = page.lines[number][: page.column_of(number)] + written.lstrip(" ")
    return number, number + 1, ["".join((head, *comment[1:])).rstrip()]


def _list(page: _Page, spec: Map, edit: ListEdit) -> Iterator[Patch]:
    if edit.is_empty:
        return
    items = spec.get(edit.key)
    if isinstance(items, Seq) and items:
        yield from _items(page, spec, items, edit)
    elif edit.key in spec:
        number = page.line_of(spec, edit.key)
        if page.rest_of(number) not in ("", "[]", "null", "~"):
            raise CannotSplice
        yield number, number + 1, _written(page.column_of(number), {edit.key: list(edit.added)})
    else:
        yield _new_key(page, spec, edit)


def _new_key(page: _Page, spec: Map, edit: ListEdit) -> Patch:
    """Return the list, in front of the containers, or behind them."""
    number = page.line_of(spec, "containers")
    column = page.column_of(number)
    written = _written(column, {edit.key: list(edit.added)})
    is_first = _INDENT.match(page.lines[number]) and "-" in page.lines[number][:column]
    if edit.key == "initContainers" and not is_first:
        start = page.start_of(number, column)
        return start, start, written
    end = page.end_of(number, column, has_items=True)
    return end, end, written


def _items(page: _Page, spec: Map, items: Seq, edit: ListEdit) -> Iterator[Patch]:
    number = page.line_of(spec, edit.key)
    if page.rest_of(number):
        raise CannotSplice  # in flow style, or an anchor
    column = page.column_of(number)
    end = page.end_of(number, column, has_items=True)
    starts = [_start_of_item(page, line) for line in _lines(page, items)]
    names = [item.get("name") if isinstance(item, Map) else None for item in items]
    dash = len(page.lines[starts[0][1]]) - len(page.lines[starts[0][1]].lstrip(" "))
    if edit.removed.issuperset(map(str, names)) and not edit.added:
        yield page.start_of(number, column), end, []
        return
    for index, name in enumerate(names):
        if name in edit.removed:
            last = starts[index + 1][0] if index + 1 < len(names) else end
            yield starts[index][0], last, []
    if edit.added:
        place = starts[names.index(edit.before)][0] if edit.before else end
        yield place, place, _written(dash, list(edit.added))


def _lines(page: _Page, items: Seq) -> list[int]:
    return [line - page._above for line in items.lines]  # noqa: SLF001 -- of this module


def _start_of_item(page: _Page, number: int) -> tuple[int, int]:
    """Return the line on which the item's comments begin, and that of its dash."""
    text = page.lines[number]
    dash = len(text) - len(text.lstrip(" "))
    if text[dash : dash + 2] != "- ":
        raise CannotSplice
    return page.start_of(number, dash), number


def _annotation(page: _Page, template: Map, name: str, value: str | None) -> Iterator[Patch]:
    metadata = template.get("metadata")
    if value is None:
        yield _without(page, template, name)
    elif isinstance(metadata, Map) and metadata:
        annotations = metadata.get("annotations")
        if isinstance(annotations, Map) and annotations:
            yield _behind_first(page, annotations, {name: value})
        elif "annotations" in metadata:
            raise CannotSplice
        else:
            yield _behind_first(page, metadata, {"annotations": {name: value}})
    else:
        yield _new_metadata(page, template, {"metadata": {"annotations": {name: value}}})


def _without(page: _Page, template: Map, name: str) -> Patch:
    """Return the lines of the annotation, and of what is empty without it."""
    owner, key, inner = template, "metadata", template.get("metadata")
    for deeper in ("annotations", name):
        if not isinstance(inner, Map):
            raise CannotSplice
        if len(inner) > 1:
            owner, key = inner, deeper
        inner = inner.get(deeper)
    number = page.line_of(owner, key)
    return number, page.end_of(number, page.column_of(number)), []


def _new_metadata(page: _Page, template: Map, made: dict[str, object]) -> Patch:
    if "metadata" in template:
        number = page.line_of(template, "metadata")
        if page.rest_of(number) not in ("", "{}", "null", "~"):
            raise CannotSplice
        return number, number + 1, _written(page.column_of(number), made)
    number = page.line_of(template, "spec")
    column = page.column_of(number)
    if "-" in page.lines[number][:column]:
        raise CannotSplice
    start = page.start_of(number, column)
    return start, start, _written(column, made)


def _behind_first(page: _Page, owner: Map, made: dict[str, object]) -> Patch:
    """Return *made* behind the last key of *owner*."""
    key = max(owner, key=lambda each: owner.lines[each])
    number = page.line_of(owner, key)
    column = page.column_of(number)
    end = page.end_of(number, column, has_items=isinstance(owner[key], Seq))
    return end, end, _written(column, made)


def _written(column: int, value: object) -> list[str]:
    """Return *value* as lines that begin in *column*."""
    return [f"{' ' * column}{line}" for line in emit(value).splitlines()]
