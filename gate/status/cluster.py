"""What `gate status` asks of the API server: lists, and the gates behind its pod proxy."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from gate.checks.k8s import listing
from gate.checks.k8s.api import FORBIDDEN, OK, Connection, Forbidden, Resource, forbidden
from gate.core import attempt, durations
from gate.core.errors import CheckFailed
from gate.core.one_line import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gate.checks.k8s.service_account import Login

    Object = dict[str, Any]

PODS = Resource(plural="pods")
SERVICES = Resource(plural="services")
EVENTS = Resource(plural="events")
PROXY = Resource(plural="pods/proxy")
_CONNECTIONS = 16
"""How many gates are asked at a time: those on a dead node hang."""
_PAGE = 500
_LIST = 60.0
"""Seconds that a list may take, all of its pages."""
_STATUS = 3.0
"""Seconds that a gate may take to answer."""
_LONGEST = 2 * 1024 * 1024
"""Bytes of a pod's answer, which may come from anything."""
_LONGEST_REASON = 200


class Cluster:
    """The API server; everything raises `CheckFailed`, as `Forbidden` where RBAC is against it."""

    def __init__(self, login: Login) -> None:
        # The last one that was used is taken first: it is open.
        self._free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        self._all = [Connection(login) for _ in range(_CONNECTIONS)]
        for connection in self._all:
            self._free.put_nowait(connection)

    def close(self) -> None:
        """Close every connection."""
        for connection in self._all:
            connection.abort()

    async def list(
        self, resource: Resource, namespace: str, selection: dict[str, str] | None = None
    ) -> list[Object]:
        """Return the objects of *resource* in *namespace*, in all of them where that is empty."""
        found: list[Object] = []
        wanted = listing.Wanted(
            resource=resource, namespace=namespace, selection=selection or {}, page=_PAGE
        )
        async with self._connection(_LIST) as connection:
            await listing.read(connection, wanted, found.append)
        return [each for each in found if isinstance(each.get("metadata"), dict)]

    async def status(self, namespace: str, pod: str, port: int) -> object:
        """Return what `/status` of the gate in *pod* says."""
        path = f"{PODS.path(namespace)}/{pod}:{port}/proxy/status"
        async with self._connection(_STATUS) as connection:
            answer = await connection.get(path, {})
            said = await connection.body(answer, _LONGEST)
        if answer.status_code == OK:
            return said
        message = str(said.get("message") or "") if isinstance(said, dict) else ""
        if answer.status_code == FORBIDDEN and "pods/proxy" in message:
            raise Forbidden(forbidden(message, "get", PROXY, PODS.where(namespace)))
        detail = one_line(message, _LONGEST_REASON)
        msg = f"status {answer.status_code}{detail and ': '}{detail}"
        raise CheckFailed(msg)

    @asynccontextmanager
    async def _connection(self, seconds: float) -> AsyncIterator[Connection]:
        """Lend a connection for some time; what went wrong on it leaves it closed."""
        connection = await self._free.get()
        try:
            async with asyncio.timeout(seconds):
                yield connection
        except BaseException as exc:
            connection.abort()
            if isinstance(exc, TimeoutError):
                doing = attempt.current_stage() or "API server"
                msg = f"{doing}: no answer within {durations.show(seconds)}"
                raise CheckFailed(msg) from exc
            raise
        finally:
            self._free.put_nowait(connection)
