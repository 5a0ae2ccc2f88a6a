"""postgresql://user:password@host:5432/db -- accepts connections; with credentials: login works.

Without credentials it is what `pg_isready` does: a server that asks for a password accepts
connections. A password, `query`, `schema` or `role` makes it a login by asyncpg, and each of them
has to hold. A user name alone is no credential.

`query` is to be true for the app: its first value must not be false, 0 or NULL. `equals=VALUE`
wants that value, as text, and `rows=N` that many rows. `schema=TOOL:VERSION`, repeatable, wants the
migration that the app needs to have run: alembic, atlas (Ent has it too), django
(`APP.MIGRATION`), ecto, efcore, flyway, golang-migrate, goose, knex, laravel, liquibase (`ID`),
prisma, rails, sequelize. A VERSION that begins with / is a file that holds it. Alembic notes no
more than where the schema is, so its VERSION must be a current revision.

PostgreSQL's image starts its server twice when it creates the database, the first time on the unix
socket only. Over TCP gate sees the second start alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gate.checks.postgresql import protocol as wire
from gate.checks.postgresql import tls_mode
from gate.checks.postgresql.roles import ROLES
from gate.checks.postgresql.tls_mode import Way
from gate.checks.wire import database_url, migrations, query_answer, secret_file
from gate.checks.wire.several_hosts import first_ready
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gate.checks.wire.database_url import Server
    from gate.checks.wire.query_answer import Question
    from gate.core.target import Target

_PORT = 5432
_NOBODY = "postgres"
_NO_ENTRY = "28000"
_POOLER = "08P01"
_POOLER_DENIES = frozenset(
    {
        "no such user",
        '"trust" authentication failed',
        "certificate authentication failed",
        "unix socket login rejected",
        "login rejected",
    }
)
"""How PgBouncer says no. As a whole: it has the same code for a server that it cannot reach,
and may quote there that its own password was not taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgresql:
    """Asks each server until one is ready."""

    servers: tuple[Server, ...]
    security: tls_mode.Security
    user: str
    database: str
    written_password: str = field(repr=False)
    password_file: str
    options: str
    """Of a session, as the server's command line would have them (`-csearch_path=app`)."""
    questions: tuple[Question, ...]
    driver: Any = None
    """The module that logs in; None where accepting connections is enough."""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless one of the servers is ready."""
        # Once for all servers, and before one of them waits for it.
        password = self.written_password
        if self.password_file:
            password = await secret_file.read(self.password_file, "password-file")
        asked = await query_answer.current(self.questions)
        await first_ready(
            {str(server): partial(self._ask, server, password, asked) for server in self.servers}
        )

    async def _ask(self, server: Server, password: str, asked: tuple[Question, ...]) -> None:
        """Raise `CheckFailed` unless *server* is ready, by one way or the other."""
        *others, last = self.security.ways(is_unix=server.is_unix)
        for way in others:
            connect = partial(wire.connect, server, self.security, way)
            link = await connect()
            try:
                return await self._talk(link, connect, password, asked)
            except CheckFailed as exc:
                if way is Way.OFFERED and link.tls is None:
                    raise
                if not _is_about_the_way(exc):
                    raise
        connect = partial(wire.connect, server, self.security, last)
        return await self._talk(await connect(), connect, password, asked)

    async def _talk(
        self,
        link: wire.Link,
        connect: Callable[[], Awaitable[wire.Link]],
        password: str,
        asked: tuple[Question, ...],
    ) -> None:
        if self.driver is not None:
            account = (self.user, password, self.database or self.user, self.options)
            await self.driver.ask(link, connect, account, asked)
            return
        try:
            await wire.start(link, self.user or _NOBODY, self.database)
        except wire.Refused as exc:
            if not self._means_accepting(exc):
                raise

    def _means_accepting(self, exc: wire.Refused) -> bool:
        """Whether a server that refuses us like that is ready for those it knows."""
        unnamed = exc.sqlstate == "3D000" and not self.database
        pooled = exc.sqlstate == _POOLER and str(exc) in _POOLER_DENIES
        return exc.sqlstate.startswith("28") or unnamed or pooled


def _is_about_the_way(exc: CheckFailed) -> bool:
    """Whether it may be better with TLS, or without: `pg_hba.conf` can tell them apart."""
    if isinstance(exc, wire.Refused):
        return exc.sqlstate == _NO_ENTRY
    return not isinstance(exc, Absent)


def parse(target: Target) -> Postgresql:
    """Return the check that *target* describes."""
    query = dict(target.url.query)
    role = ROLES[target.choice("role", tuple(ROLES), _role_of_url(target, query))]
    asked = (*migrations.parse(target), *query_answer.parse(target))
    asked = asked if role is None else (role, *asked)
    password = target.url.password or query.get("password", "")
    password_file = secret_file.path_option(target, "password-file")
    check = Postgresql(
        servers=database_url.servers(target, _PORT),
        security=tls_mode.parse(target, query),
        user=target.url.username or query.get("user", ""),
        database=database_url.database(target) or query.get("dbname", ""),
        written_password=password,
        password_file=password_file,
        options=query.get("options", ""),
        questions=asked,
        driver=_driver() if password or password_file or asked else None,
    )
    _doubt(check, target)
    if "service" in query:
        target.problem(
            "service: gate reads no service file; write host, database and so on in the URL"
        )
    return check


def _role_of_url(target: Target, query: dict[str, str]) -> str:
    role = query.get("target_session_attrs", "any")
    if role not in ROLES:
        target.problem(f"target_session_attrs: the URL's is not one of {', '.join(ROLES)}")
        return "any"
    return role


def _doubt(check: Postgresql, target: Target) -> None:
    """Note what cannot work."""
    if check.driver is not None and not check.user:
        form = f"{target.url.scheme}://user@host/database"
        target.problem(f"a password, query, schema or role wants a user to log in as; write {form}")
    if check.written_password and check.password_file:
        target.problem("password-file: the URL holds a password already; give one of them")
    texts = {"user": check.user, "database": check.database, "options": check.options}
    database_url.without_nul(target, **texts)


def _driver() -> Any:  # noqa: ANN401 -- a module
    return import_module("gate.checks.postgresql.driver")
