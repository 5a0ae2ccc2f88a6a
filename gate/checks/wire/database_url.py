"""What the URL of a database says: its servers, and parameters as drivers write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate.core import url as urls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gate.core.target import Target

_NO_SECRETS = (
    # Where, who and which.
    *("host", "hostaddr", "port", "unixsocket", "unixsock", "socket", "user", "dbname", "db"),
    *("database", "schema", "currentschema", "searchpath", "targetsessionattrs", "serverversion"),
    *("applicationname", "fallbackapplicationname", "programname", "connectionname"),
    # TLS and how to log in; files by their paths.
    *("ssl", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslnegotiation", "usessl"),
    *("sslca", "sslcapath", "sslcipher", "sslverifycert", "sslverifyidentity", "sslcheckhostname"),
    *("ssldisabled", "tls", "tlsversion", "gssencmode", "channelbinding", "requireauth"),
    *("allowpublickeyretrieval", "defaultauth", "passfile", "readdefaultfile"),
    # How to talk.
    *("charset", "collation", "characterencoding", "clientencoding", "encoding", "useunicode"),
    *("timezone", "servertimezone", "loc", "parsetime", "sqlmode", "autocommit", "pgbouncer"),
    *("connecttimeout", "timeout", "readtimeout", "writetimeout", "commandtimeout", "pooltimeout"),
    *("statementtimeout", "poolsize", "maxoverflow", "connectionlimit", "maxallowedpacket"),
)
"""Parameters that libpq and the drivers of PostgreSQL and MySQL know, as by `plain`."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server; `host` is a path where it is a unix socket, or the folder of one."""

    host: str
    port: int
    name: str
    """What its certificate is for: the host, but where that is only an address."""

    @property
    def is_unix(self) -> bool:
        """Whether it is reached by a unix socket."""
        return self.host.startswith("/")

    def __str__(self) -> str:
        return self.host if self.is_unix else str(urls.Host(self.host, self.port))


def servers(
    target: Target, default_port: int, sockets: Iterable[str] = ("host",)
) -> tuple[Server, ...]:
    """Return the servers of *target*: those that the query names, else its hosts.

    *sockets* are the parameters that name hosts or unix sockets, repeated or with commas.
    As in libpq `hostaddr` is where they are, and each is then only what its certificate is for.
    """
    target.show(*_NO_SECRETS)
    given = dict(target.url.query)
    ports = [port for port in given.get("port", "").split(",") if port]
    if ports and not all(port.isascii() and port.isdigit() for port in ports):
        target.problem("port: the one in the URL's query is not a number")
        ports = []
    names = _named(target, sockets) or list(target.url.hosts)
    hosts = _named(target, ("hostaddr",)) or names
    if not hosts:
        target.problem(f"the URL names no host; write {target.url.scheme}://host:{default_port}/db")
    target.keep_path(*(host.name for host in hosts))
    shared = int(ports[0]) if len(ports) == 1 else default_port
    each = [int(port) for port in ports] if len(ports) == len(hosts) else [shared] * len(hosts)
    if len(names) != len(hosts):
        names = hosts
    return tuple(
        Server(host.name, name.port or port, name.name)
        for host, name, port in zip(hosts, names, each, strict=True)
    )


def database(target: Target) -> str:
    """Return the database that the path of the URL names, empty if it names none."""
    return unquote(target.url.path.removeprefix("/"))


def parameter(parameters: Mapping[str, str], *names: str) -> str:
    """Return the first of *names* that *parameters* has, empty if there is none."""
    return next((parameters[name] for name in names if parameters.get(name)), "")


def without_nul(target: Target, **texts: str) -> None:
    """Note a problem for each of *texts* that would end early on the wire."""
    for name, text in texts.items():
        if "\0" in text:
            target.problem(f"{name}: the one in the URL holds a %00")


def _named(target: Target, sockets: Iterable[str]) -> list[urls.Host]:
    values = [value for key, value in target.url.query if key in set(sockets)]
    return [
        urls.Host(text, None) if text.startswith("/") else _host(text)
        for value in values
        for text in value.split(",")
        if text
    ]


def _host(text: str) -> urls.Host:
    name, colon, port = text.rpartition(":")
    if colon and port.isascii() and port.isdigit() and not name.count(":"):
        return urls.Host(name, int(port))
    return urls.Host(text.strip("[]"), None)
