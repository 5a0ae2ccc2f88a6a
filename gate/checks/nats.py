"""nats://host:port -- greets and answers PING; with credentials: login works.

Of several hosts one is enough.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gate.checks.wire import credentials, tls_options
from gate.checks.wire.several_hosts import first_ready
from gate.checks.wire.stream import Conversation, Endpoint, endpoints, phrase
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.credentials import Login
    from gate.checks.wire.tls_options import Tls
    from gate.core.target import Target

PORT = 4222
_MOST_LINES = 32
_AUTHORIZATION = "Authorization Violation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nats:
    """Reads the greeting, starts TLS where the server wants it, logs in and pings.

    `tls` says how to speak TLS if it comes to that, `is_tls_wanted` that it must.
    """

    endpoints: tuple[Endpoint, ...]
    tls: Tls
    is_tls_wanted: bool = False
    login: Login | None = None

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a server answers, and accepts the login if any."""
        await first_ready({str(place): partial(self._ask, place) for place in self.endpoints})

    async def _ask(self, place: Endpoint) -> None:
        async with place.open() as talk:
            attempt.enter_stage("greeting")
            greeting = _greeting(await talk.line())
            await self._secure(talk, greeting, place.host)
            if greeting.get("ldm"):
                msg = "shutting down (lame duck mode)"
                raise CheckFailed(msg)
            if greeting.get("auth_required") and not self.login:
                # Trying without would put an authentication error into the server's log.
                return
            attempt.enter_stage("login" if self.login else "PING")
            talk.send(b"CONNECT %s\r\nPING\r\n" % json.dumps(await self._hello()).encode())
            await self._pong(talk)

    async def _secure(self, talk: Conversation, greeting: dict[str, Any], host: str) -> None:
        if greeting.get("tls_required") or (self.is_tls_wanted and greeting.get("tls_available")):
            await talk.start_tls(self.tls, host)
        elif self.is_tls_wanted:
            msg = "TLS: the server offers none"
            raise CheckFailed(msg)

    async def _hello(self) -> dict[str, Any]:
        hello = {"verbose": False, "pedantic": False, "name": "gate", "lang": "python"}
        return hello | {"version": "1", "protocol": 1} | await self._credentials()

    async def _credentials(self) -> dict[str, str]:
        if not self.login:
            return {}
        username, password = self.login.username, await self.login.password()
        if username and password:
            return {"user": username, "pass": password}
        return {"auth_token": username or password}

    async def _pong(self, talk: Conversation) -> None:
        """Wait for the PONG; the server may send other lines before."""
        for _ in range(_MOST_LINES):
            line = await talk.line()
            if line == b"PONG":
                return
            if line.startswith(b"-ERR"):
                raise self._refused(phrase(line[4:]).strip("'"))
        msg = "no PONG to a PING"
        raise CheckFailed(msg)

    def _refused(self, why: str) -> CheckFailed:
        if why == _AUTHORIZATION and self.login:
            return CheckFailed("login refused")
        return CheckFailed(why.lower())


def parse(target: Target) -> Nats:
    """Return the check that *target* describes."""
    if target.url.username and not target.url.password:
        target.keep_secret(target.url.username)  # a token stands where the user does
    tls = tls_options.parse(target)
    return Nats(
        endpoints=endpoints(target, {"nats": PORT}, {}),
        tls=tls,
        is_tls_wanted=target.flag("tls") or tls != tls_options.Tls(),
        login=credentials.parse(target),
    )


def _greeting(line: bytes) -> dict[str, Any]:
    word, _, text = line.partition(b" ")
    if word == b"-ERR":
        raise CheckFailed(phrase(text).strip("'").lower())
    try:
        greeting = json.loads(text) if word == b"INFO" else None
    except (ValueError, RecursionError):
        greeting = None
    if not isinstance(greeting, dict):
        msg = "not NATS on this port"
        raise CheckFailed(msg)
    return greeting
