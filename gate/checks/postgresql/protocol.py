"""The beginning of a PostgreSQL connection: TLS if wanted, and what the server says first.

Protocol 3.0, as in "Message Formats" of the PostgreSQL manual.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.wire.dial import dial, dial_unix, wrap
from gate.checks.wire.reasons import reason_of
from gate.checks.wire.tls_options import closing
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    import socket
    import ssl

    from gate.checks.postgresql.tls_mode import Security, Way
    from gate.checks.wire.database_url import Server

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_PROTOCOL = 196608
_TERMINATE = b"X\0\0\0\4"
_AUTHENTICATION_OK = b"\0\0\0\0"
_LONGEST = 30_000
_MOST_MESSAGES = 200
_STRANGER = "the server does not speak PostgreSQL on this port"


class Refused(CheckFailed):
    """The server has refused, and said why by `sqlstate`."""

    def __init__(self, text: str, sqlstate: str) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


@dataclass(frozen=True, slots=True)
class Link:
    """A connected socket on which TLS is to begin now if there is a context for it."""

    sock: socket.socket
    tls: ssl.SSLContext | None
    server_name: str


async def connect(server: Server, security: Security, way: Way) -> Link:
    """Return a connection to *server*, agreed on TLS as *way* says; raises `CheckFailed`."""
    name = security.tls.name_for(server.name)
    context = await security.context() if way.asks else None
    sock = await _dial(server)
    try:
        offered = context is not None and await _offers_tls(sock)
    except BaseException as exc:
        sock.close()
        if isinstance(exc, OSError):
            raise CheckFailed(reason_of(exc)) from exc
        raise
    if way.insists and not offered:
        sock.close()
        msg = "TLS: the server does not offer it"
        raise CheckFailed(msg)
    return Link(sock, context if offered else None, name)


async def start(link: Link, user: str, database: str) -> None:
    """Return if the server at *link* accepts connections; raises `Refused` or `CheckFailed`.

    It does when it asks for credentials: hanging up then is what clients without a password
    do, and leaves no line in the server's log.
    """
    reader, writer = await wrap(link.sock, tls=link.tls, server_name=link.server_name)
    attempt.enter_stage("startup")
    async with closing(writer):
        try:
            writer.write(_startup(user, database))
            if await _let_in(reader):
                writer.write(_TERMINATE)
        except asyncio.IncompleteReadError as exc:
            msg = "connection closed during startup"
            raise CheckFailed(msg) from exc
        except OSError as exc:
            raise CheckFailed(reason_of(exc)) from exc


def refused(sqlstate: str, message: str, detail: str = "", doing: str = "") -> Refused:
    """Return the failure that a server's error means, in a person's words."""
    text = " ".join(message.split()).rstrip(".")
    if sqlstate == "57P03":
        text = text.removeprefix("the database system is ")
        text = f"{text}: {_lowered(detail)}" if detail else text
    elif sqlstate == "53300":
        text = "too many connections"
    elif sqlstate.startswith("28"):
        text = f"login refused: {text}"
    elif doing and sqlstate != "3D000":
        text = f"{doing} failed: {text}"
    return Refused(text, sqlstate)


def _lowered(text: str) -> str:
    text = " ".join(text.split()).rstrip(".")
    return text[:1].lower() + text[1:]


async def _dial(server: Server) -> socket.socket:
    if not server.is_unix:
        return await dial(server.host, server.port)
    folder = server.host.rstrip("/")
    return await dial_unix(folder if ".s.PGSQL." in folder else f"{folder}/.s.PGSQL.{server.port}")


async def _offers_tls(sock: socket.socket) -> bool:
    """Ask on the bare socket: what came with the answer in the clear must not pass for TLS."""
    attempt.enter_stage("TLS request")
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, _SSL_REQUEST)
    answer = await loop.sock_recv(sock, 1)
    if answer == b"":
        msg = "connection closed at the request for TLS"
        raise CheckFailed(msg)
    if answer == b"E":
        # Not to be read: anybody between could have written it.
        msg = "the server answers the request for TLS with an error; its log says which"
        raise CheckFailed(msg)
    if answer not in {b"S", b"N"}:
        raise CheckFailed(_STRANGER)
    return answer == b"S"


def _startup(user: str, database: str) -> bytes:
    settings = {"user": user, "database": database, "application_name": "gate"}
    pairs = "".join(f"{name}\0{value}\0" for name, value in settings.items() if value)
    body = struct.pack("!i", _PROTOCOL) + pairs.encode() + b"\0"
    return struct.pack("!i", len(body) + 4) + body


async def _let_in(reader: asyncio.StreamReader) -> bool:
    """Return whether a session has begun, False if credentials are asked for."""
    for _ in range(_MOST_MESSAGES):
        kind, body = await _message(reader)
        if kind == b"E":
            fields = _fields(body)
            raise refused(fields.get("C", ""), fields.get("M", ""), fields.get("D", ""))
        if kind == b"Z":
            return True
        if kind == b"R" and body != _AUTHENTICATION_OK:
            return False
    raise CheckFailed(_STRANGER)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind = await reader.readexactly(1)
    if kind not in b"EKNRSZv":
        raise CheckFailed(_STRANGER)
    start = await reader.readexactly(4)
    length = int.from_bytes(start) - len(start)
    if 0 <= length <= _LONGEST:
        return kind, await reader.readexactly(length)
    if kind == b"E":
        # A server that cannot fork says so as versions before 7.4 did: text up to a NUL.
        text = (start + await reader.read(_LONGEST)).partition(b"\0")[0]
        raise refused(sqlstate="", message=text.decode(errors="replace"))
    raise CheckFailed(_STRANGER)


def _fields(body: bytes) -> dict[str, str]:
    """Return the fields of an error by their one-letter names."""
    texts = body.decode(errors="replace").split("\0")
    return {text[0]: text[1:] for text in texts if text}
