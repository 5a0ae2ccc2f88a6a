"""What an attempt is busy with, and the secrets it has read.

So that a timeout can say where it hung, and nothing a server answers brings a secret out.
Both hold for the attempt running in the present task.
"""

from __future__ import annotations

from contextvars import ContextVar

SHORTEST_SECRET = 3
"""Characters: a shorter one would be cut out of common words, and tell itself thereby."""

_stage: ContextVar[str] = ContextVar("stage", default="")
_secrets: ContextVar[tuple[str, ...]] = ContextVar("secrets", default=())


def begin() -> None:
    """Start a new attempt in this task."""
    _stage.set("")
    _secrets.set(())


def enter(name: str) -> None:
    """Say that the attempt now begins *name* (`connecting`, `TLS handshake`, `login`)."""
    _stage.set(name)


def current() -> str:
    """Return what the attempt was last busy with, empty if it never said."""
    return _stage.get()


def keep_secret(value: str) -> None:
    """Have *value*, read from a file in this attempt, taken out of the reason."""
    if len(value) >= SHORTEST_SECRET:
        _secrets.set((*_secrets.get(), value))


def secrets() -> tuple[str, ...]:
    """Return the secrets read in this attempt."""
    return _secrets.get()
