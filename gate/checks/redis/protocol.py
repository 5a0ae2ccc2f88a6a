"""The protocol of Redis (RESP2): commands, and bounded replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.checks.wire.stream import LONGEST, phrase
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.stream import Conversation

_DEEPEST = 8
_NOT_REDIS = "not the Redis protocol on this port"


class Refusal(str):
    """What the server says instead of an answer, its code first."""

    __slots__ = ()

    @property
    def code(self) -> str:
        """The first word, as in `LOADING Redis is loading the dataset in memory`."""
        return self.partition(" ")[0]


Reply = bytes | int | list["Reply"] | Refusal | None


def command(*words: str) -> bytes:
    """Return a command of *words* as it is sent."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        raw = word.encode(errors="surrogateescape")
        parts.append(b"$%d\r\n%s\r\n" % (len(raw), raw))
    return b"".join(parts)


async def next_reply(talk: Conversation, depth: int = 0) -> Reply:
    """Return the next reply; raises `CheckFailed` for anything else."""
    line = await talk.line()
    kind, rest = line[:1], line[1:]
    if kind == b"+":
        return rest
    if kind == b"-":
        return Refusal(phrase(rest))
    if kind == b":":
        return _number(rest)
    if kind == b"$":
        size = _number(rest)
        return None if size < 0 else (await talk.exactly(size + 2))[:-2]
    if kind == b"*" and depth < _DEEPEST:
        return [await next_reply(talk, depth + 1) for _ in range(_number(rest))]
    raise CheckFailed(_NOT_REDIS)


def _number(text: bytes) -> int:
    try:
        number = int(text)
    except ValueError as exc:
        raise CheckFailed(_NOT_REDIS) from exc
    if number > LONGEST:
        msg = "the answer is too long"
        raise CheckFailed(msg)
    return number
