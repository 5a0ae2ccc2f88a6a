"""memcached://host:port -- `version` is answered; with credentials: login works.

The login is SASL PLAIN, or a `set` where the server wants it in text (`memcached -Y`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gate.checks.wire import credentials, tls_options
from gate.checks.wire.stream import Closed, Conversation, Endpoint, endpoint, phrase
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.credentials import Login
    from gate.core.target import Target

_ASK = b"version\r\nversion\r\nquit\r\n"
"""As long as the head of a binary request: a server that speaks only that hangs up at once
instead of waiting for more."""

_UNAUTHENTICATED = b"CLIENT_ERROR unauthenticated"
_HEAD = struct.Struct(">BBHBBHIIQ")
_REQUEST, _RESPONSE = 0x80, 0x81
_VERSION, _LOGIN = 0x0B, 0x21
_OK, _REFUSED, _UNKNOWN = 0x00, 0x20, 0x81


@dataclass(frozen=True, slots=True, kw_only=True)
class Memcached:
    """Asks for the version in text, which shows how to log in; else in the binary protocol."""

    endpoint: Endpoint
    login: Login | None = None

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the server answers, and accepts the login if any."""
        answer = await self._answer_in_text()
        if self.login and answer.startswith(_UNAUTHENTICATED):
            await self._log_in_by_text(self.login)
        elif self.login or not answer:
            await self._ask_in_binary()

    async def _answer_in_text(self) -> bytes:
        """Return the answer, empty if text is not spoken; raises `CheckFailed` for a bad one."""
        async with self.endpoint.open() as talk:
            attempt.enter_stage("version")
            talk.send(_ASK)
            try:
                answer = await talk.line()
            except Closed:
                return b""
        _judge_text(answer)
        return answer

    async def _log_in_by_text(self, login: Login) -> None:
        async with self.endpoint.open() as talk:
            attempt.enter_stage("login")
            words = f"{login.username} {await login.password()}".encode(errors="surrogateescape")
            talk.send(b"set gate 0 0 %d\r\n%s\r\nquit\r\n" % (len(words), words))
            answer = await talk.line()
        if answer.startswith((_UNAUTHENTICATED, b"CLIENT_ERROR authentication failure")):
            msg = "login refused"
            raise CheckFailed(msg)
        if answer != b"STORED":
            msg = f"login: {phrase(answer).lower()}"
            raise CheckFailed(msg)

    async def _ask_in_binary(self) -> None:
        async with self.endpoint.open() as talk:
            if self.login:
                attempt.enter_stage("login")
                _judge_login(await _ask(talk, _LOGIN, b"PLAIN", await _plain(self.login)))
            attempt.enter_stage("version")
            status = await _ask(talk, _VERSION)
            if status != _OK:
                msg = f"version: status {status:#x}"
                raise CheckFailed(msg)


def parse(target: Target) -> Memcached:
    """Return the check that *target* describes."""
    place = endpoint(target, {"memcached": 11211}, {})
    tls = tls_options.parse(target)
    if target.flag("tls") or tls != tls_options.Tls():
        place = replace(place, tls=tls)
    return Memcached(endpoint=place, login=credentials.parse(target))


def _judge_text(answer: bytes) -> None:
    if answer.startswith((b"VERSION ", _UNAUTHENTICATED)):
        return
    word, _, why = answer.partition(b" ")
    if word in {b"ERROR", b"SERVER_ERROR", b"CLIENT_ERROR"}:
        raise CheckFailed(phrase(why or answer).lower())
    msg = "not memcached on this port"
    raise CheckFailed(msg)


def _judge_login(status: int) -> None:
    if status == _REFUSED:
        msg = "login refused"
        raise CheckFailed(msg)
    if status == _UNKNOWN:
        msg = "login: the server knows no logins; take user and password out of the URL"
        raise CheckFailed(msg)
    if status != _OK:
        msg = f"login: status {status:#x}"
        raise CheckFailed(msg)


async def _plain(login: Login) -> bytes:
    return f"\0{login.username}\0{await login.password()}".encode(errors="surrogateescape")


async def _ask(talk: Conversation, opcode: int, key: bytes = b"", value: bytes = b"") -> int:
    """Return the status that the server answers to a binary request."""
    size = len(key) + len(value)
    talk.send(_HEAD.pack(_REQUEST, opcode, len(key), 0, 0, 0, size, 0, 0) + key + value)
    magic, _, _, _, _, status, size, _, _ = _HEAD.unpack(await talk.exactly(_HEAD.size))
    if magic != _RESPONSE:
        msg = "not memcached on this port"
        raise CheckFailed(msg)
    await talk.exactly(size)
    return int(status)
