"""What a health document says is down: Spring, MicroProfile, ASP.NET, Kubernetes, health+json.

Only names are taken, never what the document tells of them: that may hold anything.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gate.core import attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOWN = frozenset(
    {"down", "out_of_service", "outofservice", "fail", "failed", "unhealthy", "error", "critical"}
)
_PARTS = ("components", "details", "checks", "entries", "results")
"""Where the parts stand: Spring 2 and 1, MicroProfile and health+json, ASP.NET."""
_KUBERNETES = re.compile(r"^\[-\](\S+) ", re.MULTILINE)
_MOST = 5
_LONGEST_NAME = 40
_DEEPEST = 4

Found = tuple[str, str]
"""A name and the word for its state."""


def down(body: bytes) -> str:
    """Return what *body* says is down, as in `db, redis DOWN`; empty where it names nothing."""
    text = body.decode(errors="replace")
    if names := _KUBERNETES.findall(text):
        return _listed([(name, "failed") for name in names])
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return _listed(list(dict.fromkeys(_found(document, 0))))


def _found(document: Any, depth: int) -> Iterator[Found]:  # noqa: ANN401 -- JSON is anything
    if not isinstance(document, dict) or depth > _DEEPEST:
        return
    for key in _PARTS:
        for name, part in _named(document.get(key)):
            inside = list(_found(part, depth + 1))
            state = part.get("status")
            if inside:
                yield from inside
            elif isinstance(state, str) and state.lower() in _DOWN:
                yield name, state


def _named(parts: Any) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 -- JSON is anything
    """Yield each part with its name, whether they are in an object or in a list."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(parts, dict):
        for name, part in parts.items():
            # health+json: each name has a list of observations.
            pairs += [(name, each) for each in (part if isinstance(part, list) else [part])]
    elif isinstance(parts, list):
        pairs = [(part.get("name"), part) for part in parts if isinstance(part, dict)]
    yield from ((n, part) for n, part in pairs if isinstance(n, str) and isinstance(part, dict))


def _listed(found: list[Found]) -> str:
    if not found:
        return ""
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return f"{', '.join(_short(name) for name, _ in found[:_MOST])}{more} {_short(found[0][1])}"


def _short(name: str) -> str:
    # Redacted before it is cut: a piece of a secret is no longer recognised.
    name = attempt.redacted(name)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
