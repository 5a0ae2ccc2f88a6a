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
from gate.pods.editing.page import CannotSplice
from gate.pods.editing.splice import splice
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

    def change(self, made: Sequence[Change]) -> None:
        """Make all changes of this piece, each in a template of its own; raises `nodes.Fault`.

        At once, as the piece is read and compared as a whole: a List may have hundreds of pods.
        """
        wanted = data(self.read.value)
        changes.apply(wanted, made)
        text = self._rewritten(made)
        found = nodes.document(text, self.offset)
        if found.fault or data(found.value) != wanted:
            text = _round_trip(self.text, made)
            found = nodes.document(text, self.offset)
        if found.fault or data(found.value) != wanted:
            template = changes.at(self.read.value, made[0].path)
            raise nodes.Fault(template.line, "cannot be rewritten without changing what it means")
        self.text, self.read = text, found

    def _rewritten(self, made: Sequence[Change]) -> str:
        if self.text.lstrip().startswith("{"):
            return _as_json(self.text, made)
        try:
            return splice(self.text, self.read.value, made, self.offset)
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


def paths(root: object) -> dict[int, tuple[str | int, ...]]:
    """Return the keys that lead from *root* to each mapping and list in it, by its `id`."""
    found: dict[int, tuple[str | int, ...]] = {}
    left: list[tuple[object, tuple[str | int, ...]]] = [(root, ())]
    while left:
        value, path = left.pop()
        if id(value) in found or not isinstance(value, Map | Seq):
            continue
        found[id(value)] = path
        pairs = value.items() if isinstance(value, Map) else enumerate(value)
        left += [(item, (*path, key)) for key, item in pairs]
    return found


def _as_json(text: str, made: Sequence[Change]) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return ""  # YAML in braces
    changes.apply(value, made)
    indent = _INDENT.search(text)
    written = json.dumps(value, indent=len(indent[1]) if indent else None, ensure_ascii=False)
    return written + text[len(text.rstrip()) :]


def _round_trip(text: str, made: Sequence[Change]) -> str:
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
        changes.apply(value, [_quoted(change) for change in made])
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
    keys = tuple(
        replace(each, value=_quoted_texts(changes.plain(each.value))) for each in change.keys
    )
    moves = tuple(
        replace(each, added=_quoted_texts(changes.plain(each.added))) for each in change.moves
    )
    return replace(change, lists=lists, keys=keys, moves=moves)


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
