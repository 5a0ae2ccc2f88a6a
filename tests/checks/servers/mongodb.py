"""A MongoDB that says hello and lets users in; nothing else of a database.

No real one can be had here: neither Debian nor PyPI has a server. This one speaks what the
documents say: OP_MSG (the wire protocol reference), BSON by pymongo's own package, the
answers to `hello` of each type of server in the table of the Server Discovery and Monitoring
specification, SCRAM-SHA-256 and SCRAM-SHA-1 with `saslStart`, `saslContinue` and speculative
authentication as in the Authentication specification, with the error codes of a 7.0 server.
That it is faithful enough is tested by pymongo: it logs in, fails to and is told who is primary.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import bson

from tests.checks.servers.scram import Conversation, RefusedError

Document = dict[str, Any]

_OP_MSG = 2013
_LIMITS = {
    "maxBsonObjectSize": 16777216,
    "maxMessageSizeBytes": 48000000,
    "maxWriteBatchSize": 100000,
    "logicalSessionTimeoutMinutes": 30,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "readOnly": False,
}
_MEMBER = {
    "setName": "rs0",
    "setVersion": 1,
    "hosts": ["a:27017", "b:27017"],
    "primary": "a:27017",
    "me": "b:27017",
    "electionId": bson.ObjectId("7fffffff0000000000000001"),
    "lastWrite": {"opTime": {"ts": bson.Timestamp(1, 1), "t": bson.Int64(1)}},
}

STANDALONE: Document = {"isWritablePrimary": True}
PRIMARY: Document = _MEMBER | {"isWritablePrimary": True, "secondary": False}
SECONDARY: Document = _MEMBER | {"isWritablePrimary": False, "secondary": True}
ARBITER: Document = _MEMBER | {
    "isWritablePrimary": False,
    "secondary": False,
    "arbiterOnly": True,
}
RECOVERING: Document = _MEMBER | {"isWritablePrimary": False, "secondary": False}
NOT_INITIATED: Document = {
    "isWritablePrimary": False,
    "secondary": False,
    "isreplicaset": True,
    "info": "Does not have a valid replica set config",
}
MONGOS: Document = {"isWritablePrimary": True, "msg": "isdbgrid"}


class CommandError(Exception):
    """An error document."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(text)
        self.document = {"ok": 0.0, "errmsg": text, "code": code, "codeName": name}


SHUTTING_DOWN = CommandError(91, "ShutdownInProgress", "The server is in quiesce mode")


@dataclass
class Server:
    """`me` is what it says of itself, an error where it cannot even do that."""

    me: Document | CommandError = field(default_factory=lambda: STANDALONE)
    passwords: dict[str, str] = field(default_factory=dict)
    knows_hello: bool = True
    """Servers before 4.4.2 know only `isMaster`."""
    commands: list[str] = field(default_factory=list)
    """What it was asked, in order."""
    takes_certificates: bool = False
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while nobody is connected any more."""
    connections: int = 0

    @asynccontextmanager
    async def listening(
        self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, path: str = ""
    ) -> AsyncIterator[int]:
        if path:
            server = await asyncio.start_unix_server(self._serve, path)
        else:
            server = await asyncio.start_server(self._serve, host, 0, ssl=tls)
        async with server:
            yield 0 if path else server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.idle.clear()
        session = Session(self)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    await self._answer(session, reader, writer)
        finally:
            writer.close()
            self.connections -= 1
            if not self.connections:
                self.idle.set()

    async def _answer(
        self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        size, request, _, code = struct.unpack("<iiii", await reader.readexactly(16))
        body = await reader.readexactly(size - 16)
        if code != _OP_MSG or body[4] != 0:
            raise ConnectionError
        command = bson.decode(body[5:])
        self.commands.append(next(iter(command)))
        answer = b"\0\0\0\0\0" + bson.encode(session.answer(command))
        writer.write(struct.pack("<iiii", 16 + len(answer), 1, request, _OP_MSG) + answer)
        await writer.drain()


class Session:
    """One connection: who is logged in."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._login: Conversation | None = None
        self._is_short = False
        self._is_proven = False

    def answer(self, command: Document) -> Document:
        name = next(iter(command))
        known: dict[str, Callable[[Document], Document]] = {
            "hello": self._hello,
            "isMaster": self._hello,
            "ismaster": self._hello,
            "saslStart": self._start,
            "saslContinue": self._go_on,
            "authenticate": self._know_certificate,
            "ping": lambda _: {},
            "endSessions": lambda _: {},
        }
        if not self._server.knows_hello:
            del known["hello"]
        try:
            if name not in known:
                return CommandError(59, "CommandNotFound", f"no such command: '{name}'").document
            return known[name](command) | {"ok": 1.0}
        except CommandError as exc:
            return exc.document

    def _hello(self, command: Document) -> Document:
        if isinstance(self._server.me, CommandError):
            raise self._server.me
        answer: Document = _LIMITS | self._server.me
        if next(iter(command)) != "hello":
            answer["ismaster"] = answer.pop("isWritablePrimary")
        if "saslSupportedMechs" in command:
            answer["saslSupportedMechs"] = ["SCRAM-SHA-1", "SCRAM-SHA-256"]
        if "saslStart" in command.get("speculativeAuthenticate", {}):
            answer["speculativeAuthenticate"] = self._start(command["speculativeAuthenticate"])
        return answer

    def _know_certificate(self, command: Document) -> Document:
        if command["mechanism"] != "MONGODB-X509" or not self._server.takes_certificates:
            raise CommandError(18, "AuthenticationFailed", "Authentication failed.")
        return {"dbname": "$external", "user": "CN=app"}

    def _start(self, command: Document) -> Document:
        digest = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}.get(command["mechanism"])
        if digest is None:
            raise CommandError(334, "MechanismUnavailable", "Unsupported mechanism")
        passwords = dict(self._server.passwords)
        if digest == "sha1":
            passwords = {user: _digest(user, word) for user, word in passwords.items()}
        self._login = Conversation(digest, passwords, 15000 if digest == "sha256" else 10000)
        self._is_short = command.get("options", {}).get("skipEmptyExchange", False)
        return _step(self._login.first(command["payload"]), done=False)

    def _go_on(self, command: Document) -> Document:
        if self._login is None:
            raise CommandError(17, "ProtocolError", "No SASL session state found")
        if self._is_proven:
            return _step(b"", done=True)
        try:
            payload = self._login.last(command["payload"])
        except RefusedError:
            raise CommandError(18, "AuthenticationFailed", "Authentication failed.") from None
        self._is_proven = True
        return _step(payload, done=self._is_short)


def _digest(user: str, password: str) -> str:
    """Return what SCRAM-SHA-1 users of MongoDB have for a password."""
    return hashlib.md5(f"{user}:mongo:{password}".encode()).hexdigest()


def _step(payload: bytes, *, done: bool) -> Document:
    return {"conversationId": 1, "done": done, "payload": bson.Binary(payload)}
