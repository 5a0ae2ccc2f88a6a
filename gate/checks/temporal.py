"""temporal://host[:port] -- the frontend is SERVING; with `namespace`, that one is there too.

The frontend is asked by gRPC's health service, as Temporal's own chart for Kubernetes does, and for
the namespace as its clients do. Workers and history are behind it and are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.grpc import health, protobuf, server
from gate.checks.grpc.server import Refusal
from gate.checks.wire import tls_options
from gate.core.errors import Absent

if TYPE_CHECKING:
    from gate.checks.grpc.server import GrpcServer
    from gate.core.target import Target

PORT = 7233
SERVICE = "temporal.api.workflowservice.v1.WorkflowService"
_DESCRIBE = f"/{SERVICE}/DescribeNamespace"
_NOT_FOUND = 5


@dataclass(frozen=True, slots=True)
class Temporal:
    """Asks the frontend how it is, and for a namespace."""

    server: GrpcServer
    namespace: str = ""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the frontend serves and has the namespace."""
        await health.demand(self.server, SERVICE)
        if self.namespace:
            await self._find()

    async def _find(self) -> None:
        try:
            await self.server.ask(_DESCRIBE, protobuf.text(1, self.namespace))
        except Refusal as exc:
            if exc.code != _NOT_FOUND:
                raise
            msg = f"namespace not found: {self.namespace}"
            raise Absent(msg) from exc


def parse(target: Target) -> Temporal:
    """Return the check that *target* describes."""
    is_tls = target.flag("tls") or tls_options.parse(target) != tls_options.Tls()
    namespace = target.text("namespace")
    target.wants_only("temporal://host:port")
    return Temporal(server.parse(target, is_tls=is_tls, port=PORT), namespace)
