"""mssql://host[:port][/database] -- the server answers; with a password: the login works.

`sqlserver` is the same. Without a password only PRELOGIN is said, the first message of TDS, which
is answered while databases are still being recovered; with one, the database must be open to the
user. A login is never sent without TLS, unless the server has none. Its certificate is verified
unless `insecure` says otherwise, or the URL as the drivers read it (TrustServerCertificate, Encrypt
off). Of several hosts one is enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from gate.checks.mssql import login, packets, tls
from gate.checks.mssql.login import Account
from gate.checks.wire import credentials, database_url, tls_options
from gate.checks.wire.several_hosts import first_ready
from gate.checks.wire.stream import Conversation, Endpoint
from gate.core import attempt
from gate.core.errors import CheckFailed
from gate.core.target import FALSE, TRUE, plain

if TYPE_CHECKING:
    from gate.checks.mssql.packets import Channel
    from gate.checks.wire.credentials import Login
    from gate.checks.wire.tls_options import Tls
    from gate.core.target import Target

PORT = 1433
_OFF = FALSE | {"disable", "optional"}
_DATABASES = ("database", "databasename", "initialcatalog")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlServer:
    """Says PRELOGIN, and logs in where it can."""

    endpoints: tuple[Endpoint, ...]
    tls: Tls
    is_tls_demanded: bool = False
    login: Login | None = None
    database: str = ""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a server answers, and accepts the login if any."""
        await first_ready({str(place): partial(self._ask, place) for place in self.endpoints})

    async def _ask(self, place: Endpoint) -> None:
        async with place.open() as talk:
            attempt.enter_stage("PRELOGIN")
            wish = packets.ENCRYPTION_ON if self.login else packets.ENCRYPTION_OFF
            packets.send(talk, packets.PRELOGIN, packets.prelogin(wish))
            offer = packets.encryption(await packets.receive(talk, packets.ANSWER))
            if self.login:
                channel = await self._channel(talk, offer, place.host)
                await self._log_in(channel, self.login, place.host)

    async def _channel(self, talk: Conversation, offer: int, host: str) -> Channel:
        """Return what the login goes through: TLS wherever the server has it."""
        if offer != packets.ENCRYPTION_NONE:
            return await tls.begin(talk, self.tls, host)
        if self.is_tls_demanded:
            msg = "TLS: the server offers none"
            raise CheckFailed(msg)
        return talk

    async def _log_in(self, channel: Channel, who: Login, host: str) -> None:
        attempt.enter_stage("login")
        account = Account(user=who.username, password=await who.password(), database=self.database)
        if len(account.password) > login.LONGEST_NAME:
            msg = f"the password is longer than the {login.LONGEST_NAME} characters of SQL Server"
            raise CheckFailed(msg)
        packets.send(channel, packets.LOGIN, login.message(account, host))
        login.judge(await packets.receive(channel, packets.ANSWER))


def parse(target: Target) -> SqlServer:
    """Return the check that *target* describes."""
    query = {plain(name): value for name, value in target.url.query}
    target.show("encrypt", "trustservercertificate", "driver", *_DATABASES)
    given = tls_options.parse(target)
    is_trusting = query.get("trustservercertificate", "").lower() in TRUE
    is_off = query.get("encrypt", "").lower() in _OFF
    who = credentials.parse(target)
    if who and not (who.written_password or who.password_file):
        who = None
    if who and not who.username:
        target.problem(f"a password wants a user; write {target.url.scheme}://user@host/database")
    database = database_url.database(target) or database_url.parameter(query, *_DATABASES)
    if max(len(database), len(who.username) if who else 0) > login.LONGEST_NAME:
        target.problem(f"user or database is longer than {login.LONGEST_NAME} characters")
    return SqlServer(
        endpoints=tuple(
            Endpoint(host=server.host, port=server.port)
            for server in database_url.servers(target, PORT, sockets=())
        ),
        tls=replace(given, insecure=given.insecure or is_trusting or is_off),
        is_tls_demanded=given != tls_options.Tls(),
        login=who,
        database=database,
    )
