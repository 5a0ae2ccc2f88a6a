"""tcp://host:port -- a connection is accepted; with `until=blocked`, a policy holds them back."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from gate.checks.wire.dial import dial
from gate.core.model import Until

if TYPE_CHECKING:
    from gate.checks import Check
    from gate.core.target import Target


@dataclass(frozen=True, slots=True)
class Tcp:
    """Opens a connection and closes it."""

    host: str
    port: int

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a connection is accepted."""
        (await dial(self.host, self.port)).close()


def parse(target: Target) -> Check:
    """Return the check that *target* describes."""
    if target.text("until") == Until.BLOCKED:
        # By name: hardly anybody wants it.
        check: Check = import_module("gate.checks.blocked").parse(target)
        return check
    host, port = target.host_and_port()
    if target.text("allowed"):
        target.problem("allowed: goes with until=blocked")
    target.wants_only("tcp://host:port")
    return Tcp(host, port)
