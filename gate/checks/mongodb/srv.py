"""The hosts of a mongodb+srv:// name, from DNS as drivers find them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from dns.asyncresolver import Resolver
from dns.exception import DNSException, Timeout
from dns.resolver import NXDOMAIN, NoAnswer

from gate.checks.mongodb.seeds import Seeds
from gate.core import attempt
from gate.core.errors import CheckFailed, NameNotFound
from gate.core.url import Host

if TYPE_CHECKING:
    from collections.abc import Callable

_OPTIONS = frozenset({"authsource", "replicaset", "loadbalanced"})
"""All that a TXT record may set."""
_SHORT = 3
"""A name of fewer labels has no parent domain to itself."""


@dataclass(frozen=True, slots=True)
class Srv:
    """Looks the SRV and TXT records of *name* up, as the pod's own resolver would."""

    name: str
    service: str = "mongodb"
    resolver: Callable[[], Resolver] = field(default=Resolver)

    async def __call__(self) -> Seeds:
        """Return the hosts that DNS names; raises `CheckFailed`, `NameNotFound`."""
        attempt.enter_stage("name lookup")
        try:
            resolver = self.resolver()
            hosts = await self._hosts(resolver)
            return Seeds(hosts, await self._options(resolver))
        except NXDOMAIN as exc:
            msg = f"name not found: {self._record}"
            raise NameNotFound(msg) from exc
        except NoAnswer as exc:
            msg = f"name has no SRV record: {self._record}"
            raise CheckFailed(msg) from exc
        except DNSException as exc:
            why = "no answer" if isinstance(exc, Timeout) else str(exc).lower()
            msg = f"name lookup failed: {self._record}: {why}"
            raise CheckFailed(msg) from exc

    @property
    def _record(self) -> str:
        return f"_{self.service}._tcp.{self.name.rstrip('.')}"

    async def _hosts(self, resolver: Resolver) -> tuple[Host, ...]:
        answer = await resolver.resolve(f"{self._record}.", "SRV")
        hosts = tuple(Host(str(srv.target).rstrip("."), srv.port) for srv in answer)
        for host in hosts:
            self._judge(host.name)
        return hosts

    def _judge(self, host: str) -> None:
        """Raise `CheckFailed` for a host outside the domain, where a forged record may point."""
        labels = self.name.lower().rstrip(".").split(".")
        parent = labels if len(labels) < _SHORT else labels[1:]
        if not host.lower().endswith("." + ".".join(parent)):
            msg = f"the SRV record of {self.name} points outside its domain, at {host}"
            raise CheckFailed(msg)

    async def _options(self, resolver: Resolver) -> tuple[tuple[str, str], ...]:
        try:
            answer = await resolver.resolve(f"{self.name.rstrip('.')}.", "TXT")
        except (NXDOMAIN, NoAnswer):
            return ()
        text = b"".join(part for record in answer for part in record.strings).decode(
            errors="replace"
        )
        pairs = [(key.lower(), value) for key, value in parse_qsl(text)]
        return tuple(pair for pair in pairs if pair[0] in _OPTIONS)
