"""The connection phase of MySQL and MariaDB, as in their protocol manuals.

A client that leaves before the server has decided on the login counts as a connection error. After
`max_connect_errors` of them, by default 100, the server blocks the client's address: the pod's,
which the app shares. So every greeting is answered and every answer is waited for. A denied login
does not count.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

from gate.checks.wire.query_answer import Answer
from gate.checks.wire.reasons import reason_of
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    import socket

OK, MORE, SWITCH, ERROR = 0x00, 0x01, 0xFE, 0xFF
CLIENT_SSL = 0x800
NATIVE = "mysql_native_password"
_CONNECT_WITH_DB = 0x8
# LONG_PASSWORD, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, MULTI_RESULTS, PLUGIN_AUTH
_ALWAYS = 0x1 | 0x200 | 0x2000 | 0x8000 | 0x20000 | 0x80000
_UTF8MB4 = 45
_MOST_KEPT = 64 * 1024
_LONGEST_PACKET = 0xFFFFFF
_QUIT = 0x01
_QUERY = 0x03
_FILE_PLEASE = 0xFB
_END = 0xFE
_SHORTEST_ROW = 9
MOST_ROWS = 100
STRANGER = "the server does not speak MySQL on this port"
_NO_TABLE = 1146
_NULL = 0xFB
_LENGTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}
"""The first byte of a long value to how many bytes its length has."""
_WORDS = {
    1040: "too many connections",
    1053: "shutting down",
    1129: "this host is blocked because of many connection errors; FLUSH HOSTS lifts that",
    3032: "in offline mode",
}
_DENIED = frozenset({1045, 1698, 1820, 1862, 3118, 3159, 3955, 4151})
"""Access denied, password expired, account locked, only over TLS: a server that works."""


class Refused(CheckFailed):
    """The server has answered with an error."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.is_denial = code in _DENIED
        """Whether the server has decided on the login, and so accepts connections."""
        self.is_without_table = code == _NO_TABLE


class Conversation:
    """Packets on a connection that has been greeted; what goes wrong is a `CheckFailed`."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, sequence: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._sequence = sequence

    def send(self, body: bytes) -> None:
        """Send *body* as the next packet."""
        self._writer.write(packet(self._sequence, body))

    def command(self, code: int, body: bytes = b"") -> None:
        """Send a command, with which the numbering of packets begins anew."""
        self._sequence = 0
        self.send(bytes([code]) + body)

    def leave(self) -> None:
        """Say goodbye: a server counts a client that just goes away after login as aborted."""
        self.command(_QUIT)

    async def question(self, sql: str, most: int) -> Answer:
        """Return what *sql* gives; of more than *most* rows no more are read."""
        self.command(_QUERY, sql.encode())
        first = await self._answer()
        if first[0] == OK:
            return Answer(-1)
        if first[0] == _FILE_PLEASE:
            msg = "query failed: the server asks for a file"
            raise CheckFailed(msg)
        await self._until_end()
        return await self._rows(most)

    async def _until_end(self) -> None:
        """Skip the packets up to the one that ends them."""
        while not _is_end(await self._answer()):
            pass

    async def _rows(self, most: int) -> Answer:
        row = b"\0"
        for count in range(most):
            body = await self._answer()
            if _is_end(body):
                return Answer(count, _first_value(row))
            row = body if count == 0 else row
        return Answer(most, _first_value(row))

    async def _answer(self) -> bytes:
        body = await self.receive()
        if body[0] == ERROR:
            raise refused(body, "query")
        return body

    async def receive(self) -> bytes:
        """Return the body of the next packet, its beginning if long; raises `CheckFailed`."""
        try:
            body = await self._beginning()
        except asyncio.IncompleteReadError as exc:
            msg = f"connection closed during {attempt.current_stage()}"
            raise CheckFailed(msg) from exc
        except OSError as exc:
            raise CheckFailed(reason_of(exc)) from exc
        if not body:
            raise CheckFailed(STRANGER)
        return body

    async def _beginning(self) -> bytes:
        """Return the next packet, of a row with a long value the beginning, and skip the rest."""
        body, length = b"", _LONGEST_PACKET
        while length == _LONGEST_PACKET:  # what is longer goes on in another packet
            header = await self._reader.readexactly(4)
            rest = length = int.from_bytes(header[:3], "little")
            while rest:
                piece = await self._reader.readexactly(min(rest, _MOST_KEPT))
                body, rest = body or piece, rest - len(piece)
            self._sequence = (header[3] + 1) % 256
        return body


def packet(sequence: int, body: bytes) -> bytes:
    """Return *body* with the header of a packet."""
    return struct.pack("<I", len(body))[:3] + bytes([sequence % 256]) + body


def request_tls(sock: socket.socket, *, database: str) -> None:
    """Have TLS begin on *sock*, which is closed on failure.

    The flags of this packet count, not those of the response: MariaDB would ignore a
    *database* that is only there.
    """
    try:
        sock.send(packet(1, _flags(database, tls=True)))  # few bytes, the first: never in parts
    except OSError as exc:
        sock.close()
        raise CheckFailed(reason_of(exc)) from exc


def response(user: str, answer: bytes, *, plugin: str, database: str, tls: bool) -> bytes:
    """Return the body of the answer to a greeting."""
    return b"".join(
        (
            _flags(database, tls=tls),
            user.encode() + b"\0",
            bytes([len(answer)]) + answer,
            database.encode() + b"\0" if database else b"",
            plugin.encode() + b"\0",
        )
    )


def refused(body: bytes, doing: str = "", *, trouble: str = "") -> Refused:
    """Return the failure that an error packet means, in a person's words.

    *trouble* is what gate could not do, if anything: a denial may be because of that.
    """
    code = int.from_bytes(body[1:3], "little")
    text = body[3:]
    text = text[6:] if text.startswith(b"#") else text
    said = " ".join(text.decode(errors="replace").split()).partition(" (using password")[0]
    if said[1:2].islower():  # not in `SELECT command denied`
        said = said[:1].lower() + said[1:]
    if code in _DENIED:
        said = f"login refused: {said}; {trouble}" if trouble else f"login refused: {said}"
    elif doing:
        said = f"{doing} failed: {said}"
    return Refused(_WORDS.get(code, said), code)


def _flags(database: str, *, tls: bool) -> bytes:
    flags = _ALWAYS | (CLIENT_SSL if tls else 0) | (_CONNECT_WITH_DB if database else 0)
    return struct.pack("<IIB23x", flags, _LONGEST_PACKET, _UTF8MB4)


def _is_end(body: bytes) -> bool:
    return body[0] == _END and len(body) < _SHORTEST_ROW


def _first_value(row: bytes) -> str | None:
    """Return the first value of a row in the text protocol; None is NULL."""
    if row[0] == _NULL:
        return None
    start = 1 + _LENGTHS.get(row[0], 0)
    length = int.from_bytes(row[1:start], "little") if start > 1 else row[0]
    return row[start : start + length].decode(errors="replace")
