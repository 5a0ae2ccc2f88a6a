"""One visit to a MySQL or MariaDB server: greeting, TLS, login, questions, goodbye."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.checks.mysql import protocol as wire
from gate.checks.mysql.auth import Exchange
from gate.checks.mysql.greeting import greet
from gate.checks.wire.dial import dial, dial_unix, wrap
from gate.checks.wire.tls_options import closing
from gate.core import attempt

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from gate.checks.mysql.greeting import Greeting
    from gate.checks.mysql.protocol import Conversation
    from gate.checks.wire.database_url import Server
    from gate.checks.wire.query_answer import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who logs in, and into which database."""

    user: str
    password: str = field(default="", repr=False)
    database: str = ""


NOBODY = Account(user="gate")
"""A user that the server does not know.

Without a password the app's own user is never tried, as accounts can be locked after failed logins.
"""


class Session:
    """A connection whose greeting is yet to be answered."""

    def __init__(
        self, talk: Conversation, greeting: Greeting, account: Account, certificate: bytes
    ) -> None:
        self._talk = talk
        self._greeting = greeting
        self._account = account
        self.certificate = certificate
        """The server's, DER; empty without TLS."""

    async def be_denied(self) -> None:
        """Return if the server accepts connections: it denies the login of `NOBODY`."""
        try:
            await self._log_in(NOBODY, is_secret=False)
        except wire.Refused as exc:
            if not exc.is_denial:
                raise
        else:
            self.leave()

    async def log_in(self, *, is_secret: bool) -> None:
        """Return when the account is logged in; raises `Refused` or `CheckFailed`."""
        await self._log_in(self._account, is_secret=is_secret)

    async def answer(self, sql: str, rows: int = 1) -> Answer:
        """Return what *sql* gives, of which *rows* and a few more are counted."""
        attempt.enter_stage("query")
        return await self._talk.question(sql, max(rows, wire.MOST_ROWS))

    def leave(self) -> None:
        """Take leave after a login."""
        self._talk.leave()

    async def _log_in(self, account: Account, *, is_secret: bool) -> None:
        attempt.enter_stage("login")
        has_tls = bool(self.certificate)
        exchange = Exchange(self._talk, account.password, is_secret=is_secret, has_tls=has_tls)
        plugin, answer = exchange.begin(self._greeting)
        response = wire.response(
            account.user,
            answer,
            plugin=plugin,
            # What the request for TLS has announced must be there.
            database=self._account.database,
            tls=has_tls,
        )
        self._talk.send(response)
        await exchange.finish()


@asynccontextmanager
async def visit(
    server: Server, account: Account, tls: ssl.SSLContext | None, server_name: str
) -> AsyncIterator[Session]:
    """Yield a session with *server*, over *tls* if it is given and the server offers it."""
    sock = await (dial_unix(server.host) if server.is_unix else dial(server.host, server.port))
    greeting = await greet(sock)
    if tls is not None and greeting.offers_tls:
        wire.request_tls(sock, database=account.database)
    else:
        tls = None
    reader, writer = await wrap(sock, tls=tls, server_name=server_name)
    async with closing(writer):
        talk = wire.Conversation(reader, writer, sequence=2 if tls else 1)
        yield Session(talk, greeting, account, _certificate(writer))


def _certificate(writer: asyncio.StreamWriter) -> bytes:
    tls = writer.get_extra_info("ssl_object")
    return tls.getpeercert(binary_form=True) or b"" if isinstance(tls, ssl.SSLObject) else b""
