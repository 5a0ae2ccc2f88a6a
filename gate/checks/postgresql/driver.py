"""Logging in to PostgreSQL and asking something, by asyncpg.

gate makes the connection itself, so that addresses, TLS and their failures are the same with and
without credentials. Nothing of the environment is read: asyncpg would look at `PG…` variables,
`~/.pgpass` and `~/.postgresql` for whatever it is not given.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import asyncpg

from gate.checks.postgresql import protocol as wire
from gate.checks.postgresql.answers import answer
from gate.checks.wire.reasons import reason_of
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from gate.checks.wire.query_answer import Answer, Question

_NO_TABLE = "42P01"
_GOODBYE = 0.25
"""Seconds for cancelling what runs on the server and taking leave of it."""


async def ask(
    link: wire.Link,
    again: Callable[[], Awaitable[wire.Link]],
    account: tuple[str, str, str, str],
    questions: tuple[Question, ...],
) -> None:
    """Log in over *link* and put *questions*; raises `CheckFailed`.

    *again* connects once more, to cancel a query that takes too long; *account* is user,
    password, database and options of the session.
    """
    dialled = _Dialled(link, again)
    try:
        with _worded("login"):
            connection = await _log_in(dialled, *account)
        await _put(questions, connection)
    finally:
        dialled.abort()


async def _put(questions: tuple[Question, ...], connection: Any) -> None:  # noqa: ANN401 -- asyncpg has no types
    try:
        for question in questions:
            question.judge(await _answer(connection, question))
    finally:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=_GOODBYE)


async def _answer(connection: Any, question: Question) -> Answer:  # noqa: ANN401 -- asyncpg has no types
    try:
        with _worded("query"):
            return await answer(connection, question)
    except wire.Refused as exc:
        if question.without_table and exc.sqlstate == _NO_TABLE:
            raise CheckFailed(question.without_table) from exc
        raise


async def _log_in(loop: _Dialled, user: str, password: str, database: str, options: str) -> Any:  # noqa: ANN401 -- asyncpg has no types
    """Return an asyncpg connection; every argument that has a variable of its own is given."""
    settings = {"application_name": "gate", "options": options}
    return await asyncpg.connect(
        loop=loop,
        host="localhost",
        port=5432,
        user=user,
        password=password,
        database=database,
        ssl=False,
        direct_tls=False,
        target_session_attrs="any",
        krbsrvname="postgres",
        gsslib="gssapi",
        timeout=None,
        statement_cache_size=0,
        server_settings={name: value for name, value in settings.items() if value},
    )


class _Dialled:
    """The running loop, but what connects through it gets the connection gate has made."""

    def __init__(self, link: wire.Link, again: Callable[[], Awaitable[wire.Link]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._links = [link]
        self._again = again
        self._transports: list[asyncio.Transport] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever a loop has
        return getattr(self._loop, name)

    async def create_connection(self, protocol: Callable[[], Any], *_: object) -> Any:  # noqa: ANN401 -- as the loop has it
        link = self._links.pop() if self._links else await self._again()
        attempt.enter_stage("TLS handshake" if link.tls else "login")
        try:
            made = await self._loop.create_connection(
                protocol,
                sock=link.sock,
                ssl=link.tls,
                server_hostname=link.server_name if link.tls else None,
            )
        except BaseException:
            link.sock.close()
            raise
        self._transports.append(made[0])
        attempt.enter_stage("login")
        return made

    def abort(self) -> None:
        """End what asyncpg has only begun to close: over TLS that takes half a minute."""
        for transport in self._transports:
            transport.abort()


@contextmanager
def _worded(doing: str) -> Iterator[None]:
    """Turn what asyncpg raises into `CheckFailed`."""
    attempt.enter_stage(doing)
    try:
        yield
    except asyncpg.ConnectionDoesNotExistError as exc:
        msg = f"connection closed during {doing}"
        raise CheckFailed(msg) from exc
    except asyncpg.PostgresError as exc:
        told = (str(exc.sqlstate or ""), str(exc.args[0] if exc.args else ""))
        raise wire.refused(*told, str(exc.detail or ""), doing) from exc
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as exc:
        msg = f"{doing} failed: {exc.args[0] if exc.args else exc}"
        raise CheckFailed(msg) from exc
    except OSError as exc:
        raise CheckFailed(reason_of(exc)) from exc
