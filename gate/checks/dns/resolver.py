"""Records of any type, or from a certain server, with dnspython.

Nothing is kept between attempts: /etc/resolv.conf is read each time, as the pod's network may be
set up while gate waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dns.asyncbackend
import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rcode
import dns.resolver
import dns.reversename

from gate.checks.dns.answers import normal
from gate.checks.wire.dial import lookup
from gate.checks.wire.reasons import reason_of
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from gate.checks.dns.answers import Wanted
    from gate.core.target import Target
    from gate.core.url import Host

_PORT = 53
_SPARE = 60.0
"""Seconds on top of the attempt's own limit, which is the one that counts."""


@dataclass(frozen=True, slots=True)
class Records:
    """Asks for the records of one type, or for all addresses where `kinds` has both."""

    name: dns.name.Name
    kinds: tuple[str, ...]
    server: Host | None
    wanted: Wanted
    timeout: float
    resolv_conf: str = "/etc/resolv.conf"

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the answers are as wanted."""
        resolver = await self._resolver()
        answers: dict[str, str] = {}
        for kind in self.kinds:
            answers |= await self._search(resolver, kind)
        if not answers:
            msg = f"no answer of type {' or '.join(self.kinds)}"
            raise CheckFailed(msg)
        self.wanted.judge(answers)

    async def _resolver(self) -> dns.asyncresolver.Resolver:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.domain = dns.name.root
        if self.server is None:
            self._configure(resolver)
            attempt.enter_stage("name lookup")
            return resolver
        port = self.server.port or _PORT
        addresses = await _addresses(self.server.name, port)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(one, port) for one in addresses]
        attempt.enter_stage(f"server {self.server}")
        return resolver

    def _configure(self, resolver: dns.asyncresolver.Resolver) -> None:
        try:
            resolver.read_resolv_conf(self.resolv_conf)
        except (
            dns.resolver.NoResolverConfiguration,
            ValueError,
            dns.exception.DNSException,
        ) as exc:
            msg = f"{self.resolv_conf} names no usable server"
            raise CheckFailed(msg) from exc

    async def _search(self, resolver: dns.asyncresolver.Resolver, kind: str) -> dict[str, str]:
        """Return every accepted form of each answer, mapped to the form that is shown.

        The search goes on after a name without an answer, as in glibc. dnspython's own search would
        end at a name without such a record, and at a server that refuses.
        """
        failures: list[CheckFailed] = []
        for name in _candidates(self.name, resolver):
            try:
                answers = await self._ask(resolver, name, kind)
            except CheckFailed as exc:
                failures.append(exc)
                continue
            if answers:
                return answers
            failures.append(_NoRecord())
        return _end_of_search(failures)

    async def _ask(
        self, resolver: dns.asyncresolver.Resolver, name: dns.name.Name, kind: str
    ) -> dict[str, str]:
        try:
            answer = await resolver.resolve(
                name,
                kind,
                lifetime=self.timeout + _SPARE,
                raise_on_no_answer=False,
                backend=dns.asyncbackend.get_backend("asyncio"),
            )
        except dns.resolver.NXDOMAIN as exc:
            msg = f"name not found: {self.name}"
            raise Absent(msg) from exc
        except dns.resolver.NoNameservers as exc:
            raise CheckFailed(_refusals(exc)) from exc
        except dns.exception.DNSException as exc:
            msg = f"name lookup failed: {str(exc).lower()}"
            raise CheckFailed(msg) from exc
        return {form: forms[0] for rdata in answer for forms in [_forms(rdata)] for form in forms}


async def _addresses(server: str, port: int) -> list[str]:
    """Return the addresses of *server*.

    That the server does not exist says nothing about the name.
    """
    try:
        return [str(info[4][0]) for info in await lookup(server, port)]
    except CheckFailed as exc:
        msg = f"server: {exc}"
        raise CheckFailed(msg) from exc


class _NoRecord(CheckFailed):
    """The name exists, without a record of the type."""


def _candidates(
    name: dns.name.Name, resolver: dns.asyncresolver.Resolver
) -> tuple[dns.name.Name, ...]:
    """Return the names to ask for, one after the other (resolv.conf(5), search and ndots)."""
    if name.is_absolute():
        return (name,)
    whole = name.concatenate(dns.name.root)
    suffixes = resolver.search or [resolver.domain or dns.name.root]
    longer = tuple(name.concatenate(suffix) for suffix in suffixes if suffix != dns.name.root)
    ndots = 1 if resolver.ndots is None else resolver.ndots
    return (whole, *longer) if len(name) > ndots else (*longer, whole)


def _end_of_search(failures: list[CheckFailed]) -> dict[str, str]:
    """Return nothing for a name without records, else raise a server's failure if there is one."""
    if any(isinstance(failure, _NoRecord) for failure in failures):
        return {}
    raise next((each for each in failures if not isinstance(each, Absent)), failures[0])


def parse(target: Target, kind: str, server: Host | None, wanted: Wanted) -> Records:
    """Return the check; notes a problem where the name is none."""
    kinds = (kind,) if kind else ("A", "AAAA")
    try:
        name = _name(target.url.host, kind)
    except (dns.exception.DNSException, ValueError):
        target.problem("the URL's host is not a name that DNS can hold")
        name = dns.name.root
    return Records(name, kinds, server, wanted, target.timeout)


def _name(text: str, kind: str) -> dns.name.Name:
    """Return the name; an address has one where its PTR record is asked for."""
    if kind == "PTR":
        try:
            return dns.reversename.from_address(text)
        except (dns.exception.DNSException, ValueError):
            pass
    return dns.name.from_text(text, origin=None)


def _forms(rdata: Any) -> list[str]:  # noqa: ANN401 -- each record type has a class of its own
    """Return the forms in which the answer may be expected; the first one is shown."""
    kind = rdata.rdtype.name
    if kind == "SRV":
        target = normal(rdata.target.to_text())
        return [f"{target}:{rdata.port}", target]
    if kind == "MX":
        return [normal(rdata.exchange.to_text())]
    if kind == "TXT":
        return [b"".join(rdata.strings).decode(errors="replace")]
    return [normal(rdata.to_text())]


def _refusals(exc: dns.resolver.NoNameservers) -> str:
    """Return what the servers answered, the last one's word where they differ."""
    errors = exc.kwargs.get("errors") or []
    if not errors:
        return "no server to ask"
    server, _, _, error, response = errors[-1]
    # dnspython has `Do53:127.0.0.1@53` for a server.
    address = server.removeprefix("Do53:").partition("@")[0]
    if response is not None and response.rcode() != dns.rcode.NOERROR:
        code = dns.rcode.to_text(response.rcode())
        return "refused" if code == "REFUSED" else f"server failure ({code})"
    why = reason_of(error) if isinstance(error, OSError) else "bad answer"
    return f"server {address}: {why}"
