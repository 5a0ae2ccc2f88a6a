"""kafka://host1:port,host2:port -- a broker answers metadata; each `topic` has all its leaders.

Spoken by hand. So every answer is bounded, all addresses are tried, and the TLS options are those
of every other check.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gate.checks.kafka.protocol import Connection
from gate.checks.kafka.sasl import Sasl, plain
from gate.checks.kafka.scram import scram
from gate.checks.kafka.topics import judge
from gate.checks.wire import credentials, tls_options
from gate.checks.wire.several_hosts import first_ready
from gate.checks.wire.stream import Closed, Endpoint
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.kafka.sasl import Mechanism
    from gate.core.target import Target

DEFAULT_PORT = 9092
_MECHANISMS = ("plain", "scram-sha-256", "scram-sha-512")
_OVER_TLS = frozenset({"ssl", "tls"})
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kafka:
    """Asks every broker of the URL for metadata; one good answer is enough."""

    brokers: tuple[tuple[str, Endpoint], ...]
    topics: tuple[str, ...] = ()
    sasl: Sasl | None = None

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a broker answers and the topics have their leaders."""
        await first_ready({name: partial(self._ask, broker) for name, broker in self.brokers})

    async def _ask(self, broker: Endpoint) -> None:
        try:
            async with broker.open() as talk:
                attempt.enter_stage("handshake")
                connection = Connection(talk)
                await connection.api_versions()
                if self.sasl is not None:
                    await self.sasl(connection)
                attempt.enter_stage("metadata")
                judge(await connection.metadata(self.topics), self.topics)
        except Closed:
            if self.sasl is not None or attempt.current_stage() != "metadata":
                raise
            demanded = await _login_demanded_by(broker)
            if not demanded:
                raise
            self._forgive(demanded)

    def _forgive(self, demanded: list[str]) -> None:
        """Raise `CheckFailed` where more is wanted than a broker that demands a login."""
        if self.topics:
            msg = f"the broker demands a login, and topic= needs one: {', '.join(demanded)}"
            raise CheckFailed(msg)


async def _login_demanded_by(broker: Endpoint) -> list[str]:
    """Return the mechanisms if *broker* hung up because it wants a login first.

    It is asked only now, because brokers without logins do not expect the question.
    """
    async with broker.open() as talk:
        attempt.enter_stage("handshake")
        connection = Connection(talk)
        await connection.api_versions()
        _, offered = await connection.sasl_handshake("PLAIN")
    return offered


def parse(target: Target) -> Kafka:
    """Return the check that *target* describes."""
    tls = _tls_of(target)
    if not target.url.hosts or target.url.path.strip("/"):
        target.problem("the URL wants hosts and no more; write kafka://host1:9092,host2:9092")
    return Kafka(
        brokers=tuple(
            (str(host), Endpoint(host=host.name, port=host.port or DEFAULT_PORT, tls=tls))
            for host in target.url.hosts
        ),
        topics=_topics_of(target),
        sasl=_sasl_of(target),
    )


def _tls_of(target: Target) -> tls_options.Tls | None:
    """Return how to speak TLS: any of its options means that it is wanted."""
    _, plus, form = target.url.scheme.partition("+")
    if plus and form not in _OVER_TLS:
        target.problem(f"{target.url.scheme}: unknown scheme; gate has kafka, kafka+ssl")
    tls = tls_options.parse(target)
    return tls if target.flag("tls") or plus or tls != tls_options.Tls() else None


def _topics_of(target: Target) -> tuple[str, ...]:
    topics = target.many("topic")
    if not all(_TOPIC.fullmatch(topic) for topic in topics):
        target.problem("topic: wants a name of letters, digits, dots, - and _")
    return tuple(dict.fromkeys(topics))


def _sasl_of(target: Target) -> Sasl | None:
    login = credentials.parse(target)
    name = target.choice("sasl", _MECHANISMS, "")
    if login is None:
        if name:
            target.problem("sasl: wants a login; write kafka://user:password@host")
        return None
    if not name:
        target.problem(f"sasl: how to log in; write sasl= and one of {', '.join(_MECHANISMS)}")
    if not login.username:
        target.problem("the URL has a password but no user; write kafka://user:password@host")
    mechanism: Mechanism = scram if name.startswith("scram") else plain
    return Sasl(name.upper(), mechanism, login)
