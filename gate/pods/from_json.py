"""Pods as the API server gives them, for the readers of manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gate.pods import documents
from gate.pods.around import Around
from gate.pods.documents import Found
from gate.pods.nodes import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.pods.pod import Pod

_WANTED = ("metadata", "spec")


def pod(thing: Mapping[str, Any]) -> Pod | None:
    """Return the pod that *thing* is, None where it has no containers; no line is known."""
    found = Found()
    # The items of a list do not say what they are.
    node = _value({"kind": "Pod", **{key: thing.get(key) for key in _WANTED}})
    documents.read(node, "", Around(), found)
    return next(iter(found.pods), None)


def _value(value: object) -> object:
    if isinstance(value, dict):
        made = Map(0)
        made.update({str(key): _value(inner) for key, inner in value.items()})
        made.lines = dict.fromkeys(made, 0)
        return made
    if isinstance(value, list):
        items = Seq(0)
        items.extend(_value(inner) for inner in value)
        items.lines = [0] * len(items)
        return items
    return value
