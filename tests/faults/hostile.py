"""A peer that says what no server of the wanted kind says, for as long as it is let."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

ENOUGH = 64 * 1024 * 1024
"""Bytes after which an endless peer gives up: nobody has stopped it."""
_PIECE = 64 * 1024
_RESET = struct.pack("ii", 1, 0)
_SMALL = 64 * 1024
"""Of the kernel's buffers, so that what was sent was as good as read."""


@dataclass(frozen=True)
class Pattern:
    """What is said as soon as somebody connects, and what happens then."""

    says: bytes = b""
    endless: bytes = b""
    """Said again and again after that."""
    end: str = "stays"
    """`stays`, `closes`, `resets`, `echoes`, or `drips`, a byte at a time."""
    right_for: frozenset[str] = frozenset()
    """Schemes for which it is an answer."""


def _of(*schemes: str) -> frozenset[str]:
    return frozenset(schemes)


_WEB = _of(
    *("http", "clickhouse", "consul", "elasticsearch", "etcd", "gcp-metadata", "influxdb"),
    *("microprofile", "minio", "openai", "opensearch", "pulsar", "quarkus", "spring", "vault"),
    *("vllm", "sidecar"),
)
_HEAD = b"HTTP/1.1 200 OK\r\n"
_NOISE = random.Random(1).randbytes(_PIECE)
_PLENTY = {
    "head without end": Pattern(_HEAD, b"X-Header: " + b"a" * 1000 + b"\r\n"),
    "header line without end": Pattern(_HEAD + b"X: ", b"a" * _PIECE),
    "informational answers without end": Pattern(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
    "body without end": Pattern(_HEAD + b"\r\n", b"a" * _PIECE, right_for=_WEB),
    "chunks without end": Pattern(
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 5000, right_for=_WEB
    ),
    "line without end": Pattern(b"", b"a" * _PIECE),
    "empty lines without end": Pattern(b"", b"\r\n" * (_PIECE // 2)),
    "zeros without end": Pattern(b"", b"\0" * _PIECE),
    "ones without end": Pattern(b"", b"\xff" * _PIECE),
    "noise without end": Pattern(b"", _NOISE),
    "HTTP/2 settings without end": Pattern(b"", b"\0\0\0\4\0\0\0\0\0" * 7000),
    "HTTP/2 pings without end": Pattern(
        b"\0\0\0\4\0\0\0\0\0", b"\0\0\x08\6\0\0\0\0\0pingpong" * 3500
    ),
    "redis pushes without end": Pattern(b"", b"+PONG\r\n" * 9000, right_for=_of("redis", "valkey")),
    "postgresql notices without end": Pattern(b"N", b"N\0\0\0\x05\0" * 9000),
}
PATTERNS = {
    **_PLENTY,
    "silence": Pattern(),
    "closed at once": Pattern(end="closes"),
    "reset at once": Pattern(end="resets"),
    "echo": Pattern(end="echoes"),
    "a byte at a time": Pattern(_HEAD * 20, end="drips"),
    "one zero": Pattern(b"\0", end="closes"),
    "half an HTTP head": Pattern(b"HTTP/1.1 2", end="closes"),
    "HTTP/0.9": Pattern(b"<html>ready</html>", end="closes"),
    "HTTP 200": Pattern(_HEAD + b"Content-Length: 2\r\n\r\nok", right_for=_WEB),
    "two lengths": Pattern(_HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk"),
    "gzip without end": Pattern(
        _HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08", b"\0" * _PIECE, right_for=_WEB
    ),
    "TLS alert": Pattern(b"\x15\x03\x03\0\x02\x02\x28", end="closes"),
    "half a TLS handshake": Pattern(b"\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03" + b"a" * 40),
    "TLS record without end": Pattern(b"\x16\x03\x03\x40\0", b"\x16" * _PIECE),
    "the longest length": Pattern(b"\x7f\xff\xff\xff" * 4),
    "a negative length": Pattern(b"\x80\0\0\0" * 4),
    "the longest length, little-endian": Pattern(b"\xff\xff\xff\x7f" * 4),
    "SSH": Pattern(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", right_for=_of("ssh")),
    "SMTP": Pattern(b"220 mail.example.com ESMTP\r\n", right_for=_of("smtp")),
    "FTP": Pattern(b"220 ftp.example.com FTP\r\n", right_for=_of("smtp")),
    "IMAP": Pattern(b"* OK IMAP4rev1 ready\r\n", right_for=_of("imap")),
    "NATS": Pattern(b"INFO {}\r\n" + b"PONG\r\n", right_for=_of("nats")),
    "NATS with nonsense": Pattern(b'INFO {"max_payload":' + b"[" * 50_000 + b"\r\n"),
    "redis error": Pattern(b"-ERR \xff\xfe\x1b[31m what\r\n", end="closes"),
    "redis in a deep array": Pattern(b"*1\r\n" * 10_000),
    "memcached": Pattern(b"VERSION 1.6\r\n", right_for=_of("memcached")),
    "mysql greeting cut off": Pattern(b"\x4a\0\0\0\x0a8.0.33\0"),
    "mysql without a version": Pattern(b"\x01\0\0\0\x0a", end="closes"),
    "postgresql error": Pattern(b"E\0\0\0\x08C\xff\0\0", end="closes"),
    "postgresql of nothing": Pattern(
        b"R\0\0\0\4Z\0\0\0\4", right_for=_of("postgresql", "postgres")
    ),
    "amqp of another version": Pattern(b"AMQP\0\0\x09\x01", end="closes"),
    "amqp frame cut off": Pattern(b"\1\0\0\0\0\0\x20\0\x0a\0\x0a\0\x09", end="closes"),
    "mongodb reply to another": Pattern(
        struct.pack("<iiiiIB", 26, 7, 99, 2013, 0, 0) + b"\5\0\0\0\0", end="closes"
    ),
    "mongodb document that lies": Pattern(
        struct.pack("<iiiiIB", 26, 7, 1, 2013, 0, 0) + b"\xff\xff\0\0\0"
    ),
    "mqtt refusal": Pattern(b"\x20\x02\0\x05", end="closes", right_for=_of("mqtt")),
    "mqtt length without end": Pattern(b"\x20" + b"\xff" * 64),
    "kafka of nothing": Pattern(b"\0\0\0\4\0\0\0\1", end="closes"),
    "kafka with two thousand million brokers": Pattern(
        b"\0\0\0\x20\0\0\0\1\x7f\xff\xff\xff" + b"\0" * 24
    ),
    "HTTP/2 without an answer": Pattern(b"\0\0\0\4\0\0\0\0\0"),
    "HTTP/2 goodbye": Pattern(b"\0\0\0\4\0\0\0\0\0\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    "HTTP/2 head that cannot be read": Pattern(
        b"\0\0\0\4\0\0\0\0\0\0\0\4\1\4\0\0\0\1\xff\xff\xff\xff"
    ),
}


@dataclass
class Peer:
    """Where it listens, and the most it could send to anyone."""

    port: int
    sent: list[int] = field(default_factory=list)


@asynccontextmanager
async def hostile(pattern: Pattern) -> AsyncIterator[Peer]:
    """Be a peer that goes by *pattern* for each connection."""
    peer = Peer(0)
    answering: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.append(asyncio.current_task())
        number = len(peer.sent)
        peer.sent.append(0)
        try:
            for piece in _said(pattern):
                writer.write(piece)
                await writer.drain()
                peer.sent[number] += len(piece)
                await asyncio.sleep(0.005 if pattern.end == "drips" else 0)
            await _last(pattern, reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALL)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        sock.bind(("127.0.0.1", 0))
        server = await asyncio.start_server(answer, sock=sock, backlog=512)
        peer.port = sock.getsockname()[1]
        async with server:
            yield peer
    for task in answering:
        assert task is not None
        task.cancel()
    await asyncio.gather(*filter(None, answering), return_exceptions=True)


def _said(pattern: Pattern) -> Iterable[bytes]:
    if pattern.end == "drips":
        return (bytes((byte,)) for byte in pattern.says)
    return _pieces(pattern)


def _pieces(pattern: Pattern) -> Iterator[bytes]:
    yield pattern.says
    left = ENOUGH if pattern.endless else 0
    while left > 0:
        yield pattern.endless
        left -= len(pattern.endless)


async def _last(
    pattern: Pattern, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    if pattern.end == "resets":
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    elif pattern.end != "closes":
        while data := await reader.read(4096):
            if pattern.end == "echoes":
                writer.write(data)
                await writer.drain()
