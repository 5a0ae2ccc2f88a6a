"""grpc://host:port -- `grpc.health.v1.Health/Check` says SERVING (`grpcs`: over TLS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.grpc import health, server

if TYPE_CHECKING:
    from gate.checks.grpc.server import GrpcServer
    from gate.core.target import Target


@dataclass(frozen=True, slots=True)
class Grpc:
    """Asks the health service of a gRPC server for `service`, empty for the whole server."""

    server: GrpcServer
    service: str = ""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the answer is SERVING."""
        await health.demand(self.server, self.service)


def parse(target: Target) -> Grpc:
    """Return the check that *target* describes."""
    scheme = target.url.scheme
    is_unix = scheme == "grpc+unix"
    service = target.text("service")
    if not is_unix and target.url.path.strip("/"):
        target.problem("the URL wants no path; write service=NAME for one service")
    return Grpc(server.parse(target, is_unix=is_unix, is_tls=scheme == "grpcs"), service)
