"""The native protocol as far as a check needs it: frames, and errors in words.

Version 4, which Cassandra speaks since 2.2 and Scylla always. The sections are those of its
specification (`doc/native_protocol_v4.spec` of Cassandra).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from gate.checks.wire.cursor import Cursor
from gate.checks.wire.stream import phrase
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.stream import Conversation

STARTUP, QUERY, AUTH_RESPONSE = 0x01, 0x07, 0x0F
READY, AUTHENTICATE, RESULT, AUTH_SUCCESS = 0x02, 0x03, 0x08, 0x10
BAD_CREDENTIALS, INVALID = 0x0100, 0x2200

_ERROR = 0x00
_VERSION, _ANSWER = 4, 0x80
_KNOWN_VERSIONS = range(_ANSWER | 1, _ANSWER | 6)
_HEAD = struct.Struct(">BBhBI")
_ROWS, _MORE_PAGES = 2, 0x02
_NULL = 0xFFFFFFFF
_CONSISTENCY_ONE = b"\x00\x01\x00"
"""With no flags behind it."""
_WORDS = {0x1001: "overloaded", 0x1002: "bootstrapping"}
_NOT_CASSANDRA = "not Cassandra's native protocol on this port"


class Refusal(CheckFailed):
    """The server answers with an error, a code and a text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(_WORDS.get(code) or text or f"error {code:#06x}")
        self.code = code


async def ask(talk: Conversation, opcode: int, body: bytes = b"") -> tuple[int, Cursor]:
    """Return opcode and body of the answer; raises `Refusal`, else `CheckFailed`."""
    talk.send(_HEAD.pack(_VERSION, 0, 0, opcode, len(body)) + body)
    version, _, _, found, size = _HEAD.unpack(await talk.exactly(_HEAD.size))
    if version not in _KNOWN_VERSIONS:
        raise CheckFailed(_NOT_CASSANDRA)
    content = Cursor(await talk.exactly(size))
    if found == _ERROR:
        raise _refusal(content)
    return found, content


async def query(talk: Conversation, text: str) -> Cursor:
    """Return the body of the RESULT of the CQL *text*; raises as `ask` does."""
    raw = text.encode(errors="surrogateescape")
    opcode, content = await ask(talk, QUERY, long_bytes(raw) + _CONSISTENCY_ONE)
    expect(opcode, RESULT)
    return content


def expect(opcode: int, *wanted: int) -> None:
    """Raise `CheckFailed` unless *opcode* is one of the *wanted*."""
    if opcode not in wanted:
        raise CheckFailed(_NOT_CASSANDRA)


def long_bytes(raw: bytes) -> bytes:
    """Return *raw* with its length in four bytes."""
    return struct.pack(">I", len(raw)) + raw


def string_map(**pairs: str) -> bytes:
    """Return *pairs* as a string map (section 3)."""
    texts = b"".join(map(_string, (text for pair in pairs.items() for text in pair)))
    return struct.pack(">H", len(pairs)) + texts


def first_text(result: Cursor) -> str:
    """Return the one column of the first row, a text, empty where there is none.

    Section 4.2.5.2. Raises `CheckFailed` for another kind of result.
    """
    try:
        if _number(result) != _ROWS:
            raise CheckFailed(_NOT_CASSANDRA)
        flags, _ = _number(result), _number(result)
        if flags & _MORE_PAGES:
            result.take(_number(result))
        # Keyspace and table stand before all columns, or before each; then its name and type.
        for _ in range(3):
            result.take(_number(result, 2))
        result.take(2)
        size = _number(result) and _number(result)
        return result.take(0 if size == _NULL else size).decode(errors="replace")
    except ValueError as exc:
        raise CheckFailed(_NOT_CASSANDRA) from exc


def _refusal(content: Cursor) -> CheckFailed:
    try:
        code = _number(content)
        return Refusal(code, phrase(content.take(_number(content, 2))))
    except ValueError:
        return CheckFailed(_NOT_CASSANDRA)


def _number(cursor: Cursor, size: int = 4) -> int:
    return int.from_bytes(cursor.take(size), "big")


def _string(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()
