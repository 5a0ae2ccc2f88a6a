"""`GATE_OPTIONS_<NAME>`: the options of a dependency whose own variable holds a URL and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gate.core.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gate.config.dependencies import Source

PREFIX = "GATE_OPTIONS_"
LOST = "no variable holds a dependency of this name"


def applied(
    own: Mapping[str, str], sources: Iterable[Source]
) -> tuple[list[Source], list[Problem]]:
    """Return *sources* with the options that *own* has for them, and options of none of them."""
    options = {
        name.removeprefix(PREFIX).lower().replace("_", "-"): name
        for name in sorted(own)
        if name.startswith(PREFIX) and name != PREFIX
    }
    found = list(sources)
    alone = {source.name for source in found if source.variables}
    lost = [Problem(name, _lost(alone)) for key, name in options.items() if key not in alone]
    return [_with(source, options, own) for source in found], lost


def _with(source: Source, options: Mapping[str, str], own: Mapping[str, str]) -> Source:
    name = options.get(source.name) if source.variables else None
    if name is None:
        return source
    place = f"{source.place} with {name}"
    return replace(source, place=place, text=f"{source.text} {own[name]}")


def _lost(alone: Iterable[str]) -> str:
    names = ", ".join(PREFIX + name.upper().replace("-", "_") for name in sorted(alone))
    there = (
        f"there may be {names}" if names else "GATE_FROM_ENV and GATE_DEPENDENCY_<NAME> have one"
    )
    return f"{LOST}; {there}"
