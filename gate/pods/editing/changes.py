"""Changes to one pod template, and how they are made in plain data.

The same change can be made in the text of a manifest (`splice`), where every other
line stays as it is. What the text then says is compared with what this module makes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gate.pods.editing.emitter import Commented

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Data = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEdit:
    """Takes items out of a list of the pod's spec, and puts others in."""

    key: str
    """`initContainers`, `volumes`."""
    removed: frozenset[str] = frozenset()
    """Names of items."""
    added: tuple[object, ...] = ()
    before: str = ""
    """The name of the item that the added ones come in front of; empty: the end."""

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not (self.removed or self.added)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEdit:
    """Sets one key of a mapping in the pod template."""

    path: tuple[str | int, ...]
    """Where the mapping stands in the template: `("spec", "initContainers", 0)`."""
    key: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Takes an item out of `containers`, and puts it at the end of `initContainers`."""

    name: str
    added: dict[str, object]
    """Keys that it gets there, none of which it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """All that changes in one pod template."""

    lists: tuple[ListEdit, ...] = ()
    keys: tuple[KeyEdit, ...] = ()
    """Made before the lists are changed: their paths are those of the text as it is."""
    moves: tuple[Move, ...] = ()
    annotation: str = ""
    value: str | None = None
    """Of the annotation; None removes it."""
    path: tuple[str | int, ...] = field(default=())
    """Where the template stands in its document."""


def apply(document: Any, made: Iterable[Change]) -> None:  # noqa: ANN401 -- a document is any data
    """Make the changes *made* in *document*, in place."""
    for change in made:
        template = at(document, change.path)
        for each in change.keys:
            at(template, each.path)[each.key] = plain(each.value)
        for edit in change.lists:
            _edit_list(template["spec"], edit)
        for move in change.moves:
            _move(template["spec"], move)
        if change.annotation:
            _annotate(template, change.annotation, change.value)


def at(document: Any, path: Sequence[str | int]) -> Any:  # noqa: ANN401 -- a document is any data
    """Return what stands at *path*."""
    for step in path:
        document = document[step]
    return document


def plain(value: object) -> Any:  # noqa: ANN401 -- data of any kind
    """Return *value* without the comments of `gate manifest`."""
    match value:
        case Commented():
            return plain(value.value)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value


def _edit_list(owner: Data, edit: ListEdit) -> None:
    if edit.is_empty:
        return
    items = owner.get(edit.key)
    if items is None:
        items = owner[edit.key] = []
    for index in reversed(range(len(items))):
        if items[index].get("name") in edit.removed:
            del items[index]
    names = [item.get("name") for item in items]
    place = names.index(edit.before) if edit.before else len(items)
    for number, item in enumerate(edit.added):
        items.insert(place + number, plain(item))
    if not items:
        del owner[edit.key]


def _move(spec: Data, move: Move) -> None:
    main = spec["containers"]
    item = main.pop([each.get("name") for each in main].index(move.name))
    item.update(plain(move.added))
    if not spec.get("initContainers"):
        spec["initContainers"] = []
    spec["initContainers"].append(item)


def _annotate(template: Data, name: str, value: str | None) -> None:
    if value is not None:
        for key in ("metadata", "annotations"):
            if template.get(key) is None:
                template[key] = {}
            template = template[key]
        template[name] = value
        return
    metadata = template["metadata"]
    del metadata["annotations"][name]
    if not metadata["annotations"]:
        del metadata["annotations"]
    if not metadata:
        del template["metadata"]
