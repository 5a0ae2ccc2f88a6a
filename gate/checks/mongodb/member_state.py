"""What the answer to MongoDB's `hello` says of the server (SDAM specification, table of types)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.mongodb.documents import Document

COMMAND_NOT_FOUND = 59
_STOPPING = frozenset({91, 11600})
"""ShutdownInProgress, InterruptedAtShutdown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the server shall be; `set_name` empty = whatever."""

    primary: bool = False
    set_name: str = ""


def judge(answer: Document, wanted: Wanted) -> None:
    """Raise `CheckFailed` unless *answer* comes from a server as *wanted*."""
    if answer.get("ok") != 1:
        raise CheckFailed(refusal(answer))
    if answer.get("isreplicaset"):
        msg = "replica set not initiated"
        raise CheckFailed(msg)
    _judge_set(answer, wanted.set_name)
    _judge_role(answer, primary=wanted.primary)


def refusal(answer: Document) -> str:
    """Return why the server could not do what it was told, from its error document."""
    if answer.get("code") in _STOPPING:
        return "shutting down"
    text = answer.get("errmsg") or answer.get("codeName") or f"error {answer.get('code')}"
    return f"refused: {text}"


def _judge_set(answer: Document, wanted: str) -> None:
    name = answer.get("setName")
    if not wanted or name == wanted:
        return
    msg = f"is in another replica set: {name}" if name else "is in no replica set"
    raise CheckFailed(msg)


def _judge_role(answer: Document, *, primary: bool) -> None:
    if answer.get("isWritablePrimary") or answer.get("ismaster"):
        return
    if answer.get("arbiterOnly"):
        msg = "is an arbiter, it holds no data"
    elif not answer.get("secondary"):
        msg = "neither primary nor secondary: starting up or recovering"
    elif primary:
        msg = "is secondary, not primary"
    else:
        return
    raise CheckFailed(msg)
