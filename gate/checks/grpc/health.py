"""The standard health service of gRPC servers (`grpc.health.v1`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.checks.grpc import protobuf
from gate.checks.grpc.server import Refusal
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from gate.checks.grpc.server import GrpcServer

METHOD = "/grpc.health.v1.Health/Check"
_NOT_FOUND, _UNIMPLEMENTED = 5, 12
_SERVING = 1
_STATES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


async def demand(server: GrpcServer, service: str) -> None:
    """Raise `CheckFailed` unless *service*, empty for the whole server, is SERVING."""
    try:
        answer = await server.ask(METHOD, protobuf.text(1, service))
    except Refusal as exc:
        raise _refusal(exc, service) from exc
    state = read(answer)
    if state != _SERVING:
        raise CheckFailed(_STATES[state] if state < len(_STATES) else f"health state {state}")


def read(message: bytes) -> int:
    """Return the state in a HealthCheckResponse; raises `CheckFailed`."""
    # Field 1, an enum, left out where it is 0; there is no other field.
    if not message:
        return 0
    if len(message) != 2 or message[0] != 0x08:  # noqa: PLR2004 -- key and value
        msg = "the answer holds no health message"
        raise CheckFailed(msg)
    return message[1]


def _refusal(refusal: Refusal, service: str) -> CheckFailed:
    if refusal.code == _NOT_FOUND:
        return Absent(f"service unknown: {service}" if service else "service unknown")
    if refusal.code == _UNIMPLEMENTED:
        return CheckFailed("no health service (UNIMPLEMENTED)")
    return refusal
