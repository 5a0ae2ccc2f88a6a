"""Writing to the API server of this cluster, as this pod."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gate.checks.k8s.api import NOT_FOUND, Connection, Resource, refusal
from gate.checks.k8s.service_account import Account
from gate.checks.wire.tls_options import Tls
from gate.core import attempt, durations
from gate.core.errors import CheckFailed
from gate.report import pod_identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.report.pod_identity import Pod

_PATIENCE = 10.0
_VERBS = {"POST": "create", "PATCH": "patch"}
_KINDS = {"POST": "application/json", "PATCH": "application/strategic-merge-patch+json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to write."""

    method: str
    resource: Resource
    """The resource as a rule of RBAC names it."""
    path: str
    document: Any


class Cluster:
    """The API server. Address and credentials are read each time, because they rotate."""

    def __init__(self, account: Account | None = None) -> None:
        self._account = account or Account(tls=Tls())

    async def write(self, change_of: Callable[[Pod], Change]) -> bool:
        """Write the change of this pod; False: what it changes is not there.

        Raises `CheckFailed`.
        """
        attempt.begin()
        login = await self._account.login()
        me = pod_identity.own(login.token, login.namespace)
        change = change_of(me)
        connection = Connection(login)
        try:
            async with asyncio.timeout(_PATIENCE):
                kind = _KINDS[change.method]
                answer = await connection.write(change.method, change.path, change.document, kind)
                said = await connection.body(answer)
        except TimeoutError as exc:
            msg = f"API server: no answer within {durations.show(_PATIENCE)}"
            raise CheckFailed(msg) from exc
        finally:
            connection.abort()
        if not answer.is_success and answer.status_code != NOT_FOUND:
            verb, place = _VERBS[change.method], change.resource.where(me.namespace)
            raise refusal(answer.status_code, said, verb, change.resource, place)
        return answer.is_success
