"""azure-workload-identity: -- Microsoft Entra exchanges the pod's token for an access token now.

The webhook of Azure Workload Identity puts AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_AUTHORITY_HOST
and AZURE_FEDERATED_TOKEN_FILE into each container, gate's too; `client-id`, `tenant-id`,
`authority` and `token-file` stand for them. The token must be there and not have expired, and Entra
must give an access token for `scope`. What that token may do is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from gate.checks.identity import exchange, token
from gate.checks.wire.stream import phrase
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.identity.exchange import Exchange
    from gate.checks.identity.token import Setting
    from gate.core.target import Target

_AUTHORITY = "https://login.microsoftonline.com"
_SCOPE = "https://management.azure.com/.default"
_REMEDY = "is the pod labelled azure.workload.identity/use, its service account annotated?"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_OK = 200
_TRACE = " Trace ID:"
"""Where a description begins that differs each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureWorkloadIdentity:
    """Exchanges the token once."""

    service: Exchange
    client: Setting
    tenant: Setting
    token_file: Setting
    scope: str = _SCOPE

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless Entra gives an access token."""
        client, path = self.client.demand(), self.token_file.demand()
        self.tenant.demand()
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "scope": self.scope,
            "client_assertion_type": _ASSERTION,
            "client_assertion": await token.read(path),
        }
        attempt.enter_stage("Entra")
        _judge(*await self.service.post(form))


def parse(target: Target) -> AzureWorkloadIdentity:
    """Return the check that *target* describes."""
    tenant = token.setting(target, "tenant-id", "AZURE_TENANT_ID", _REMEDY)
    authority = token.setting(target, "authority", "AZURE_AUTHORITY_HOST", _REMEDY).value
    path = f"/{quote(tenant.value, safe='')}/oauth2/v2.0/token"
    check = AzureWorkloadIdentity(
        service=exchange.parse(target, "authority", authority or _AUTHORITY, path),
        client=token.setting(target, "client-id", "AZURE_CLIENT_ID", _REMEDY),
        tenant=tenant,
        token_file=token.file_setting(target, "AZURE_FEDERATED_TOKEN_FILE", _REMEDY),
        scope=target.text("scope", _SCOPE),
    )
    target.wants_only("azure-workload-identity:", is_host_read=False)
    return check


def _judge(status: int, body: bytes) -> None:
    told = exchange.said(body)
    if status == _OK and told.get("access_token"):
        return
    why = phrase(phrase(str(told.get("error_description", ""))).partition(_TRACE)[0])
    msg = f"Entra: {why or told.get('error') or f'status {status}'}"
    raise CheckFailed(msg)
