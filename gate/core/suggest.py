"""What somebody may have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORT = 5


def closest(word: str, known: Iterable[str]) -> str:
    """Return the one of *known* that *word* is a slip of, empty if none is near."""
    import difflib  # noqa: PLC0415 -- only when something is wrong: it costs 3 ms of every start

    # In a short word two letters in the wrong order weigh more.
    cutoff = 0.65 if len(word) <= _SHORT else 0.7
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return near[0] if near else ""
