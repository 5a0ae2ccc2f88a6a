"""A server that speaks TDS as [MS-TDS] writes it: PRELOGIN, TLS within its packets, LOGIN7.

No registry has SQL Server. The driver python-tds logs in to this one as well.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

OFF, ON, NONE = 0, 1, 2


def error(number: int, text: str) -> bytes:
    coded = text.encode("utf-16-le")
    content = struct.pack("<iBBH", number, 1, 14, len(text)) + coded + b"\0\0" + bytes(4)
    return b"\xaa" + struct.pack("<H", len(content)) + content


DONE = b"\xfd" + bytes(12)
LOGIN_ACK = b"\xad\x0a\0\x01\x74\0\0\x04\0\x0f\0\x10\x27"
INFO = b"\xab" + error(5701, "Changed database context to 'app'.")[1:]
LET_IN = INFO + LOGIN_ACK + DONE


@dataclass(slots=True)
class SqlServer:
    """What it answers to a login, and the logins that it has seen, each as its texts."""

    answer: bytes = LET_IN
    """Nothing: it closes TLS instead."""
    raw: bytes = b""
    """What it says instead of an encrypted answer."""
    encryption: int = ON
    tls: ssl.SSLContext | None = None
    port: int = 0
    logins: list[list[str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (OSError, EOFError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await _packet(reader))[0] == 0x12
        options = struct.pack(">BHH", 0, 11, 6) + struct.pack(">BHH", 1, 17, 1) + b"\xff"
        version = bytes((16, 0, 0x10, 0x27, 0, 0))
        writer.write(_framed(0x04, options + version + bytes((self.encryption,))))
        if self.encryption == NONE:
            kind, login = await _packet(reader)
            self._take(kind, login)
            writer.write(_framed(0x04, self.answer))
            return
        assert self.tls
        tls = _Tls(self.tls)
        await tls.handshake(reader, writer)
        kind, login = await _packet_in(tls, reader)
        self._take(kind, login)
        writer.write(self.raw or tls.said(self.answer))

    def _take(self, kind: int, login: bytes) -> None:
        assert kind == 0x10
        (size,) = struct.unpack_from("<I", login)
        assert size == len(login)
        texts = []
        for place in range(36, 72, 4):
            start, count = struct.unpack_from("<HH", login, place)
            raw = login[start : start + 2 * count]
            if place == 44:
                raw = bytes(((byte ^ 0xA5) << 4 | (byte ^ 0xA5) >> 4) & 0xFF for byte in raw)
            texts.append(raw.decode("utf-16-le"))
        self.logins.append(texts)


class _Tls:
    def __init__(self, context: ssl.SSLContext) -> None:
        self.read, self.written = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.secured = context.wrap_bio(self.read, self.written, server_side=True)

    def said(self, answer: bytes) -> bytes:
        if answer:
            self.secured.write(_framed(0x04, answer))
        else:
            with suppress(ssl.SSLWantReadError):
                self.secured.unwrap()
        return self.written.read()

    async def handshake(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                self.secured.do_handshake()
            except ssl.SSLWantReadError:
                if said := self.written.read():
                    writer.write(_framed(0x12, said))
                kind, flight = await _packet(reader)
                assert kind == 0x12
                self.read.write(flight)
            else:
                writer.write(_framed(0x12, said) if (said := self.written.read()) else b"")
                return


async def _packet_in(tls: _Tls, reader: asyncio.StreamReader) -> tuple[int, bytes]:
    data = b""
    while len(data) < 8 or len(data) < struct.unpack_from(">H", data, 2)[0]:
        try:
            data += tls.secured.read(65536)
        except ssl.SSLWantReadError:
            more = await reader.read(65536)
            if not more:
                raise EOFError from None
            tls.read.write(more)
    return data[0], data[8:]


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return kind and content of a message, whose packets say which of them is the last."""
    message = b""
    while True:
        kind, status, size, _, _, _ = struct.unpack(">BBHHBB", await reader.readexactly(8))
        message += await reader.readexactly(size - 8)
        if status & 1:
            return kind, message


def _framed(kind: int, message: bytes) -> bytes:
    return struct.pack(">BBHHBB", kind, 1, 8 + len(message), 0, 1, 0) + message


@asynccontextmanager
async def sql_server(server: SqlServer) -> AsyncIterator[SqlServer]:
    """Serve on a free port of 127.0.0.1."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield server
