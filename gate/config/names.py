"""The names of dependencies: which are right, and what those are called that are given none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gate.core.url import Url

LONGEST = 63
_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
FORM = f"1 to {LONGEST} letters, digits and . _ -, a letter or digit first"


def is_name(text: str) -> bool:
    """Whether a dependency or a group can be called *text*."""
    return _CHARS.issuperset(text) and text[:1].isalnum() and len(text) <= LONGEST


def chosen(found: Sequence[tuple[str, Url]]) -> list[str]:
    """Return a name for each: its own, or its URL's host with as much more as is needed."""
    own = {name for name, _ in found}
    choices = [_choices(url) for _, url in found]
    return [
        name or _first_free(index, choices, own | {""}) for index, (name, _) in enumerate(found)
    ]


def _first_free(index: int, choices: list[tuple[str, ...]], own: set[str]) -> str:
    """Return the shortest of the choices at *index* that nobody else may use."""
    others = {name for i, names in enumerate(choices) if i != index for name in names}
    for name in choices[index]:
        if name not in own and name not in others:
            return name
    return choices[index][-1]


def _choices(url: Url) -> tuple[str, ...]:
    """Return host, host-port, host-port-path and the scheme before them, cleaned."""
    hosts = "-".join(host.name for host in url.hosts)
    ports = "-".join(str(host).replace(":", "-") for host in url.hosts)
    path = str(url).partition(":")[2] if url.is_opaque else url.path
    forms = (hosts, ports, f"{ports}-{path}", f"{url.scheme}-{ports}-{path}")
    return tuple(filter(None, (_clean(form) for form in forms)))


def _clean(text: str) -> str:
    kept = "".join(char if char in _CHARS else "-" for char in text)
    while "--" in kept:
        kept = kept.replace("--", "-")
    return kept.strip("-._")[-LONGEST:].lstrip("-._")
