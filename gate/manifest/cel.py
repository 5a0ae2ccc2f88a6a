"""Writes CEL, the language of admission policies: a container as the object that is applied.

The API server wants each object of an ApplyConfiguration named by its path (`Object.spec…{}`), and
refuses lists that it can only replace as a whole ("may not mutate atomic arrays"), as `args`. Those
come by a JSONPatch; there, an object made the API server of 1.36.2 panic, so their values are plain
lists and maps.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAPS = {"limits", "requests"}
"""Fields that hold a map with keys of the user's, not an object."""
_ATOMIC = {"args": "/args", "capabilities": "/securityContext/capabilities"}
"""Fields of a container that are, or hold, such a list; and where they are."""


@dataclass(frozen=True, slots=True)
class Expression:
    """CEL that stands for a value which is known only in the cluster."""

    text: str


def text(value: str) -> str:
    """Return *value* as a literal."""
    return json.dumps(value, ensure_ascii=False)


def applied(value: object, path: str = "Object") -> str:
    """Return *value* as CEL, its mappings as objects named by *path*, without atomic fields."""
    match value:
        case Expression():
            return value.text
        case dict() if path.rpartition(".")[2] in _MAPS:
            return (
                "{" + ", ".join(f"{text(key)}: {plain(item)}" for key, item in value.items()) + "}"
            )
        case dict():
            fields = [
                f"{key}: {applied(item, f'{path}.{key}')}"
                for key, item in value.items()
                if key not in _ATOMIC
            ]
            return f"{path}{{\n{_indented(fields)}\n}}"
        case list():
            return f"[\n{_indented([applied(item, path) for item in value])}\n]"
        case _:
            return plain(value)


def plain(value: object) -> str:
    """Return *value* as CEL of scalars, lists and maps."""
    match value:
        case Expression():
            return value.text
        case dict():
            return (
                "{" + ", ".join(f"{text(key)}: {plain(item)}" for key, item in value.items()) + "}"
            )
        case list():
            return "[" + ", ".join(map(plain, value)) + "]"
        case str():
            return text(value)
        case _:
            return json.dumps(value)


def patches(container: dict[str, object]) -> Iterator[str]:
    """Yield the operations that add what `applied` leaves out of *container*."""
    names = "object.spec.initContainers.map(c, c.name)"
    place = f'"/spec/initContainers/" + string({names}.indexOf({plain(container["name"])}))'
    held = {**container, **cast("dict[str, object]", container["securityContext"])}
    for field, pointer in _ATOMIC.items():
        if field in held:
            path = f"{place} + {text(pointer)}"
            value = plain(held[field])
            yield f'JSONPatch{{\n  op: "add",\n  path: {path},\n  value: {value}\n}}'


def several(items: list[str]) -> str:
    """Return the list of *items*, one below the other."""
    return f"[\n{_indented(items)}\n]"


def _indented(items: list[str]) -> str:
    lines = ",\n".join(items).splitlines()
    return "\n".join(f"  {line}" for line in lines)
