"""Suggestions: which known word a mistyped word was probably meant to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORT = 5


def closest(word: str, known: Iterable[str]) -> str:
    """Return the word of *known* that is closest to *word*, empty if none is close."""
    import difflib  # noqa: PLC0415 -- only when something is wrong: it costs 3 ms of every start

    # In a short word, two swapped letters weigh more.
    cutoff = 0.65 if len(word) <= _SHORT else 0.7
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return near[0] if near else ""


def hint(word: str, known: Iterable[str]) -> str:
    """Return what to write instead of *word*: the closest of *known*, else all there are."""
    words = list(known)
    near = closest(word, words)
    return f"did you mean {near}?" if near else f"there are {', '.join(words)}"
