"""dns://name -- the name resolves as the app's own resolver would see it.

Without `type` and `server`, and for `type=A` or `AAAA` without `server`, that is `getaddrinfo`:
hosts file, search list and all, a final dot ends the search. Records of other types are looked up
with the search list and the servers of /etc/resolv.conf. With `server=HOST[:PORT]` that server is
asked for the name as it is written.

`min=N` wants N answers. `expect=VALUE` must be among them, repeatable or with commas: an address, a
name, `target:port` or target (SRV), the text (TXT, without commas as separators).

`until=down` waits for a name that does not exist. A name without a record of the wanted type
exists. `getaddrinfo` does not tell the two apart on every system, so there a name without an
address counts as gone.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from gate.checks.dns.answers import Wanted, normal
from gate.checks.wire.dial import lookup
from gate.core import url as urls
from gate.core.errors import Absent, NameNotFound
from gate.core.target import one_of

if TYPE_CHECKING:
    from gate.checks import Check
    from gate.core.target import Target
    from gate.core.url import Host

_FAMILIES = {"": 0, "A": socket.AF_INET, "AAAA": socket.AF_INET6}
_TYPES = (
    *("A", "AAAA", "CAA", "CNAME", "HTTPS", "MX", "NAPTR", "NS"),
    *("PTR", "SOA", "SRV", "SVCB", "TLSA", "TXT"),
)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Looks a name up as programs do."""

    name: str
    family: int
    wanted: Wanted

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the name has the wanted addresses."""
        try:
            found = [str(info[4][0]) for info in await lookup(self.name, 0, self.family)]
        except NameNotFound as exc:
            # The name itself is what is asked for here: that it does not exist is an answer.
            raise Absent(str(exc)) from exc
        self.wanted.judge({normal(address): address for address in found})


def parse(target: Target) -> Check:
    """Return the check that *target* describes; may raise `ModuleNotFoundError`."""
    name = target.url.host
    if len(target.url.hosts) != 1 or target.url.port or target.url.path.strip("/"):
        target.problem("the URL wants one name and nothing else; write dns://name")
    kind = target.read("type", lambda text: one_of(text.upper(), _TYPES), "")
    server = target.read("server", _server, None)
    wanted = Wanted(
        target.number("min", 1, least=1),
        _expected(target, splits=kind != "TXT"),
        "addresses" if kind in _FAMILIES else "answers",
    )
    target.wants_only("dns://name", is_path_read=True)
    if server is None and kind in _FAMILIES:
        return Addresses(name, _FAMILIES[kind], wanted)
    check: Check = import_module("gate.checks.dns.resolver").parse(target, kind, server, wanted)
    return check


def _expected(target: Target, *, splits: bool) -> tuple[str, ...]:
    values = target.many("expect")
    if splits:
        values = tuple(part for value in values for part in value.split(",") if part)
        return tuple(normal(value) for value in values)
    return values


def _server(text: str) -> Host:
    try:
        url = urls.parse(f"dns://{text}")
    except ValueError:
        url = None
    if url is None or len(url.hosts) != 1 or url.path or url.username:
        msg = f"{text[:60]!r} is not a server; write HOST or HOST:PORT"
        raise ValueError(msg)
    return url.hosts[0]
