"""SCRAM as Kafka's driver has it; the wire stays gate's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiokafka.conn import ScramAuthenticator

from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.kafka.sasl import Exchange

_MOST_ROUNDS = 100_000
"""Of hashing: Kafka's own limit is 16384; a thousand take a millisecond of the loop's time."""


def scram(name: str, user: str, password: str) -> Exchange:
    """Prove the password and have the broker prove that it knows it too (RFC 5802)."""
    steps = ScramAuthenticator(
        loop=None,  # for its thread pool, which a few milliseconds do not need
        sasl_mechanism=name,
        sasl_plain_username=user,
        sasl_plain_password=password,
    ).authenticator_scram()
    try:
        token, _ = next(steps)
        answer = yield token
        _judge(answer)
        token, _ = steps.send(answer)
        steps.send((yield token))
    except StopIteration:
        return
    except (KeyError, ValueError) as exc:
        msg = "login: the broker does not prove that it knows the password"
        raise CheckFailed(msg) from exc


def _judge(server_first: bytes) -> None:
    """Raise `CheckFailed` where the broker wants more hashing than any broker does."""
    rounds = re.search(rb",i=(\d{1,9})$", server_first)
    if rounds is None or not 0 < int(rounds[1]) <= _MOST_ROUNDS:
        msg = "login: no SCRAM from this broker"
        raise CheckFailed(msg)
