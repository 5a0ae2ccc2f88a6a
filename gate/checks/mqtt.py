"""mqtt://host:port -- CONNECT is answered (MQTT 3.1.1); with credentials: login works."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.wire import credentials
from gate.checks.wire.stream import Conversation, Endpoint, endpoint
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.credentials import Login
    from gate.core.target import Target

KEEP_ALIVE = 10
"""Seconds after which the broker may forget a connection that was cut."""

_CONNACK = 0x20
_DISCONNECT = b"\xe0\x00"
_CLEAN_SESSION, _PASSWORD, _USERNAME = 0x02, 0x40, 0x80
_UNAVAILABLE = 3
_LONGEST_TEXT = 65535
_REFUSED = {
    1: "does not speak MQTT 3.1.1",
    2: "client id refused",
    4: "login refused: wrong user or password",
    5: "login or client id refused: not authorised",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mqtt:
    """Connects with a clean session and disconnects."""

    endpoint: Endpoint
    login: Login | None = None
    client_id: str = ""
    """The client id for brokers that accept only certain ones; else a new one for each attempt."""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the broker answers, and accepts the login if any."""
        hello = await self._connect()
        async with self.endpoint.open() as talk:
            attempt.enter_stage("login" if self.login else "CONNECT")
            talk.send(hello)
            code = await _return_code(talk)
            if code == 0:
                talk.send(_DISCONNECT)
            else:
                self._judge(code)

    async def _connect(self) -> bytes:
        flags, texts = _CLEAN_SESSION, [self.client_id or _own_id()]
        if self.login:
            password = await self.login.password()
            flags |= _USERNAME | (_PASSWORD if password else 0)
            texts += [self.login.username] + ([password] if password else [])
        fixed = b"\x00\x04MQTT\x04" + bytes((flags,)) + KEEP_ALIVE.to_bytes(2, "big")
        body = fixed + b"".join(map(_text, texts))
        return b"\x10" + _length(len(body)) + body

    def _judge(self, code: int) -> None:
        """Raise `CheckFailed` unless the refusal shows a broker that works for known clients."""
        if code == _UNAVAILABLE:
            msg = "server unavailable"
            raise CheckFailed(msg)
        if code not in _REFUSED:
            msg = f"refused with code {code}"
            raise CheckFailed(msg)
        if self.login:
            raise CheckFailed(_REFUSED[code])


def parse(target: Target) -> Mqtt:
    """Return the check that *target* describes."""
    return Mqtt(
        endpoint=endpoint(target, {"mqtt": 1883}, {"mqtts": 8883}),
        login=credentials.parse(target),
        client_id=target.text("client-id"),
    )


def _own_id() -> str:
    """Return what no other client is called, in the form that every broker takes."""
    return f"gate{os.urandom(6).hex()}"


async def _return_code(talk: Conversation) -> int:
    head = await talk.exactly(2)
    if head != bytes((_CONNACK, 2)):
        msg = "not MQTT 3.1.1 on this port"
        raise CheckFailed(msg)
    return (await talk.exactly(2))[1]


def _text(text: str) -> bytes:
    raw = text.encode(errors="surrogateescape")
    if len(raw) > _LONGEST_TEXT:
        msg = "user, password or client id is longer than MQTT allows"
        raise CheckFailed(msg)
    return len(raw).to_bytes(2, "big") + raw


def _length(number: int) -> bytes:
    """Return *number* in seven bits a byte, the lowest first."""
    coded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 -- seven bits
        coded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*coded, number))
