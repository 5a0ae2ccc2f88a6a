"""redis://host:port -- PING is answered, data set loaded; with credentials: login works.

A server that demands a login tells nothing more without one: not even that it is loading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from gate import stage
from gate.checks import _login
from gate.checks._stream import LONGEST, Conversation, Endpoint, endpoint, phrase
from gate.errors import Absent, CheckFailed
from gate.target import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gate.checks._login import Login
    from gate.target import Target

PORT = 6379
_DEEPEST = 8
_ROLES = {b"slave": "replica"}
_WHY = {
    "LOADING": "loading its data set",
    "MASTERDOWN": "its link with the master is down",
    "DENIED": "protected mode: it takes no connections from other machines",
}


class Refusal(str):
    """What the server says instead of an answer, its code first."""

    __slots__ = ()

    @property
    def code(self) -> str:
        """The first word, as in `LOADING Redis is loading the dataset in memory`."""
        return self.partition(" ")[0]


Reply = bytes | int | list["Reply"] | Refusal | None


class Question(NamedTuple):
    """A command, the name of its stage, and what judges the reply."""

    stage: str
    words: tuple[str, ...]
    judge: Callable[[Reply], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redis:
    """Logs in, selects the database, pings, and asks for role and key where wanted."""

    endpoint: Endpoint
    login: Login | None = None
    database: int = 0
    is_master_wanted: bool = False
    key: str = ""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the server answers as wanted."""
        questions = tuple(self._questions())
        async with self.endpoint.open() as talk:
            # All in one go, and the server ends the connection: one round trip.
            talk.send(b"".join(_request(*question.words) for question in questions))
            talk.send(_request("QUIT"))
            for question in questions:
                stage.enter(question.stage)
                reply = await _reply(talk)
                if self._is_login_demanded(reply):
                    return
                question.judge(reply)

    def _questions(self) -> Iterator[Question]:
        if self.login:
            words = (self.login.username, self.login.password())
            yield Question("login", ("AUTH", *words[not words[0] :]), _judge_login)
        if self.database:
            yield Question("SELECT", ("SELECT", str(self.database)), self._judge_database)
        yield Question("PING", ("PING",), _judge_ping)
        if self.is_master_wanted:
            yield Question("ROLE", ("ROLE",), _judge_role)
        if self.key:
            yield Question("EXISTS", ("EXISTS", self.key), self._judge_key)

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
        if not isinstance(reply, int):
            raise _failure(reply, "EXISTS")


def parse(target: Target) -> Redis:
    """Return the check that *target* describes."""
    query = dict(target.url.query)
    return Redis(
        endpoint=endpoint(
            target, {"redis": PORT, "valkey": PORT}, {"rediss": PORT, "valkeys": PORT}
        ),
        login=_login.parse(target),
        database=_database(target, query.get("db") or query.get("virtual_host")),
        is_master_wanted=target.choice("role", ("master", "primary"), "") != "",
        key=target.text("key"),
    )


def _database(target: Target, in_query: str | None) -> int:
    is_socket = "+" in target.url.scheme
    text = in_query or ("" if is_socket else unquote(target.url.path).strip("/"))
    try:
        return whole_number(text) if text else 0
    except ValueError:
        target.problem("the URL's path is the number of a database; write redis://host:port/0")
        return 0


def _judge_login(reply: Reply) -> None:
    _judge_ok("login refused", reply)


def _judge_ok(what: str, reply: Reply) -> None:
    if reply != b"OK":
        raise _failure(reply, what)


def _judge_ping(reply: Reply) -> None:
    if reply != b"PONG":
        raise _failure(reply, "PING")


def _judge_role(reply: Reply) -> None:
    if not isinstance(reply, list) or not reply or not isinstance(reply[0], bytes):
        raise _failure(reply, "ROLE")
    if reply[0] != b"master":
        role = _ROLES.get(reply[0]) or phrase(reply[0])
        msg = f"is a {role}, not master"
        raise CheckFailed(msg)


def _failure(reply: Reply, what: str) -> CheckFailed:
    if not isinstance(reply, Refusal):
        return CheckFailed(f"{what}: unexpected answer")
    if reply.code in _WHY:
        return CheckFailed(_WHY[reply.code])
    return CheckFailed(f"{what}: {reply.removeprefix('ERR ').removeprefix('WRONGPASS ')}")


def _request(*words: str) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        raw = word.encode(errors="surrogateescape")
        parts.append(b"$%d\r\n%s\r\n" % (len(raw), raw))
    return b"".join(parts)


async def _reply(talk: Conversation, depth: int = 0) -> Reply:
    """Return the next reply, of RESP2; raises `CheckFailed` for anything else."""
    line = await talk.line()
    kind, rest = line[:1], line[1:]
    if kind == b"+":
        return rest
    if kind == b"-":
        return Refusal(phrase(rest))
    if kind == b":":
        return _number(rest)
    if kind == b"$":
        size = _number(rest)
        return None if size < 0 else (await talk.exactly(size + 2))[:-2]
    if kind == b"*" and depth < _DEEPEST:
        return [await _reply(talk, depth + 1) for _ in range(_number(rest))]
    raise CheckFailed(_NOT_REDIS)


_NOT_REDIS = "not the Redis protocol on this port"


def _number(text: bytes) -> int:
    try:
        number = int(text)
    except ValueError as exc:
        raise CheckFailed(_NOT_REDIS) from exc
    if number > LONGEST:
        msg = "the answer is too long"
        raise CheckFailed(msg)
    return number
