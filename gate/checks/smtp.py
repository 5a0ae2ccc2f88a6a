"""smtp://host[:port] -- greets and answers EHLO; with credentials: login works (`smtps`: over TLS).

`starttls` goes on over TLS, as the app would (RFC 3207); `smtp+tls` is the same, and `smtp+ssl` is
`smtps`. Whether a certain sender or recipient is accepted remains unknown, because asking that
looks like mail.
"""

from __future__ import annotations

import base64
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gate.checks.wire import credentials, tls_options
from gate.checks.wire.stream import Conversation, Endpoint, endpoint, phrase
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.credentials import Login
    from gate.checks.wire.tls_options import Tls
    from gate.core.target import Target

_UPGRADED = "smtp+tls"
_FORMS = {_UPGRADED: "smtp", "smtp+ssl": "smtps"}
_MOST_LINES = 100
_GREETING, _OK, _GO_ON, _LOGGED_IN, _NEXT = 220, 250, 220, 235, 334
_WRONG_LOGIN = 535
_CODE_DIGITS = 3
_NOT_SMTP = "not SMTP on this port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """Reads the greeting, says EHLO, starts TLS where wanted and logs in where it can."""

    endpoint: Endpoint
    upgrade: Tls | None = None
    """How to go on over TLS after a plain beginning; None where that is not wanted."""
    login: Login | None = None

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the server takes mail, and accepts the login if any."""
        async with self.endpoint.open() as talk:
            attempt.enter_stage("greeting")
            await _expect(talk, _GREETING)
            offers = await _hello(talk)
            if self.upgrade:
                await self._secure(talk, offers, self.upgrade)
                offers = await _hello(talk)
            if self.login:
                await _log_in(talk, offers, self.login)
            talk.send(b"QUIT\r\n")

    async def _secure(self, talk: Conversation, offers: dict[str, list[str]], tls: Tls) -> None:
        if "STARTTLS" not in offers:
            msg = "TLS: the server offers no STARTTLS"
            raise CheckFailed(msg)
        attempt.enter_stage("STARTTLS")
        await _ask(talk, b"STARTTLS", _GO_ON)
        await talk.start_tls(tls, self.endpoint.host)


def parse(target: Target) -> Smtp:
    """Return the check that *target* describes."""
    scheme = target.url.scheme
    target = target.toward(replace(target.url, scheme=_FORMS.get(scheme, scheme)))
    upgrade = tls_options.parse_upgrade(target, secured="smtps")
    return Smtp(
        endpoint=endpoint(target, {"smtp": 25}, {"smtps": 465}),
        upgrade=upgrade or (tls_options.Tls() if scheme == _UPGRADED else None),
        login=credentials.parse(target),
    )


async def _hello(talk: Conversation) -> dict[str, list[str]]:
    """Return what the server offers, each word with its parameters, in capitals."""
    attempt.enter_stage("EHLO")
    lines = await _ask(talk, b"EHLO " + socket.gethostname().encode(), _OK)
    words = [line.decode(errors="replace").upper().split() for line in lines[1:]]
    return {found[0]: found[1:] for found in words if found}


async def _log_in(talk: Conversation, offers: dict[str, list[str]], login: Login) -> None:
    attempt.enter_stage("login")
    mechanisms = offers.get("AUTH", [])
    username, password = map(_raw, (login.username, await login.password()))
    if "PLAIN" in mechanisms:
        await _ask(talk, b"AUTH PLAIN " + _coded(b"\0%s\0%s" % (username, password)), _LOGGED_IN)
    elif "LOGIN" in mechanisms:
        await _ask(talk, b"AUTH LOGIN", _NEXT)
        await _ask(talk, _coded(username), _NEXT)
        await _ask(talk, _coded(password), _LOGGED_IN)
    else:
        hint = "; it does over TLS, perhaps: add starttls" if "STARTTLS" in offers else ""
        msg = f"login: the server takes neither PLAIN nor LOGIN{hint}"
        raise CheckFailed(msg)


def _raw(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _coded(text: bytes) -> bytes:
    """Return *text* as the server wants it; some repeat that in their answer."""
    coded = base64.b64encode(text)
    attempt.keep_secret(coded.decode())
    return coded


async def _ask(talk: Conversation, command: bytes, wanted: int) -> list[bytes]:
    talk.send(command + b"\r\n")
    return await _expect(talk, wanted)


async def _expect(talk: Conversation, wanted: int) -> list[bytes]:
    """Return the lines of the reply without their codes; raises `CheckFailed` for another code."""
    lines: list[bytes] = []
    for _ in range(_MOST_LINES):
        line = await talk.line()
        code, mark, text = line[:_CODE_DIGITS], line[_CODE_DIGITS:][:1], line[_CODE_DIGITS + 1 :]
        if not code.isdigit() or mark not in {b"", b" ", b"-"}:
            break
        lines.append(text)
        if mark != b"-":
            _judge(int(code), lines, wanted)
            return lines
    raise CheckFailed(_NOT_SMTP)


def _judge(code: int, lines: list[bytes], wanted: int) -> None:
    if code == wanted:
        return
    if code == _WRONG_LOGIN:
        msg = "login refused"
        raise CheckFailed(msg)
    msg = f"{attempt.current_stage()}: {code} {phrase(b' '.join(lines))}"
    raise CheckFailed(msg.rstrip())
