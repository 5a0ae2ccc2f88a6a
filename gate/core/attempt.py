"""The context of one attempt: the stage it is in, the secrets it has read, the places it has tried.

The stage lets a timeout say where the attempt hung. The secrets are removed from every reason, a
server's own answer included. The places in the pod are what a look can follow until the next
attempt. All belong to the attempt that runs in the current task. Tasks that it starts share its
secrets and places, as one of them may fail with an answer to another.
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
"""Characters. A shorter secret would be removed from common words, which would give it away."""

Place = tuple[str, int]
"""Where a server of this pod listens: a loopback address and a port, or a socket's path and 0."""

_stage: ContextVar[str] = ContextVar("stage", default="")
_secrets: ContextVar[set[str] | None] = ContextVar("secrets", default=None)
_places: ContextVar[dict[Place, bool] | None] = ContextVar("places", default=None)


def begin(known: Iterable[str] = ()) -> None:
    """Start a new attempt in this task; *known* are its secrets that are in no file."""
    _stage.set("")
    # Tasks inherit the variables, so they share these.
    _secrets.set(set(known))
    _places.set({})


def enter_stage(name: str) -> None:
    """Note that the attempt enters the stage *name* (`connecting`, `TLS handshake`, `login`)."""
    _stage.set(name)


def current_stage() -> str:
    """Return the stage that the attempt is in, empty if it has not said."""
    return _stage.get()


def note_place(address: str, port: int = 0, *, is_there: bool) -> None:
    """Note that at *address*, if it is in this pod, a server listens or not."""
    known = _places.get()
    address = address.removeprefix("::ffff:")
    if known is not None and (address.startswith(("/", "127.")) or address == "::1"):
        known[address, port] = is_there


def places() -> dict[Place, bool]:
    """Return the places in this pod that the attempt has tried, and whether a server was there."""
    return _places.get() or {}


def keep_secret(value: str) -> None:
    """Remove *value*, which this attempt has read from a file, from its reason."""
    kept = _secrets.get()
    if kept is not None and len(value) >= SHORTEST_SECRET:
        kept.add(value)


def secrets() -> tuple[str, ...]:
    """Return the secrets of this attempt."""
    return tuple(_secrets.get() or ())


def redacted(text: str) -> str:
    """Return *text* without the secrets of this attempt, in whatever form they are written.

    Call this before a text is cut: a piece of a secret is no longer recognised.
    """
    forms = {form for secret in secrets() for form in _forms(secret)}
    # The longest first: one secret may be the beginning of another.
    for form in sorted(forms, key=len, reverse=True):
        words = form.split()
        if SHORTEST_SECRET <= len(" ".join(words)) <= len(text):
            # Some texts of servers are shown in lower case and on one line.
            pattern = r"\s+".join(map(re.escape, words))
            text = re.sub(pattern, "***", text, flags=re.IGNORECASE)
    return text


def _forms(secret: str) -> set[str]:
    """Return *secret* as it is, and as JSON, URLs and Python's errors write it."""
    in_json = (json.dumps(secret, ensure_ascii=is_ascii) for is_ascii in (True, False))
    in_quotes = (*in_json, repr(secret))
    return {secret, quote(secret, safe="", errors="replace"), *(form[1:-1] for form in in_quotes)}
