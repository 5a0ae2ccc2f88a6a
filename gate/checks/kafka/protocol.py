"""Kafka's wire protocol, as much as it takes to log in and to read a topic's metadata.

The oldest versions of each message that do the job: brokers from 0.11 (2017) to 4.x speak
them all, and none has the compact encodings. Formats: kafka.apache.org/protocol.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gate.checks.wire.cursor import Cursor
from gate.checks.wire.stream import LONGEST
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.checks.wire.stream import Conversation

T = TypeVar("T")
_MOST = 4 * 1024 * 1024
"""Bytes of an answer: a partition has about fifty, some topics have thousands."""

_CLIENT = "gate"
_METADATA, _SASL_HANDSHAKE, _API_VERSIONS, _SASL_AUTHENTICATE = 3, 17, 18, 36
_METADATA_VERSION = 4
"""The first in which a client may ask for a topic without creating it."""
_TLS_ALERT = b"\x15\x03"
"""As the size of an answer, it would be too long."""
_COUNT_SIZE = 4
"""Bytes of the number that an answer shares with its request."""


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of a topic; `leader` is a broker's id, negative where there is none."""

    number: int
    leader: int


@dataclass(frozen=True, slots=True)
class Topic:
    """What the broker knows of a topic; `error` is Kafka's code, 0 for none."""

    name: str
    error: int
    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the broker knows of its cluster."""

    brokers: int
    topics: tuple[Topic, ...]


class Connection:
    """One request and one answer at a time; every method raises `CheckFailed`."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._count = 0

    async def api_versions(self) -> None:
        """Ask what the broker speaks; raises where it is too old or no broker."""
        newest = await self._ask(_API_VERSIONS, 0, b"", _versions_in)
        if newest.get(_METADATA, -1) < _METADATA_VERSION:
            msg = "a Kafka older than 0.11, which creates the topics it is asked for"
            raise CheckFailed(msg)

    async def sasl_handshake(self, mechanism: str) -> tuple[int, list[str]]:
        """Return Kafka's error code for *mechanism* and the mechanisms it takes."""
        return await self._ask(_SASL_HANDSHAKE, 1, text(mechanism), _handshake_in)

    async def sasl_authenticate(self, token: bytes) -> tuple[int, str, bytes]:
        """Return Kafka's error code, its message and the server's next token."""
        body = struct.pack(">i", len(token)) + token
        return await self._ask(_SASL_AUTHENTICATE, 0, body, _token_in)

    async def metadata(self, topics: tuple[str, ...]) -> Metadata:
        """Return the brokers and *topics*; none is created by asking."""
        names = struct.pack(">i", len(topics)) + b"".join(map(text, topics))
        return await self._ask(_METADATA, _METADATA_VERSION, names + b"\0", _metadata_in)

    async def _ask(self, api: int, version: int, body: bytes, read: Callable[[Reader], T]) -> T:
        self._count += 1
        head = struct.pack(">hhi", api, version, self._count) + text(_CLIENT)
        self._talk.send(struct.pack(">i", len(head) + len(body)) + head + body)
        start = await self._talk.exactly(4)
        if start.startswith(_TLS_ALERT):
            msg = "the server speaks TLS on this port"
            raise CheckFailed(msg)
        size, count = struct.unpack(">ii", start + await self._talk.exactly(_COUNT_SIZE))
        if not _COUNT_SIZE <= size <= _MOST or count != self._count:
            raise _not_kafka()
        answer = await self._whole(size - _COUNT_SIZE)
        try:
            return read(Reader(answer))
        except ValueError as exc:
            raise _not_kafka() from exc

    async def _whole(self, size: int) -> bytes:
        parts = []
        while size:
            parts.append(await self._talk.exactly(min(size, LONGEST)))
            size -= len(parts[-1])
        return b"".join(parts)


class Reader(Cursor):
    """Reads Kafka's primitive types forward."""

    def int8(self) -> int:
        """Return one byte."""
        return self.take(1)[0]

    def int16(self) -> int:
        """Return two bytes as a number."""
        return int.from_bytes(self.take(2), signed=True)

    def int32(self) -> int:
        """Return four bytes as a number."""
        return int.from_bytes(self.take(4), signed=True)

    def text(self) -> str:
        """Return a string, empty for null."""
        size = self.int16()
        return "" if size == -1 else self.take(size).decode()

    def bytes(self) -> bytes:
        """Return bytes, none for null."""
        size = self.int32()
        return b"" if size == -1 else self.take(size)

    def array(self, item: Callable[[], T]) -> list[T]:
        """Return as many of *item* as there are, none for null."""
        count = self.int32()
        if count > len(self._data):
            msg = "more items than bytes"
            raise ValueError(msg)
        return [item() for _ in range(count)]


def text(value: str) -> bytes:
    """Return *value* as Kafka writes strings."""
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def _not_kafka() -> CheckFailed:
    return CheckFailed("not Kafka on this port")


def _versions_in(read: Reader) -> dict[int, int]:
    """Return the newest version of each message the broker speaks."""
    if read.int16() != 0:
        msg = "an error where none can be"
        raise ValueError(msg)
    ranges = read.array(lambda: (read.int16(), read.int16(), read.int16()))
    return {api: newest for api, _, newest in ranges}


def _handshake_in(read: Reader) -> tuple[int, list[str]]:
    return read.int16(), read.array(read.text)


def _token_in(read: Reader) -> tuple[int, str, bytes]:
    return read.int16(), read.text(), read.bytes()


def _metadata_in(read: Reader) -> Metadata:
    read.int32()  # how long this client is slowed down
    brokers = read.array(lambda: (read.int32(), read.text(), read.int32(), read.text()))
    read.text()  # cluster id
    read.int32()  # controller
    return Metadata(len(brokers), tuple(read.array(lambda: _topic_in(read))))


def _topic_in(read: Reader) -> Topic:
    error, name = read.int16(), read.text()
    read.int8()  # internal
    return Topic(name, error, tuple(read.array(lambda: _partition_in(read))))


def _partition_in(read: Reader) -> Partition:
    read.int16()  # its error: with a leader it can be used all the same
    partition = Partition(read.int32(), read.int32())
    read.array(read.int32)  # replicas
    read.array(read.int32)  # those in sync
    return partition
