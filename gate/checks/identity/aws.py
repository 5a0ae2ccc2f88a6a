"""aws-irsa: -- STS exchanges the pod's token for credentials of the role now.

IAM roles for service accounts. The webhook of EKS puts AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE
and AWS_REGION into each container, gate's too; `role`, `token-file` and `region` stand for them.
The token must be there and not have expired, and AssumeRoleWithWebIdentity must succeed, as for the
app's first call; each attempt is an event in CloudTrail. What the role may do is not looked at.
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

_REMEDY = "is the service account annotated with eks.amazonaws.com/role-arn?"
_REGION = re.compile(r"[a-z0-9-]*")
_OK = 200
_CREDENTIALS = re.compile(rb"<AccessKeyId>\w+</AccessKeyId>")
_CODE = re.compile(rb"<Code>(.*?)</Code>", re.DOTALL)
_MESSAGE = re.compile(rb"<Message>(.*?)</Message>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsIrsa:
    """Exchanges the token once."""

    service: Exchange
    role: Setting
    token_file: Setting

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless STS gives credentials."""
        role, path = self.role.demand(), self.token_file.demand()
        form = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": role,
            "RoleSessionName": "gate",
            "WebIdentityToken": await token.read(path),
        }
        attempt.enter_stage("STS")
        _judge(*await self.service.post(form))


def parse(target: Target) -> AwsIrsa:
    """Return the check that *target* describes."""
    region = token.setting(target, "region", "AWS_REGION", _REMEDY).value
    if not _REGION.fullmatch(region):
        target.problem("region: wants a name like eu-central-1")
        region = ""
    end = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    usual = f"https://sts.{region}.{end}" if region else f"https://sts.{end}"
    check = AwsIrsa(
        service=exchange.parse(target, "endpoint", target.text("endpoint", usual)),
        role=token.setting(target, "role", "AWS_ROLE_ARN", _REMEDY),
        token_file=token.file_setting(target, "AWS_WEB_IDENTITY_TOKEN_FILE", _REMEDY),
    )
    target.wants_only("aws-irsa:", is_host_read=False)
    return check


def _judge(status: int, body: bytes) -> None:
    if status == _OK and _CREDENTIALS.search(body):
        return
    told = [phrase(found[1]) for found in (_CODE.search(body), _MESSAGE.search(body)) if found]
    msg = f"STS: {': '.join(told) or f'status {status}'}"
    raise CheckFailed(msg)
