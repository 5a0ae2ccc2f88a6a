"""Protocol Buffers as far as checks need them: fields that are texts or messages."""

from __future__ import annotations

from gate.checks.wire.cursor import Cursor

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}
_MOST_BYTES = 10
"""Of one varint."""


def text(number: int, value: str) -> bytes:
    """Return *value* as the field *number*, nothing where it is empty."""
    raw = value.encode(errors="surrogateescape")
    return _varint(number << 3 | _DELIMITED) + _varint(len(raw)) + raw if raw else b""


def fields(message: bytes, number: int) -> list[bytes]:
    """Return each text or message that *message* has in the field *number*.

    Raises `ValueError` where it is no message.
    """
    cursor, found = Cursor(message), []
    while not cursor.is_at_end:
        key = _number(cursor)
        value = _value(cursor, key & 7)
        if key == number << 3 | _DELIMITED:
            found.append(value)
    return found


def _value(cursor: Cursor, kind: int) -> bytes:
    """Return what stands in a field of *kind*, nothing for a number."""
    if kind == _DELIMITED:
        return cursor.take(_number(cursor))
    if kind == _VARINT:
        _number(cursor)
    elif kind in _SIZES:
        cursor.take(_SIZES[kind])
    else:
        msg = "a kind of field that is no longer used"
        raise ValueError(msg)
    return b""


def _number(cursor: Cursor) -> int:
    number = 0
    for place in range(_MOST_BYTES):
        byte = cursor.take(1)[0]
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004 -- the last of a varint
            return number
    msg = "a number without an end"
    raise ValueError(msg)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 -- seven bits in a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
