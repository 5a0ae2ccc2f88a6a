"""The message LOGIN7 and the tokens that answer it ([MS-TDS] 2.2.6.4 and 2.2.7)."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field

from gate.checks.mssql.packets import NOT_TDS
from gate.checks.wire.cursor import Cursor
from gate.checks.wire.stream import phrase
from gate.core.errors import CheckFailed

LONGEST_NAME = 128
"""Characters of user, password and database."""

_FIXED = struct.Struct("<6I4BiI")
_VERSION_74, _PACKET_SIZE = 0x74000004, 4096
_DATABASE_OR_NOTHING = 0xE0
"""A database that cannot be opened makes the login fail."""
_FIELD = struct.Struct("<HH")
_REST = 22
"""Bytes behind the table of texts that are not used."""
_ERROR, _LOGIN_ACK, _DONE = 0xAA, 0xAD, frozenset({0xFD, 0xFE, 0xFF})
_SIZED = frozenset({_ERROR, _LOGIN_ACK, 0xAB, 0xE3, 0xED})
_DONE_SIZE = 12
_REFUSED = 18456


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who logs in, and to which database."""

    user: str
    password: str = field(repr=False)
    database: str = ""


def message(account: Account, server: str) -> bytes:
    """Return LOGIN7 for the *server* called so."""
    who = (socket.gethostname(), account.user, account.password)
    texts = (*who, "gate", server[:LONGEST_NAME], "", "gate", "", account.database)
    coded = [text.encode("utf-16-le", errors="surrogatepass") for text in texts]
    coded[len(who) - 1] = _veiled(coded[len(who) - 1])
    table, data = b"", b""
    start = _FIXED.size + _FIELD.size * len(texts) + _REST
    for raw in coded:
        table += _FIELD.pack(start + len(data), len(raw) // 2)
        data += raw
    flags = (_DATABASE_OR_NOTHING, 0, 0, 0)
    head = _FIXED.pack(start + len(data), _VERSION_74, _PACKET_SIZE, 0, 0, 0, *flags, 0, 0)
    return head + table + bytes(_REST) + data


def _veiled(password: bytes) -> bytes:
    """Return *password* as the protocol wants it, which hides it from nobody."""
    return bytes(((byte >> 4 | byte << 4) & 0xFF) ^ 0xA5 for byte in password)


def judge(answer: bytes) -> None:
    """Raise `CheckFailed` unless *answer* says that the login has worked."""
    try:
        is_in, errors = _read(Cursor(answer))
    except ValueError as exc:
        raise CheckFailed(NOT_TDS) from exc
    if errors:
        number, text = errors[0]
        msg = "login refused" if number == _REFUSED else phrase(text)
        raise CheckFailed(msg or f"error {number}")
    if not is_in:
        raise CheckFailed(NOT_TDS)


def _read(cursor: Cursor) -> tuple[bool, list[tuple[int, str]]]:
    """Return whether the login is acknowledged, and number and text of each error."""
    is_in, errors = False, []
    while not cursor.is_at_end:
        token = cursor.take(1)[0]
        if token in _DONE:
            cursor.take(_DONE_SIZE)
        elif token in _SIZED:
            content = Cursor(cursor.take(_number(cursor, 2)))
            is_in = is_in or token == _LOGIN_ACK
            if token == _ERROR:
                errors.append(_error(content))
        else:
            msg = "a token that answers no login"
            raise ValueError(msg)
    return is_in, errors


def _error(content: Cursor) -> tuple[int, str]:
    number = _number(content, 4)
    content.take(2)
    text = content.take(2 * _number(content, 2)).decode("utf-16-le", errors="replace")
    return number, text


def _number(cursor: Cursor, size: int) -> int:
    return int.from_bytes(cursor.take(size), "little")
