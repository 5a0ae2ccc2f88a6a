"""LDAP as far as a check needs it: requests in BER, and results in words (RFC 4511)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.wire.cursor import Cursor
from gate.checks.wire.stream import phrase
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.stream import Conversation

BIND, SEARCH, EXTENDED = 0x60, 0x63, 0x77
UNBIND = bytes.fromhex("30 05 02 01 7f 42 00")
BOUND, ENTRY, DONE, EXTENDED_DONE = 0x61, 0x64, 0x65, 0x78
OK, NO_SUCH_OBJECT, WRONG_LOGIN = 0, 32, 49
ASKS_FOR_LOGIN = frozenset({8, 13, 48, 50})
"""Results of a server that works, but not for strangers or not without TLS."""

_INTEGER, _OCTETS, _ENUMERATED, _SEQUENCE, _BOOLEAN = 0x02, 0x04, 0x0A, 0x30, 0x01
_SIMPLE, _PRESENT, _OID = 0x80, 0x87, 0x80
_START_TLS = b"1.3.6.1.4.1.1466.20037"
_NO_ATTRIBUTES = b"1.1"
_MOST_MESSAGES = 32
_NOT_LDAP = "not LDAP on this port"
_WORDS = {
    1: "operations error",
    2: "protocol error",
    8: "a stronger login is required",
    10: "refers to another server",
    13: "TLS is required (add starttls)",
    34: "the DN is not well formed",
    48: "this kind of login is not allowed",
    50: "no right to",
    51: "busy",
    52: "unavailable",
    53: "unwilling",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one request."""

    code: int
    text: str
    """What the server says about it, often nothing."""

    def __str__(self) -> str:
        words = _WORDS.get(self.code, f"result code {self.code}")
        return f"{words}: {self.text}" if self.text else words


def bind(name: str, password: str) -> bytes:
    """Return the request for a simple bind."""
    version, who = _element(_INTEGER, b"\x03"), _text(_OCTETS, name)
    return _element(BIND, version + who + _text(_SIMPLE, password))


def search(name: str) -> bytes:
    """Return the request for the entry called *name*, without its attributes."""
    base, zero = _text(_OCTETS, name), _element(_ENUMERATED, b"\0")
    no_limit, no_types = _element(_INTEGER, b"\0"), _element(_BOOLEAN, b"\0")
    any_class = _element(_PRESENT, b"objectClass")
    none = _element(_SEQUENCE, _element(_OCTETS, _NO_ATTRIBUTES))
    return _element(SEARCH, base + zero * 2 + no_limit * 2 + no_types + any_class + none)


def start_tls() -> bytes:
    """Return the request to go on over TLS (RFC 4511, 4.14)."""
    return _element(EXTENDED, _element(_OID, _START_TLS))


async def ask(talk: Conversation, request: bytes, kind: int) -> Answer:
    """Return the result, of the *kind* that belongs to *request*; raises `CheckFailed`."""
    # One request at a time, so all may have the same number.
    talk.send(_element(_SEQUENCE, _element(_INTEGER, b"\x01") + request))
    for _ in range(_MOST_MESSAGES):
        found, content = await _message(talk)
        if found == kind:
            return _answer(content)
        if found == EXTENDED_DONE:
            msg = f"the server ends the connection: {_answer(content)}"
            raise CheckFailed(msg)
    raise CheckFailed(_NOT_LDAP)


async def _message(talk: Conversation) -> tuple[int, bytes]:
    """Return kind and content of the next message."""
    head = await talk.exactly(2)
    if head[0] != _SEQUENCE:
        raise CheckFailed(_NOT_LDAP)
    long = head[1] & 0x7F if head[1] & 0x80 else 0
    size = int.from_bytes(await talk.exactly(long), "big") if long else head[1]
    cursor = Cursor(await talk.exactly(size))
    try:
        _next(cursor)
        return _next(cursor)
    except ValueError as exc:
        raise CheckFailed(_NOT_LDAP) from exc


def _answer(content: bytes) -> Answer:
    cursor = Cursor(content)
    try:
        code = int.from_bytes(_next(cursor)[1], "big")
        _next(cursor)
        return Answer(code, phrase(_next(cursor)[1].rstrip(b"\0")))
    except ValueError as exc:
        raise CheckFailed(_NOT_LDAP) from exc


def _next(cursor: Cursor) -> tuple[int, bytes]:
    """Return tag and content of the next element; raises `ValueError`."""
    tag, size = cursor.take(2)
    if size & 0x80:
        size = int.from_bytes(cursor.take(size & 0x7F), "big")
    return tag, cursor.take(size)


def _text(tag: int, text: str) -> bytes:
    return _element(tag, text.encode(errors="surrogateescape"))


def _element(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:  # noqa: PLR2004 -- the short form
        return bytes((tag, size)) + content
    raw = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(raw))) + raw + content
