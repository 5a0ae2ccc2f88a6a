"""mysql://user:password@host:3306/db -- accepts connections; with credentials: login works.

Without a password gate logs in as a user `gate`, which the server denies: so answers a server that
accepts connections. With a password, `query`, `schema` or `role` it is a real login, and each of
them must hold. No driver is needed. `query`, `equals`, `rows` and `schema` are those of
`postgresql`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from gate.checks.mysql import protocol as wire
from gate.checks.mysql import tls_mode
from gate.checks.mysql.route import Route
from gate.checks.mysql.session import NOBODY, Account
from gate.checks.wire import database_url, migrations, query_answer, secret_file
from gate.checks.wire.query_answer import has_row
from gate.checks.wire.several_hosts import first_ready
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.mysql.session import Session
    from gate.checks.wire.database_url import Server
    from gate.checks.wire.query_answer import Answer, Question
    from gate.core.target import Target

_PORT = 3306
_SOCKETS = ("unix_socket", "unix_sock", "socket")
_IS_PRIMARY = has_row(
    "SELECT 1 FROM DUAL WHERE CAST(@@GLOBAL.read_only AS CHAR) IN ('0', 'OFF')",
    "read-only, not primary",
)
# A few rows are enough, and what takes longer than an attempt must not go on beside the next.
# Either server reads its own kind of comment.
_LIMITS = (
    "SET sql_select_limit = {rows}"
    " /*M!100101 , max_statement_time = {seconds} */"
    " /*!50708 , max_execution_time = {milliseconds} */"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mysql:
    """Asks all servers until one is ready; without an account it asks for a denial."""

    servers: tuple[Server, ...]
    security: tls_mode.Security
    account: Account | None
    password_file: str
    questions: tuple[Question, ...]
    timeout: float

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless one of the servers is ready."""
        account = self.account
        if account is not None and self.password_file:
            # Once for all servers, and before one of them waits for it.
            password = await secret_file.read(self.password_file, "password-file")
            account = replace(account, password=password)
        await first_ready(
            {str(server): partial(self._ask, server, account) for server in self.servers}
        )

    async def _ask(self, server: Server, account: Account | None) -> None:
        insists = self.security.insists(is_unix=server.is_unix)
        asks = insists or (account is not None and self.security.prefers(is_unix=server.is_unix))
        # Before connecting: once there is a greeting it must be answered.
        route = Route(server, self.security, await self.security.context() if asks else None)
        async with route.visit(account or NOBODY) as session:
            if account is None or (insists and not session.certificate):
                await session.be_denied()
            if insists and not session.certificate:
                msg = "TLS: the server does not offer it"
                raise CheckFailed(msg)
            if account is not None:
                await self._use(session, is_secret=bool(session.certificate) or server.is_unix)

    async def _use(self, session: Session, *, is_secret: bool) -> None:
        await session.log_in(is_secret=is_secret)
        try:
            await self._question(session)
        finally:
            session.leave()

    async def _question(self, session: Session) -> None:
        """Raise `CheckFailed` unless role, schema and query, if wanted, are as they should be."""
        if not self.questions:
            return
        questions = await query_answer.current(self.questions)
        rows = max(question.most for question in questions)
        milliseconds = max(1, int(self.timeout * 1000))
        limits = _LIMITS.format(rows=rows, seconds=self.timeout, milliseconds=milliseconds)
        await session.answer(limits)
        for question in questions:
            question.judge(await _answer(session, question))


async def _answer(session: Session, question: Question) -> Answer:
    try:
        return await session.answer(question.sql, question.most)
    except wire.Refused as exc:
        if question.without_table and exc.is_without_table:
            raise CheckFailed(question.without_table) from exc
        raise


def parse(target: Target) -> Mysql:
    """Return the check that *target* describes."""
    query = dict(target.url.query)
    password_file = secret_file.path_option(target, "password-file")
    account = Account(
        user=target.url.username or query.get("user", ""),
        password=target.url.password or query.get("password", ""),
        database=database_url.database(target),
    )
    wants_primary = target.choice("role", ("any", "primary"), "any") == "primary"
    asked = (*migrations.parse(target, "`"), *query_answer.parse(target))
    asked = (_IS_PRIMARY, *asked) if wants_primary else asked
    is_login = bool(account.password or password_file or asked)
    if is_login:
        _doubt(account, password_file, target)
    return Mysql(
        servers=database_url.servers(target, _PORT, _SOCKETS),
        security=tls_mode.parse(target, query),
        account=account if is_login else None,
        password_file=password_file,
        questions=asked,
        timeout=target.timeout,
    )


def _doubt(account: Account, password_file: str, target: Target) -> None:
    """Note what cannot work."""
    if not account.user:
        form = f"{target.url.scheme}://user@host/database"
        target.problem(f"a password, query, schema or role wants a user to log in as; write {form}")
    if account.password and password_file:
        target.problem("password-file: the URL holds a password already; give one of them")
    database_url.without_nul(target, user=account.user, database=account.database)
