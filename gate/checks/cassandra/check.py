"""cassandra://host:port[/keyspace] -- the node takes clients and has joined; a keyspace is there.

With credentials the login works (PasswordAuthenticator). Where the node demands one and the URL has
none, that demand is all that can be told, and enough: a node listens for clients once it has
joined. Only the node that is asked is looked at, not its peers. Of several hosts one is enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate.checks.cassandra import protocol as wire
from gate.checks.cassandra.protocol import Refusal
from gate.checks.wire import credentials, tls_options
from gate.checks.wire.several_hosts import first_ready
from gate.checks.wire.stream import Conversation, Endpoint, endpoints
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.credentials import Login
    from gate.core.target import Target

_HOW_IT_IS = "SELECT bootstrapped FROM system.local WHERE key='local'"
_JOINED = "COMPLETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cassandra:
    """Starts a session, logs in where it can, and asks whether the node has joined."""

    endpoints: tuple[Endpoint, ...]
    login: Login | None = None
    keyspace: str = ""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a node is ready and has the keyspace."""
        await first_ready({str(place): partial(self._ask, place) for place in self.endpoints})

    async def _ask(self, place: Endpoint) -> None:
        async with place.open() as talk:
            if await self._is_let_in(talk):
                await _judge(talk)
                if self.keyspace:
                    await _find(talk, self.keyspace)

    async def _is_let_in(self, talk: Conversation) -> bool:
        """Whether the node answers queries now; False where it wants a login that we lack."""
        attempt.enter_stage("startup")
        opcode, _ = await wire.ask(talk, wire.STARTUP, wire.string_map(CQL_VERSION="3.0.0"))
        wire.expect(opcode, wire.READY, wire.AUTHENTICATE)
        if opcode == wire.AUTHENTICATE and self.login:
            await _log_in(talk, self.login)
        return opcode == wire.READY or self.login is not None


def parse(target: Target) -> Cassandra:
    """Return the check that *target* describes."""
    places = endpoints(target, {"cassandra": 9042, "scylla": 9042}, {})
    tls = tls_options.parse(target)
    if target.flag("tls") or tls != tls_options.Tls():
        places = tuple(replace(place, tls=tls) for place in places)
    return Cassandra(
        endpoints=places,
        login=credentials.parse(target),
        keyspace=unquote(target.url.path.strip("/")),
    )


async def _log_in(talk: Conversation, login: Login) -> None:
    attempt.enter_stage("login")
    words = f"\0{login.username}\0{await login.password()}".encode(errors="surrogateescape")
    try:
        opcode, _ = await wire.ask(talk, wire.AUTH_RESPONSE, wire.long_bytes(words))
    except Refusal as exc:
        why = "" if exc.code == wire.BAD_CREDENTIALS else f": {exc}"
        msg = f"login refused{why}"
        raise CheckFailed(msg) from exc
    if opcode != wire.AUTH_SUCCESS:
        msg = "login: the node wants more than user and password"
        raise CheckFailed(msg)


async def _judge(talk: Conversation) -> None:
    """Raise `CheckFailed` unless the node says that it has joined."""
    attempt.enter_stage("state")
    state = wire.first_text(await wire.query(talk, _HOW_IT_IS))
    if state != _JOINED:
        msg = f"has not joined: {state.lower().replace('_', ' ') or 'no state'}"
        raise CheckFailed(msg)


async def _find(talk: Conversation, keyspace: str) -> None:
    attempt.enter_stage("keyspace")
    quoted = keyspace.replace('"', '""')
    try:
        await wire.query(talk, f'USE "{quoted}"')
    except Refusal as exc:
        if exc.code != wire.INVALID:
            raise
        msg = f"keyspace not found: {keyspace}"
        raise Absent(msg) from exc
