"""YAML with line numbers, and its scalars as Kubernetes' own parser resolves them.

The text is cut at `---` first, and between objects of JSON, as kubectl does, so that a document
that is broken hides no other.
PyYAML finds the structure; scalars are resolved here, because it reads `22:22` as a number
and `y` as a text, and Kubernetes does neither.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from gate.pods import scalars

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEEPEST = 100
_TEMPLATE = "if it is a template, render it first: helm template … | gate lint -"
_PLAIN, _QUOTED = "plain", "quoted"
_STRING = "tag:yaml.org,2002:str"
_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_BEGIN = re.compile(r"\s*\{")
_JSON = json.JSONDecoder()
_QUOTE = re.compile(r"(['\"])(.*?)\1")
_COMMENT = re.compile(r"(?:^|\s)#.*")


class Map(dict[str, object]):
    """A mapping that knows its line, and that of each key."""

    __slots__ = ("blocks", "line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        self.blocks: set[str] = set()
        """Keys whose value is a block scalar: its text begins a line below."""


class Seq(list[object]):
    """A sequence that knows its line, and that of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


class Fault(ValueError):  # noqa: N818 -- of the input, not of gate
    """The text cannot be read; `line` says where."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """What stands between two `---`: a value, or why there is none."""

    value: object = None
    fault: Fault | None = None
    duplicates: tuple[tuple[int, str, int], ...] = ()
    """Line, key and first line of each key that is written twice."""
    keys: Mapping[int, list[str]] = field(default_factory=dict)
    """The keys that stand on each line: never a secret, as a value may be."""


if TYPE_CHECKING:
    _Base = yaml.SafeLoader
else:
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """Tells plain scalars from others instead of guessing their type by pattern.

    And counts how deep it is: PyYAML would go on until the C stack is used up.
    """

    _depth = 0

    def descend_resolver(self, parent: yaml.Node | None, _index: object) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            line = parent.start_mark.line if parent is not None else 0
            raise Fault(line + 1, f"nested more than {_DEEPEST} deep")

    def ascend_resolver(self) -> None:
        self._depth -= 1

    def resolve(self, kind: object, _value: object, implicit: object) -> str:
        if kind is yaml.ScalarNode and isinstance(implicit, tuple):
            return _PLAIN if implicit[0] else _QUOTED
        return _QUOTED


def documents(text: str) -> Iterator[Document]:
    """Return the documents of *text*, empty ones left out."""
    first_line = 1
    for piece in pieces(text):
        found = document(piece, first_line - 1)
        if found.fault or found.value is not None:
            yield found
        first_line += piece.count("\n")


def pieces(text: str) -> Iterator[str]:
    """Return *text* cut in front of each `---`, as kubectl does; joined they are *text* again."""
    start = 0
    for end in [*(match.start() for match in _SEPARATOR.finditer(text)), len(text)]:
        yield from _objects(text[start:end])
        start = end


def _objects(text: str) -> Iterator[str]:
    """Return *text* cut behind each object of JSON, as kubectl reads several in a row."""
    start = 0
    while (begin := _BEGIN.match(text, start)) and (end := _end_of_object(text, begin.end() - 1)):
        if not _BEGIN.match(text, end):
            break
        yield text[start:end]
        start = end
    yield text[start:]


def _end_of_object(text: str, begin: int) -> int:
    """Return where the object of JSON at *begin* ends, 0 where it is none."""
    try:
        return _JSON.raw_decode(text, begin)[1]
    except (ValueError, RecursionError):
        return 0


def document(text: str, offset: int) -> Document:
    """Return what one piece of a file holds; *offset* lines stand above it."""
    loader = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        reading = _Conversion(offset)
        value = None if root is None else reading.value(root)
        return Document(value, None, tuple(reading.duplicates), reading.keys)
    except yaml.YAMLError as exc:
        return Document(fault=_fault(exc, text, offset))
    except Fault as exc:
        return Document(fault=_hinted(Fault(exc.line + offset, str(exc)), text, exc.line))
    finally:
        if loader is not None:
            loader.dispose()


def _fault(exc: yaml.YAMLError, text: str, offset: int) -> Fault:
    """Return *exc* without what it quotes: that may be a secret."""
    mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
    problem = getattr(exc, "problem", None) or getattr(exc, "reason", None) or "cannot be read"
    if mark is None:
        position = getattr(exc, "position", 0)
        line = text.count("\n", 0, position) if isinstance(position, int) else 0
    else:
        line = mark.line
    # libyaml marks the end of the text one line behind it.
    line = min(line, max(text.count("\n") - text.endswith("\n"), 0))
    shown = _QUOTE.sub(lambda found: found[0] if len(found[2]) <= 1 else "…", str(problem))
    return _hinted(Fault(offset + line + 1, f"not YAML: {shown}"), text, line + 1)


def _hinted(fault: Fault, text: str, number: int) -> Fault:
    """Say so where a template may not be rendered: the fault may be some lines below it."""
    above = text.split("\n")[:number]
    bare = (_COMMENT.sub("", _QUOTE.sub("", line)) for line in above)
    if "{{" in above[-1] or any("{{" in line for line in bare):
        return Fault(fault.line, f"{fault}; {_TEMPLATE}")
    return fault


class _Conversion:
    """Turns nodes into values; an anchor's value is made once, however often it is used."""

    def __init__(self, offset: int) -> None:
        self._shift = offset
        self._made: dict[int, object] = {}
        self.duplicates: list[tuple[int, str, int]] = []
        self.keys: dict[int, list[str]] = {}

    def value(self, node: yaml.Node) -> object:
        if isinstance(node, yaml.ScalarNode):
            return scalars.plain(node.value) if node.tag == _PLAIN else node.value
        if id(node) in self._made:
            return self._made[id(node)]
        line = node.start_mark.line + self._shift + 1
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, Seq(line))
        return self._mapping(node, Map(line))

    def _sequence(self, node: yaml.SequenceNode, made: Seq) -> Seq:
        self._made[id(node)] = made
        for item in node.value:
            made.append(self.value(item))
            made.lines.append(item.start_mark.line + self._shift + 1)
        return made

    def _mapping(self, node: yaml.Node, made: Map) -> Map:
        self._made[id(node)] = made
        merged: list[object] = []
        for key, item in node.value:
            line = key.start_mark.line + self._shift + 1
            if not isinstance(key, yaml.ScalarNode):
                raise Fault(line - self._shift, "not a manifest: a key is a mapping or a list")
            self.keys.setdefault(line, []).append(key.value)
            value = self.value(item)
            if key.value == "<<" and key.tag == _PLAIN:
                merged += value if isinstance(value, Seq) else [value]
                continue
            if key.value in made:
                self.duplicates.append((line, key.value, made.lines[key.value]))
            self._put(made, key.value, value, line)
            if isinstance(item, yaml.ScalarNode) and item.style in ("|", ">"):
                made.blocks.add(key.value)
        for each in merged:
            self._merge(made, each)
        return made

    def _merge(self, made: Map, other: object) -> None:
        """Put in what *other* has and *made* has not, as `<<` does."""
        if not isinstance(other, Map):
            raise Fault(made.line - self._shift, "not YAML: << wants a mapping")
        for key in [key for key in other if key not in made]:
            self._put(made, key, other[key], other.lines[key])
            if key in other.blocks:
                made.blocks.add(key)

    @staticmethod
    def _put(made: Map, key: str, value: object, line: int) -> None:
        made[key] = value
        made.lines[key] = line
