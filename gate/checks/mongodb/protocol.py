"""MongoDB's wire protocol: one command, one answer, as OP_MSG (MongoDB 3.6 and later)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from gate.checks.mongodb import documents
from gate.checks.wire.stream import LONGEST
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.checks.wire.stream import Conversation

_HEADER = struct.Struct("<iiii")
_OP_MSG = 2013
_TLS_ALERT = b"\x15\x03\x03"
"""As the length of a message, it would be too long."""
_TLS_HEAD = 5
"""Bytes of an alert that are read before its server hangs up: it has no more than seven."""
_BEFORE_DOCUMENT = 5
"""Flags and the kind of the section, which is the body."""


async def command(
    talk: Conversation, document: Mapping[str, str | bool | int]
) -> documents.Document:
    """Return the answer to the command *document*; raises `CheckFailed` where there is none."""
    body = struct.pack("<IB", 0, 0) + documents.encode({**document, "$db": "admin"})
    talk.send(_HEADER.pack(_HEADER.size + len(body), 1, 0, _OP_MSG) + body)
    start = await talk.exactly(_TLS_HEAD)
    if start.startswith(_TLS_ALERT):
        msg = "the server speaks TLS on this port"
        raise CheckFailed(msg)
    length, _, _, code = _HEADER.unpack(start + await talk.exactly(_HEADER.size - _TLS_HEAD))
    if code != _OP_MSG or not _HEADER.size + _BEFORE_DOCUMENT < length <= LONGEST:
        raise _not_mongodb()
    answer = await talk.exactly(length - _HEADER.size)
    try:
        return documents.decode(answer[_BEFORE_DOCUMENT:])
    except ValueError as exc:
        raise _not_mongodb() from exc


def _not_mongodb() -> CheckFailed:
    return CheckFailed("not MongoDB on this port")
