"""tcp://host:port -- a connection is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.wire.dial import dial

if TYPE_CHECKING:
    from gate.core.target import Target


@dataclass(frozen=True, slots=True)
class Tcp:
    """Opens a connection and closes it."""

    host: str
    port: int

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a connection is accepted."""
        (await dial(self.host, self.port)).close()


def parse(target: Target) -> Tcp:
    """Return the check that *target* describes."""
    host, port = target.host_and_port()
    target.wants_only("tcp://host:port")
    return Tcp(host, port)
