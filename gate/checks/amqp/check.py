"""amqp://host:port/vhost -- the broker greets; with credentials: login and vhost work.

One of several hosts is enough. Without credentials the broker logs a warning about a client that
closed unexpectedly; every way to leave before the login is logged.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate.checks.amqp import protocol as wire
from gate.checks.amqp.protocol import Methods, Refusal, long_text, short_text
from gate.checks.wire import credentials
from gate.checks.wire.credentials import Login
from gate.checks.wire.several_hosts import first_ready
from gate.checks.wire.stream import Closed, Endpoint, endpoints
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from gate.core.target import Target

GUEST = Login(username="guest", written_password="guest")  # noqa: S106 -- what every client takes where the URL gives none
SETTLING = 0.3
"""Seconds for which a broker must keep a connection open before it counts as ready.

RabbitMQ accepts logins 70 to 300 ms before its boot is done (measured on 3.10), and nothing in the
protocol shows the difference.
"""
_LONGEST_NAME = 255
_PASSIVE = b"\x01"
_NO_ARGUMENTS = long_text(b"")
_ACCESS_REFUSED, _NOT_FOUND, _NOT_ALLOWED = 403, 404, 530
# With this, the broker says that a login is refused instead of hanging up after a second.
_CAPABILITIES = short_text("authentication_failure_close") + b"t\x01"
_PROPERTIES = (
    short_text("product") + b"S" + long_text(b"gate")
    + short_text("capabilities") + b"F" + long_text(_CAPABILITIES)
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Amqp:
    """Reads the greeting; with a login it opens the vhost and looks for the wanted queue."""

    endpoints: tuple[Endpoint, ...]
    login: Login | None = None
    vhost: str = "/"
    queue: str = ""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a broker accepts the login and has the queue."""
        await first_ready({str(place): partial(self._ask, place) for place in self.endpoints})

    async def _ask(self, place: Endpoint) -> None:
        async with place.open() as talk:
            attempt.enter_stage("greeting")
            talk.send(wire.PROTOCOL)
            methods = Methods(talk)
            greeting = await methods.expect(wire.START)
            if self.login:
                await self._enter(methods, greeting, self.login)
            else:
                await _settle(methods)

    async def _enter(self, methods: Methods, greeting: bytes, login: Login) -> None:
        """Log in, look for vhost and queue, and close the connection properly in every case."""
        try:
            await _log_in(methods, greeting, login)
            await self._open_vhost(methods)
            if self.queue:
                await self._find_queue(methods)
            await _settle(methods)
        except CheckFailed:
            with suppress(CheckFailed):
                await methods.close()
            raise
        await methods.close()

    async def _open_vhost(self, methods: Methods) -> None:
        attempt.enter_stage("vhost")
        methods.send(wire.OPEN, short_text(self.vhost) + b"\x00\x00")
        try:
            await methods.expect(wire.OPEN_OK)
        except Refusal as exc:
            raise self._no_vhost(exc) from exc

    async def _find_queue(self, methods: Methods) -> None:
        attempt.enter_stage("queue")
        methods.send(wire.CHANNEL_OPEN, b"\x00", channel=1)
        declare = b"\x00\x00" + short_text(self.queue) + _PASSIVE + _NO_ARGUMENTS
        methods.send(wire.DECLARE, declare, channel=1)
        try:
            await methods.expect(wire.DECLARE_OK)
        except Refusal as exc:
            raise self._no_queue(exc) from exc

    def _no_vhost(self, refusal: Refusal) -> CheckFailed:
        text = str(refusal)
        if refusal.code == _NOT_ALLOWED and text.endswith("not found"):
            return Absent(f"vhost not found: {self.vhost}")
        if refusal.code == _NOT_ALLOWED and "refused for user" in text:
            return CheckFailed(f"vhost access refused: {self.vhost}")
        if text.endswith("is down"):
            return CheckFailed(f"vhost is down: {self.vhost}")
        return CheckFailed(f"vhost {self.vhost}: {text}")

    def _no_queue(self, refusal: Refusal) -> CheckFailed:
        # The broker uses the same code for a queue whose node is down.
        if refusal.code == _NOT_FOUND and "no queue" in str(refusal):
            return Absent(f"queue not found: {self.queue}")
        return CheckFailed(f"queue {self.queue}: {refusal}")


def parse(target: Target) -> Amqp:
    """Return the check that *target* describes."""
    queue = target.text("queue")
    check = Amqp(
        endpoints=endpoints(target, {"amqp": 5672, "pyamqp": 5672}, {"amqps": 5671}),
        login=credentials.parse(target) or (GUEST if queue else None),
        vhost=unquote(target.url.path[1:]) or "/",
        queue=queue,
    )
    for name, value in (("queue", queue), ("the vhost", check.vhost)):
        if len(value.encode(errors="surrogateescape")) > _LONGEST_NAME:
            target.problem(f"{name}: is longer than the {_LONGEST_NAME} bytes of AMQP")
    return check


async def _settle(methods: Methods) -> None:
    """Raise `CheckFailed` if the broker does not keep the connection open."""
    attempt.enter_stage("settling")
    try:
        async with asyncio.timeout(SETTLING):
            await methods.expect(wire.NEVER)
    except TimeoutError:
        return
    except Closed as exc:
        msg = "connection closed while settling"
        raise CheckFailed(msg) from exc


async def _log_in(methods: Methods, greeting: bytes, login: Login) -> None:
    attempt.enter_stage("login")
    if b"PLAIN" not in wire.mechanisms(greeting):
        msg = "login: the broker does not take PLAIN"
        raise CheckFailed(msg)
    response = f"\0{login.username}\0{await login.password()}".encode(errors="surrogateescape")
    methods.send(
        wire.START_OK,
        long_text(_PROPERTIES) + short_text("PLAIN") + long_text(response) + short_text("en_US"),
    )
    try:
        tune = await methods.expect(wire.TUNE)
    except Refusal as exc:
        why = "" if exc.code == _ACCESS_REFUSED else f": {exc}"
        msg = f"login refused{why}"
        raise CheckFailed(msg) from exc
    except Closed as exc:
        msg = f"login refused: {exc}"
        raise CheckFailed(msg) from exc
    # The limits that the broker proposes, without heartbeats.
    methods.send(wire.TUNE_OK, tune[:6] + b"\x00\x00")
