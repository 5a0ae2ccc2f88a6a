"""A Kafka broker that tells versions and metadata and lets users in; it stores nothing.

No real one can be had here: neither Debian nor PyPI has a broker. This one follows the
message schemas of Apache Kafka (clients/src/main/resources/common/message) for ApiVersions
0-2, Metadata 0-5, SaslHandshake 0-1 and SaslAuthenticate 0-1, and the behaviour of
SaslServerAuthenticator and KafkaApis: a listener with SASL hangs up on anything before the
login, one without answers a handshake with ILLEGAL_SASL_STATE, and a topic asked for with
`allow_auto_topic_creation` comes to be. That it is faithful enough is tested by
librdkafka: it logs in, fails to, and reads the same metadata.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.checks.servers.scram import Conversation, RefusedError

METADATA, SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE = 3, 17, 18, 36
_VERSIONS = {METADATA: 5, SASL_HANDSHAKE: 1, API_VERSIONS: 2, SASL_AUTHENTICATE: 1}
_BEFORE_LOGIN = {SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE}
_DIGESTS = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}

NOT_FOUND, NO_LEADER, INVALID_TOPIC, NOT_ALLOWED = 3, 5, 17, 29


@dataclass
class Topic:
    """`leaders` by partition, -1 for none; `error` is Kafka's code."""

    leaders: dict[int, int] = field(default_factory=lambda: {0: 1})
    error: int = 0


@dataclass
class Broker:
    """`mechanisms` makes a listener with SASL of it; `brokers` are the node ids it knows."""

    topics: dict[str, Topic] = field(default_factory=dict)
    brokers: tuple[int, ...] = (1,)
    mechanisms: tuple[str, ...] = ()
    passwords: dict[str, str] = field(default_factory=dict)
    newest_metadata: int = 5
    rounds: int = 4096
    proves_itself: bool = True
    hangs_up_on: int = 0
    complaint: str = ""
    """What it says to whom it does not let in: that of a login module of its own."""
    requests: list[int] = field(default_factory=list)
    """What it was asked, in order."""
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nobody is connected any more."""
    connections: int = 0
    port: int = 0

    @asynccontextmanager
    async def listening(
        self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, host, 0, ssl=tls)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield self.port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.idle.clear()
        session = Session(self)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    size = int.from_bytes(await reader.readexactly(4))
                    answer = session.answer(await reader.readexactly(size))
                    writer.write(struct.pack(">i", len(answer)) + answer)
                    await writer.drain()
        finally:
            writer.close()
            self.connections -= 1
            if not self.connections:
                self.idle.set()


class Session:
    """One connection: who is logged in. A `ConnectionError` hangs up."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._is_open = not broker.mechanisms
        self._mechanism = ""
        self._login: Conversation | None = None

    def answer(self, request: bytes) -> bytes:
        api, version, count, name = struct.unpack(">hhih", request[:10])
        self._broker.requests.append(api)
        if api == self._broker.hangs_up_on or not (self._is_open or api in _BEFORE_LOGIN):
            raise ConnectionError
        handlers: dict[int, Callable[[int, bytes], bytes]] = {
            API_VERSIONS: self._versions,
            METADATA: self._metadata,
            SASL_HANDSHAKE: self._handshake,
            SASL_AUTHENTICATE: self._authenticate,
        }
        body = request[10 + max(name, 0) :]
        if version <= self._newest(api):
            return struct.pack(">i", count) + handlers[api](version, body)
        if api != API_VERSIONS:
            raise ConnectionError
        # KIP-511: in the oldest form, with the error, so that the client can step back.
        return struct.pack(">ih", count, 35) + self._versions(0, body)[2:]

    def _newest(self, api: int) -> int:
        return self._broker.newest_metadata if api == METADATA else _VERSIONS[api]

    def _versions(self, version: int, _: bytes) -> bytes:
        apis = [struct.pack(">hhh", api, 0, self._newest(api)) for api in _VERSIONS]
        throttle = struct.pack(">i", 0) if version >= 1 else b""
        return struct.pack(">h", 0) + _array(apis) + throttle

    def _metadata(self, version: int, body: bytes) -> bytes:
        names, rest = _texts_in(body)
        if version >= 4 and rest[0]:
            for name in names or ():
                self._broker.topics.setdefault(name, Topic())
        wanted = list(self._broker.topics) if names is None else names
        return b"".join(
            [
                struct.pack(">i", 0) if version >= 3 else b"",
                _array([self._node(node, version) for node in self._broker.brokers]),
                _text("cluster") if version >= 2 else b"",
                struct.pack(">i", 1) if version >= 1 else b"",
                _array([self._topic(name, version) for name in wanted]),
            ]
        )

    def _node(self, node: int, version: int) -> bytes:
        address = (
            struct.pack(">i", node) + _text("127.0.0.1") + struct.pack(">i", self._broker.port)
        )
        return address + (_text(None) if version >= 1 else b"")

    def _topic(self, name: str, version: int) -> bytes:
        topic = self._broker.topics.get(name, Topic({}, NOT_FOUND))
        internal = b"\0" if version >= 1 else b""
        leaders = {} if topic.error else topic.leaders
        partitions = [_partition(*pair, version) for pair in leaders.items()]
        return struct.pack(">h", topic.error) + _text(name) + internal + _array(partitions)

    def _handshake(self, _: int, body: bytes) -> bytes:
        if not self._broker.mechanisms:
            return struct.pack(">h", 34) + _array([])
        mechanism = _text_in(body)[0]
        is_known = mechanism in self._broker.mechanisms
        if is_known:
            self._mechanism = mechanism
            self._login = self._conversation(mechanism)
        error = 0 if is_known else 33
        return struct.pack(">h", error) + _array([_text(one) for one in self._broker.mechanisms])

    def _conversation(self, mechanism: str) -> Conversation | None:
        digest = _DIGESTS.get(mechanism)
        broker = self._broker
        return Conversation(digest, broker.passwords, broker.rounds) if digest else None

    def _authenticate(self, version: int, body: bytes) -> bytes:
        lifetime = struct.pack(">q", 0) if version >= 1 else b""
        try:
            token = self._step(body[4:])
        except RefusedError:
            if text := self._broker.complaint:
                return struct.pack(">h", -1) + _text(text) + struct.pack(">i", 0) + lifetime
            text = "Authentication failed: Invalid username or password"
            return struct.pack(">h", 58) + _text(text) + struct.pack(">i", 0) + lifetime
        return struct.pack(">h", 0) + _text(None) + struct.pack(">i", len(token)) + token + lifetime

    def _step(self, token: bytes) -> bytes:
        if self._login is None:
            _, user, password = token.decode().split("\0")
            if self._broker.passwords.get(user) != password:
                raise RefusedError
            self._is_open = True
            return b""
        if not self._login.user:
            return self._login.first(token)
        proof = self._login.last(token)
        self._is_open = True
        return proof if self._broker.proves_itself else b"v=AAAA"


def _partition(number: int, leader: int, version: int) -> bytes:
    error = NO_LEADER if leader < 0 else 0
    nodes = [struct.pack(">i", max(leader, 1))]
    offline = _array([]) if version >= 5 else b""
    return struct.pack(">hii", error, number, leader) + _array(nodes) + _array(nodes) + offline


def _array(items: list[bytes]) -> bytes:
    return struct.pack(">i", len(items)) + b"".join(items)


def _text(text: str | None) -> bytes:
    if text is None:
        return struct.pack(">h", -1)
    return struct.pack(">h", len(text.encode())) + text.encode()


def _text_in(body: bytes) -> tuple[str, bytes]:
    end = 2 + int.from_bytes(body[:2])
    return body[2:end].decode(), body[end:]


def _texts_in(body: bytes) -> tuple[list[str] | None, bytes]:
    count, rest = int.from_bytes(body[:4], signed=True), body[4:]
    names = []
    for _ in range(max(count, 0)):
        name, rest = _text_in(rest)
        names.append(name)
    return (None if count < 0 else names), rest
