"""ldap://host[:port][/DN] -- the directory answers; with credentials: login works.

Without a DN the root DSE is asked for, which every server has; with one, that entry must be there.
The credentials are those of a simple bind. A server that works for known clients only is ready
without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate.checks.ldap import messages
from gate.checks.wire import credentials, tls_options
from gate.checks.wire.stream import Conversation, Endpoint, endpoint
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.credentials import Login
    from gate.checks.wire.tls_options import Tls
    from gate.core.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Ldap:
    """Starts TLS where wanted, binds where it can, and asks for one entry."""

    endpoint: Endpoint
    upgrade: Tls | None = None
    """How to go on over TLS after a plain beginning; None where that is not wanted."""
    login: Login | None = None
    entry: str = ""
    """The DN that must be there; empty for the root DSE."""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the directory accepts the login and has the entry."""
        async with self.endpoint.open() as talk:
            if self.upgrade:
                await self._secure(talk, self.upgrade)
            if self.login:
                await _log_in(talk, self.login)
            attempt.enter_stage("search")
            self._judge(await messages.ask(talk, messages.search(self.entry), messages.DONE))
            talk.send(messages.UNBIND)

    async def _secure(self, talk: Conversation, tls: Tls) -> None:
        attempt.enter_stage("StartTLS")
        answer = await messages.ask(talk, messages.start_tls(), messages.EXTENDED_DONE)
        if answer.code != messages.OK:
            msg = f"TLS: {answer}"
            raise CheckFailed(msg)
        await talk.start_tls(tls, self.endpoint.host)

    def _judge(self, answer: messages.Answer) -> None:
        if answer.code == messages.OK:
            return
        if answer.code == messages.NO_SUCH_OBJECT:
            # The root DSE is always there: access to it is restricted.
            if not self.entry:
                return
            msg = f"entry not found: {self.entry}"
            raise Absent(msg)
        if self.login or self.entry or answer.code not in messages.ASKS_FOR_LOGIN:
            raise CheckFailed(str(answer))


async def _log_in(talk: Conversation, login: Login) -> None:
    attempt.enter_stage("login")
    request = messages.bind(login.username, await login.password())
    answer = await messages.ask(talk, request, messages.BOUND)
    if answer.code == messages.WRONG_LOGIN:
        msg = "login refused"
        raise CheckFailed(msg)
    if answer.code != messages.OK:
        msg = f"login: {answer}"
        raise CheckFailed(msg)


def parse(target: Target) -> Ldap:
    """Return the check that *target* describes."""
    login = credentials.parse(target)
    if login and not (login.username and (login.written_password or login.password_file)):
        # A server takes a name without a password for a stranger, and says that it is fine.
        target.problem("the login wants the DN of a user and a password; or give neither")
    return Ldap(
        endpoint=endpoint(target, {"ldap": 389}, {"ldaps": 636}),
        upgrade=tls_options.parse_upgrade(target, secured="ldaps"),
        login=login,
        entry=unquote(target.url.path.removeprefix("/")),
    )
