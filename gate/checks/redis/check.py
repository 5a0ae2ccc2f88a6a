"""redis://host:port -- PING is answered, data set loaded; with credentials: login works.

A server that demands a login says nothing more without one, not even that it is loading.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from gate.checks.redis import url
from gate.checks.redis.protocol import Refusal, Reply, command, next_reply
from gate.checks.wire.several_hosts import first_ready
from gate.checks.wire.stream import phrase
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed
from gate.core.url import is_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gate.checks.wire.credentials import Login
    from gate.checks.wire.stream import Endpoint
    from gate.core.target import Target

_ROLES = {b"slave": "replica"}
_WHY = {
    "LOADING": "loading its data set",
    "MASTERDOWN": "its link with the master is down",
    "DENIED": "protected mode: it takes no connections from other machines",
}

_FULL = "max number of clients"
"""Said before anything is asked."""


class Question(NamedTuple):
    """Commands, the name of their stage, and what judges the replies."""

    stage: str
    judge: Callable[..., None]
    commands: tuple[tuple[str, ...], ...]


class Moved(CheckFailed):
    """Another node of the cluster, at *host* (empty: the same) and *port*, has the key."""

    def __init__(self, text: str, host: str, port: int) -> None:
        super().__init__(text)
        self.host = host
        self.port = port


@dataclass(frozen=True, slots=True, kw_only=True)
class Redis:
    """Logs in, selects the database, pings, and asks for role and key where wanted."""

    endpoints: tuple[Endpoint, ...]
    login: Login | None = None
    database: int = 0
    is_master_wanted: bool = False
    key: str = ""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a server answers as wanted."""
        await first_ready({str(place): partial(self._ask, place) for place in self.endpoints})

    async def _ask(self, place: Endpoint) -> None:
        """Ask the server at *place*, and the node of its cluster that it sends to for the key."""
        try:
            await self._talk(place)
        except Moved as moved:
            host = moved.host or place.host
            await self._talk(replace(place, path="", host=host, port=moved.port))

    async def _talk(self, place: Endpoint) -> None:
        questions = [question async for question in self._questions()]
        async with place.open() as talk:
            # All in one go, and the server ends the connection: one round trip.
            for question in questions:
                for words in question.commands:
                    talk.send(command(*words))
            talk.send(command("QUIT"))
            for question in questions:
                attempt.enter_stage(question.stage)
                replies = [await next_reply(talk) for _ in question.commands]
                if self._is_login_demanded(replies[0]):
                    return
                question.judge(*replies)

    async def _questions(self) -> AsyncIterator[Question]:
        if self.login:
            words = (self.login.username, await self.login.password())
            yield Question("login", _judge_login, (("AUTH", *words[not words[0] :]),))
        if self.database:
            yield Question("SELECT", self._judge_database, (("SELECT", str(self.database)),))
        yield Question("PING", _judge_ping, (("PING",),))
        if self.is_master_wanted:
            yield Question("ROLE", _judge_role, (("ROLE",), ("HELLO", "2")))
        if self.key:
            yield Question("EXISTS", self._judge_key, (("EXISTS", self.key),))

    def _is_login_demanded(self, reply: Reply) -> bool:
        """Whether the server accepts connections and shows no more without credentials."""
        if self.login or not isinstance(reply, Refusal) or reply.code != "NOAUTH":
            return False
        if self.is_master_wanted or self.key:
            msg = "the server demands a login, and role= and key= need one"
            raise CheckFailed(msg)
        return True

    def _judge_database(self, reply: Reply) -> None:
        _judge_ok(f"database {self.database}", reply)

    def _judge_key(self, reply: Reply) -> None:
        if reply == 0:
            msg = f"no key {self.key}"
            raise Absent(msg)
        if isinstance(reply, Refusal) and reply.code == "MOVED":
            raise _moved(reply)
        if not isinstance(reply, int):
            raise _failure(reply, "EXISTS")


def parse(target: Target) -> Redis:
    """Return the check that *target* describes."""
    return Redis(
        endpoints=url.servers(target),
        login=url.login(target),
        database=url.database(target),
        is_master_wanted=target.choice("role", ("master", "primary"), "") != "",
        key=target.text("key"),
    )


def _judge_login(reply: Reply) -> None:
    _judge_ok("login refused", reply)


def _judge_ok(what: str, reply: Reply) -> None:
    if reply != b"OK":
        raise _failure(reply, what)


def _judge_ping(reply: Reply) -> None:
    if reply != b"PONG":
        raise _failure(reply, "PING")


def _judge_role(reply: Reply, hello: Reply) -> None:
    # The usual rules for an app's user (`-@dangerous`) deny it ROLE; HELLO tells it too.
    is_denied = isinstance(reply, Refusal) and reply.code == "NOPERM"
    role = _role_in(hello) if is_denied else _first(reply)
    if role is None:
        raise _failure(reply, "ROLE")
    if role != b"master":
        msg = f"is a {_ROLES.get(role) or phrase(role)}, not master"
        raise CheckFailed(msg)


def _role_in(hello: Reply) -> bytes | None:
    if not isinstance(hello, list) or b"role" not in hello:
        return None
    return _first(hello[hello.index(b"role") + 1 :])


def _first(replies: Reply) -> bytes | None:
    first = replies[0] if isinstance(replies, list) and replies else None
    return first if isinstance(first, bytes) else None


def _failure(reply: Reply, what: str) -> CheckFailed:
    if not isinstance(reply, Refusal):
        return CheckFailed(f"{what}: unexpected answer")
    if reply.code in _WHY:
        return CheckFailed(_WHY[reply.code])
    told = reply.removeprefix("ERR ").removeprefix("WRONGPASS ")
    return CheckFailed(told if told.startswith(_FULL) else f"{what}: {told}")


def _moved(refusal: Refusal) -> CheckFailed:
    """Return where `MOVED 15495 10.0.0.1:6379` sends to."""
    host, _, port = refusal.rpartition(" ")[2].rpartition(":")
    if not is_port(port):
        return _failure(refusal, "EXISTS")
    return Moved(f"EXISTS: {refusal}", host, int(port))
