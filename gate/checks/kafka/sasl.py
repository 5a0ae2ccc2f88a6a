"""Logs in to a Kafka broker: SASL as its own messages carry it (KIP-152)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.wire.stream import phrase
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.kafka.protocol import Connection
    from gate.checks.wire.credentials import Login

Exchange = Generator[bytes, bytes, None]
"""Yields what to send, is sent the answer; raises `CheckFailed` for a wrong one."""

Mechanism = Callable[[str, str, str], Exchange]
"""Name of the mechanism, user and password to an exchange."""

_UNSUPPORTED_MECHANISM = 33
_ILLEGAL_STATE = 34
_AUTHENTICATION_FAILED = 58


@dataclass(frozen=True, slots=True)
class Sasl:
    """Who logs in and how; `name` is Kafka's for the mechanism."""

    name: str
    mechanism: Mechanism
    login: Login

    async def __call__(self, connection: Connection) -> None:
        """Raise `CheckFailed` unless the broker lets the user in."""
        attempt.enter_stage("login")
        password = await self.login.password()
        error, offered = await connection.sasl_handshake(self.name)
        if error:
            raise CheckFailed(self._unwanted(error, offered))
        exchange = self.mechanism(self.name, self.login.username, password)
        token: bytes | None = next(exchange)
        while token is not None:
            token = _next(exchange, await _answer(connection, token))

    def _unwanted(self, error: int, offered: list[str]) -> str:
        if error == _UNSUPPORTED_MECHANISM:
            return f"login refused: the broker takes {', '.join(offered)}, not {self.name}"
        if error == _ILLEGAL_STATE:
            return "login refused: the broker takes no login on this port"
        return f"login refused: error {error}"


def plain(_: str, user: str, password: str) -> Exchange:
    """Send user and password as they are (RFC 4616)."""
    yield f"\0{user}\0{password}".encode()


async def _answer(connection: Connection, token: bytes) -> bytes:
    error, message, answer = await connection.sasl_authenticate(token)
    if error == _AUTHENTICATION_FAILED:
        msg = "login refused: authentication failed"
        raise CheckFailed(msg)
    if error:
        msg = f"login refused: {phrase(message) or f'error {error}'}"
        raise CheckFailed(msg)
    return answer


def _next(exchange: Exchange, answer: bytes) -> bytes | None:
    """Return what to send next, None at the end."""
    try:
        return exchange.send(answer)
    except StopIteration:
        return None
