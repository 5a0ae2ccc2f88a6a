"""What an attempt is busy with, and the secrets it has read.

So that a timeout can say where it hung, and nothing a server answers brings a secret out.
Both hold for the attempt running in the present task; secrets that the tasks it starts read
are its own as well, as one of them may fail with an answer to another.
"""

from __future__ import annotations

import json
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST_SECRET = 3
"""Characters: a shorter one would be cut out of common words, and tell itself thereby."""

_stage: ContextVar[str] = ContextVar("stage", default="")
_secrets: ContextVar[set[str] | None] = ContextVar("secrets", default=None)


def begin(known: Iterable[str] = ()) -> None:
    """Start a new attempt in this task; *known* are secrets that it need not read."""
    _stage.set("")
    # Tasks inherit the variable, and with it this very set.
    _secrets.set(set(known))


def enter_stage(name: str) -> None:
    """Say that the attempt now begins *name* (`connecting`, `TLS handshake`, `login`)."""
    _stage.set(name)


def current_stage() -> str:
    """Return what the attempt was last busy with, empty if it never said."""
    return _stage.get()


def keep_secret(value: str) -> None:
    """Have *value*, read from a file in this attempt, taken out of the reason."""
    kept = _secrets.get()
    if kept is not None and len(value) >= SHORTEST_SECRET:
        kept.add(value)


def secrets() -> tuple[str, ...]:
    """Return the secrets of this attempt."""
    return tuple(_secrets.get() or ())


def redacted(text: str) -> str:
    """Return *text* without the secrets of this attempt, however it writes them.

    Whoever cuts a text asks for this before: a piece of a secret is not found any more.
    """
    forms = {form for secret in secrets() for form in _forms(secret)}
    # The longest first: one secret may begin like another.
    for form in sorted(forms, key=len, reverse=True):
        words = form.split()
        if SHORTEST_SECRET <= len(" ".join(words)) <= len(text):
            # Servers' texts are shown in small letters here and there, and on one line.
            pattern = r"\s+".join(map(re.escape, words))
            text = re.sub(pattern, "***", text, flags=re.IGNORECASE)
    return text


def _forms(secret: str) -> set[str]:
    """Return *secret* as it is, and as JSON, URLs and Python's errors quote it."""
    in_json = (json.dumps(secret, ensure_ascii=is_ascii) for is_ascii in (True, False))
    in_quotes = (*in_json, repr(secret))
    return {secret, quote(secret, safe="", errors="replace"), *(form[1:-1] for form in in_quotes)}
