"""Documents that are read, changed and written again.

A document in which nothing changes is written as it was, byte for byte.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gate.pods import nodes
from gate.pods.editing import changes
from gate.pods.editing.emitter import emit
from gate.pods.editing.splice import CannotSplice, splice
from gate.pods.nodes import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.pods.editing.changes import Change

_ITEM = re.compile(
    r"( *)\S[^\n]*:[ ]*(?:#[^\n]*)?\n(?:[ ]*(?:#[^\n]*)?\n)*( *)-(?: |$)", re.MULTILINE
)
_WIDEST = 1 << 20
_INDENT = re.compile(r"\n( +)\S")


@dataclass(slots=True)
class Piece:
    """A part of a file, from one `---` to the next."""

    file: str
    text: str
    offset: int
    """Lines of the file above it."""
    read: nodes.Document

    def change(self, change: Change) -> None:
        """Make *change* in a template of this piece; raises `nodes.Fault`."""
        template = changes.at(self.read.value, change.path)
        wanted = data(self.read.value)
        changes.apply(wanted, change)
        text = self._rewritten(template, change)
        found = nodes.document(text, self.offset)
        if found.fault or data(found.value) != wanted:
            text = _round_trip(self.text, change)
            found = nodes.document(text, self.offset)
        if found.fault or data(found.value) != wanted:
            raise nodes.Fault(template.line, "cannot be rewritten without changing what it means")
        self.text, self.read = text, found

    def _rewritten(self, template: Map, change: Change) -> str:
        if self.text.lstrip().startswith("{"):
            return _as_json(self.text, change)
        try:
            return splice(self.text, template, change, self.offset)
        except CannotSplice:
            return ""


def read(file: str, text: str) -> Iterator[Piece]:
    """Return the pieces of a file."""
    offset = 0
    for piece in nodes.pieces(text):
        yield Piece(file, piece, offset, nodes.document(piece, offset))
        offset += piece.count("\n")


def data(value: object) -> Any:  # noqa: ANN401 -- data of any kind
    """Return what was read as plain mappings and lists, an alias as a copy of its own."""
    if isinstance(value, Map):
        return {key: data(item) for key, item in value.items()}
    if isinstance(value, Seq):
        return [data(item) for item in value]
    return value


def path_to(root: object, wanted: Map) -> tuple[str | int, ...]:
    """Return the keys that lead from *root* to *wanted*, a mapping in it."""
    left: list[tuple[object, tuple[str | int, ...]]] = [(root, ())]
    while left:
        value, path = left.pop()
        if value is wanted:
            return path
        if isinstance(value, Map):
            left += [(item, (*path, key)) for key, item in value.items()]
        elif isinstance(value, Seq):
            left += [(item, (*path, index)) for index, item in enumerate(value)]
    msg = "not a part of this document"
    raise KeyError(msg)


def _as_json(text: str, change: Change) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return ""  # YAML in braces
    changes.apply(value, change)
    indent = _INDENT.search(text)
    written = json.dumps(value, indent=len(indent[1]) if indent else None, ensure_ascii=False)
    return written + text[len(text.rstrip()) :]


def _round_trip(text: str, change: Change) -> str:
    from ruamel.yaml import YAML  # noqa: PLC0415 -- only where a document is written in braces
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDEST
    has_offset = any(match[1] != match[2] for match in _ITEM.finditer(text))
    yaml.indent(mapping=2, sequence=4 if has_offset else 2, offset=2 if has_offset else 0)
    head, body = _headed(text)
    try:
        value = yaml.load(body)
        changes.apply(value, _quoted(change))
        out = io.StringIO()
        yaml.dump(value, out)
    except YAMLError:
        return ""
    return head + out.getvalue()


def _quoted(change: Change) -> Change:
    """Return *change* with quotes where not every parser takes a text for one without."""
    lists = tuple(
        replace(each, added=tuple(_quoted_texts(changes.plain(item)) for item in each.added))
        for each in change.lists
    )
    return replace(change, lists=lists)


def _quoted_texts(value: Any) -> Any:  # noqa: ANN401 -- data of any kind
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString  # noqa: PLC0415

    if isinstance(value, dict):
        return {key: _quoted_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_quoted_texts(item) for item in value]
    needs_quotes = isinstance(value, str) and emit(value).startswith('"')
    return DoubleQuotedScalarString(value) if needs_quotes else value


def _headed(text: str) -> tuple[str, str]:
    """Return the line of the `---`, if there is one, and the rest."""
    if not text.startswith("---"):
        return "", text
    head, line_end, body = text.partition("\n")
    return head + line_end, body


def joined(pieces: Sequence[Piece]) -> str:
    """Return the text of a file."""
    return "".join(piece.text for piece in pieces)
