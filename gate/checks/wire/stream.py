"""Conversations in lines or frames: bounded, always closed, with failures in words."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate.checks.wire import tls_options
from gate.checks.wire.dial import dial, dial_unix, wrap
from gate.checks.wire.reasons import reason_of
from gate.core import attempt
from gate.core.errors import CheckFailed
from gate.core.url import Host

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from gate.checks.wire.tls_options import Tls
    from gate.core.target import Target

LONGEST = 64 * 1024
"""Bytes of one answer that are read."""

_UNIX = frozenset({"unix", "socket"})
_NO_SECRETS = (
    # Of Redis.
    *("db", "virtualhost", "clientname", "protocol", "retryontimeout", "decoderesponses"),
    *("sockettimeout", "socketconnecttimeout", "healthcheckinterval", "maxconnections"),
    *("sslcertreqs", "sslcacerts", "sslcapath", "sslcertfile", "sslkeyfile", "sslcheckhostname"),
    # Of AMQP.
    *("heartbeat", "connectionattempts", "connectiontimeout", "blockedconnectiontimeout"),
    *("retrydelay", "channelmax", "framemax", "locale", "authmechanism", "timeout"),
    *("cacertfile", "certfile", "keyfile", "cafile", "verify", "noverifyssl"),
    "servernameindication",
)
"""Parameters of the query that drivers know, as by `plain`."""


class Closed(CheckFailed):
    """The server has ended the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a server listens: a host and port, or a unix socket; over TLS if there is one."""

    host: str = ""
    port: int = 0
    path: str = ""
    tls: Tls | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Conversation]:
        """Connect, and close whatever happens; raises `CheckFailed`."""
        context = await self.tls.context() if self.tls else None
        sock = await (dial_unix(self.path) if self.path else dial(self.host, self.port))
        name = self.tls.name_for(self.host) if self.tls else ""
        reader, writer = await wrap(sock, tls=context, server_name=name)
        async with tls_options.closing(writer):
            talk = Conversation(reader, writer)
            try:
                yield talk
            finally:
                talk.flush()

    def __str__(self) -> str:
        return self.path or str(Host(self.host, self.port))


class Conversation:
    """One connection to a server; what goes wrong on it is a `CheckFailed`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._unsent = bytearray()

    def send(self, data: bytes) -> None:
        """Send *data*, at the latest when an answer is awaited.

        Everything before an answer goes in one write: on a connection that the server has closed, a
        second write fails, and asyncio then drops what the server has said.
        """
        self._unsent += data

    def flush(self) -> None:
        """Send what is unsent, without waiting."""
        if self._unsent:
            self._writer.write(bytes(self._unsent))
            self._unsent.clear()

    async def line(self) -> bytes:
        """Return the next line, without its line break."""
        self.flush()
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as exc:
            raise CheckFailed(_TOO_LONG) from exc
        except (asyncio.IncompleteReadError, OSError) as exc:
            raise _ended(exc) from exc
        return line.rstrip(b"\r\n")

    async def exactly(self, count: int) -> bytes:
        """Return the next *count* bytes."""
        if count > LONGEST:
            raise CheckFailed(_TOO_LONG)
        self.flush()
        try:
            return await self._reader.readexactly(count)
        except (asyncio.IncompleteReadError, OSError) as exc:
            raise _ended(exc) from exc

    async def start_tls(self, tls: Tls, host: str) -> None:
        """Go on over *tls*; the server, called *host*, has agreed to that."""
        context = await tls.context()
        attempt.enter_stage("TLS handshake")
        try:
            await self._writer.start_tls(context, server_hostname=tls.name_for(host))
        except OSError as exc:
            raise CheckFailed(reason_of(exc)) from exc


def endpoint(target: Target, plain: Mapping[str, int], tls: Mapping[str, int]) -> Endpoint:
    """Return the one place where *target* is, as `endpoints` does."""
    if len(target.url.hosts) > 1:
        target.problem(f"the URL wants one host and a port; write {target.url.scheme}://host:port")
    return next(iter(endpoints(target, plain, tls)), Endpoint())


def endpoints(
    target: Target, plain: Mapping[str, int], tls: Mapping[str, int]
) -> tuple[Endpoint, ...]:
    """Return where *target* is; the maps are the schemes, without and with TLS, to ports.

    `SCHEME+unix:///path` is a unix socket.
    """
    target.show(*_NO_SECRETS)
    scheme, _, form = target.url.scheme.partition("+")
    if form in _UNIX and scheme in plain:
        return (_socket(target),)
    scheme = target.url.scheme
    if scheme not in {**plain, **tls}:
        target.problem(f"{scheme}: unknown scheme; gate has {', '.join((*plain, *tls))}")
    if not target.url.hosts:
        target.problem(f"the URL wants a host; write {scheme}://host:port")
    port = plain.get(scheme) or tls.get(scheme, 0)
    secured = tls_options.parse(target) if scheme in tls else None
    return tuple(
        Endpoint(host=host.name, port=host.port or port, tls=secured) for host in target.url.hosts
    )


def phrase(text: bytes | str) -> str:
    """Return a server's text in a form that reads well after a colon."""
    shown = text.decode(errors="replace") if isinstance(text, bytes) else text
    return " ".join(shown.split()).rstrip(".")


def _socket(target: Target) -> Endpoint:
    path = unquote(target.url.path)
    if target.url.hosts or not path.startswith("/"):
        form = f"{target.url.scheme}:///run/server.sock"
        target.problem(f"the URL wants an absolute path; write {form}")
    target.keep_path(path)
    return Endpoint(path=path)


_TOO_LONG = "the answer is too long"


def _ended(exc: asyncio.IncompleteReadError | OSError) -> Closed:
    """Return the failure for a connection that ended where more was wanted."""
    if isinstance(exc, OSError):
        return Closed(reason_of(exc))
    if exc.partial:
        return Closed("connection closed in the middle of an answer")
    return Closed("connection closed without an answer")
