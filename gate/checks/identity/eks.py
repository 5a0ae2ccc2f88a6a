"""aws-pod-identity: -- the agent of EKS Pod Identity gives credentials for the pod's token now.

Amazon puts AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE into each
container, gate's too, and leaves them out without a word where its webhook is late; `endpoint` and
`token-file` stand for them. The agent of the node must answer, and Amazon must know the pod's
service account. What the role may do is not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.identity import exchange, token
from gate.checks.wire.stream import phrase
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.identity.exchange import Exchange
    from gate.checks.identity.token import Setting
    from gate.core.target import Target

_REMEDY = "has the service account an association, and was the pod made after it?"
_PLACE = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_AGENT = "http://169.254.170.23/v1/credentials"
_OK = 200
_WHY = re.compile(rb"\w+Exception\W[^\r\n\"]*")
"""The part of an error that is the same each time; a request's number stands before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsPodIdentity:
    """Asks the agent once."""

    agent: Exchange
    place: Setting
    token_file: Setting

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the agent gives credentials."""
        self.place.demand()
        authorization = await token.read(self.token_file.demand())
        attempt.enter_stage("agent")
        _judge(*await self.agent.get((("authorization", authorization),)))


def parse(target: Target) -> AwsPodIdentity:
    """Return the check that *target* describes."""
    place = token.setting(target, "endpoint", _PLACE, _REMEDY)
    check = AwsPodIdentity(
        agent=exchange.parse(target, "endpoint", place.value or _AGENT),
        place=place,
        token_file=token.file_setting(target, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", _REMEDY),
    )
    target.wants_only("aws-pod-identity:", is_host_read=False)
    return check


def _judge(status: int, body: bytes) -> None:
    if status == _OK and exchange.said(body).get("AccessKeyId"):
        return
    why = _WHY.search(body)
    msg = f"agent: {phrase(why[0]) if why else f'status {status}'}"
    raise CheckFailed(msg)
