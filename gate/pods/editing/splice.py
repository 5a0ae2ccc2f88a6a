"""Makes a change in the text of a YAML document, line by line: all other lines stay as they are.

It knows block style alone. Where it cannot tell how a part is written it gives up (`CannotSplice`),
and the document is written anew by a YAML library instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.pods.editing import moving
from gate.pods.editing.changes import at
from gate.pods.editing.page import INDENT, CannotSplice, Page, indent_of, lines_of
from gate.pods.nodes import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.pods.editing.changes import Change, KeyEdit, ListEdit

    Patch = tuple[int, int, list[str]]
    """First line, the line behind the last, and what stands there instead; counted from 0."""


def splice(text: str, document: object, made: Sequence[Change], offset: int) -> str:
    """Return *text*, read as *document*, with all changes *made*.

    *offset* lines of the file stand above it.
    """
    lines = text.split("\n")
    page = Page(lines, offset)
    patches = [patch for change in made for patch in _patches(page, document, change)]
    for first, end, written in sorted(patches, key=lambda patch: patch[:2], reverse=True):
        lines[first:end] = written
    return "\n".join(lines)


def _patches(page: Page, document: object, change: Change) -> Iterator[Patch]:
    template = at(document, change.path)
    spec = template["spec"]
    if not isinstance(spec, Map):
        raise CannotSplice
    for each in change.keys:
        yield _key(page, at(template, each.path), each)
    for edit in change.lists:
        yield from _list(page, spec, edit)
    yield from moving.moved(page, spec, change.moves)
    if change.annotation:
        yield from _annotation(page, template, change.annotation, change.value)


def _key(page: Page, owner: Map, edit: KeyEdit) -> Patch:
    """Return the key with its value, where it stands or behind the last one."""
    if edit.key not in owner:
        return _behind_first(page, owner, {edit.key: edit.value})
    number = page.line_of(owner, edit.key)
    comment = page.lines[number].partition(" #")
    if isinstance(owner[edit.key], Map | Seq) or not page.rest_of(number).isalnum():
        raise CannotSplice
    (line,) = lines_of(page.column_of(number), {edit.key: edit.value})
    head = page.lines[number][: page.column_of(number)] + line.lstrip(" ")
    return number, number + 1, ["".join((head, *comment[1:])).rstrip()]


def _list(page: Page, spec: Map, edit: ListEdit) -> Iterator[Patch]:
    if edit.is_empty:
        return
    items = spec.get(edit.key)
    if isinstance(items, Seq) and items:
        yield from _items(page, spec, items, edit)
    elif edit.key in spec:
        number = page.line_of(spec, edit.key)
        if page.rest_of(number) not in ("", "[]", "null", "~"):
            raise CannotSplice
        yield number, number + 1, lines_of(page.column_of(number), {edit.key: list(edit.added)})
    else:
        yield _new_key(page, spec, edit)


def _new_key(page: Page, spec: Map, edit: ListEdit) -> Patch:
    """Return the list, in front of the containers, or behind them."""
    number = page.line_of(spec, "containers")
    column = page.column_of(number)
    lines = lines_of(column, {edit.key: list(edit.added)})
    is_first = INDENT.match(page.lines[number]) and "-" in page.lines[number][:column]
    if edit.key == "initContainers" and not is_first:
        start = page.start_of(number, column)
        return start, start, lines
    end = page.end_of(number, column, has_items=True)
    return end, end, lines


def _items(page: Page, spec: Map, items: Seq, edit: ListEdit) -> Iterator[Patch]:
    number = page.line_of(spec, edit.key)
    if page.rest_of(number):
        raise CannotSplice  # in flow style, or an anchor
    column = page.column_of(number)
    end = page.end_of(number, column, has_items=True)
    starts = page.starts_of(items)
    names = [item.get("name") if isinstance(item, Map) else None for item in items]
    dash = indent_of(page.lines[starts[0][1]])
    if edit.removed.issuperset(map(str, names)) and not edit.added:
        yield page.start_of(number, column), end, []
        return
    for index, name in enumerate(names):
        if name in edit.removed:
            last = starts[index + 1][0] if index + 1 < len(names) else end
            yield starts[index][0], last, []
    if edit.added:
        place = starts[names.index(edit.before)][0] if edit.before else end
        yield place, place, lines_of(dash, list(edit.added))


def _annotation(page: Page, template: Map, name: str, value: str | None) -> Iterator[Patch]:
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


def _without(page: Page, template: Map, name: str) -> Patch:
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


def _new_metadata(page: Page, template: Map, made: dict[str, object]) -> Patch:
    if "metadata" in template:
        number = page.line_of(template, "metadata")
        if page.rest_of(number) not in ("", "{}", "null", "~"):
            raise CannotSplice
        return number, number + 1, lines_of(page.column_of(number), made)
    number = page.line_of(template, "spec")
    column = page.column_of(number)
    if "-" in page.lines[number][:column]:
        raise CannotSplice
    start = page.start_of(number, column)
    return start, start, lines_of(column, made)


def _behind_first(page: Page, owner: Map, made: dict[str, object]) -> Patch:
    """Return *made* behind the last key of *owner*."""
    key = max(owner, key=lambda each: owner.lines[each])
    number = page.line_of(owner, key)
    column = page.column_of(number)
    end = page.end_of(number, column, has_items=isinstance(owner[key], Seq))
    return end, end, lines_of(column, made)
