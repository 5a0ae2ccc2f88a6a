"""What the URL of a database says: its servers, and parameters as drivers write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate import url as urls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gate.target import Target


_NO_SECRETS = frozenset({"host", "port", "user", "dbname", "target_session_attrs", "unix_socket"})


@dataclass(frozen=True, slots=True)
class Server:
    """One server; `host` is a path where it is a unix socket, or the folder of one."""

    host: str
    port: int

    @property
    def is_unix(self) -> bool:
        """Whether it is reached by a unix socket."""
        return self.host.startswith("/")

    @property
    def name(self) -> str:
        """The name that a certificate is expected to have."""
        return self.host.rstrip(".")

    def __str__(self) -> str:
        return self.host if self.is_unix else str(urls.Host(self.host, self.port))


def servers(
    target: Target, default_port: int, sockets: Iterable[str] = ("host",)
) -> tuple[Server, ...]:
    """Return the servers of *target*: those that the query names, else its hosts.

    *sockets* are the parameters that name hosts or unix sockets, repeated or with commas.
    """
    _show_what_is_no_secret(target)
    given = dict(target.url.query)
    ports = [port for port in given.get("port", "").split(",") if port]
    if ports and not all(port.isascii() and port.isdigit() for port in ports):
        target.problem("port: the one in the URL's query is not a number")
        ports = []
    hosts = _named(target, sockets) or list(target.url.hosts)
    if not hosts:
        target.problem(f"the URL names no host; write {target.url.scheme}://host:{default_port}/db")
    shared = int(ports[0]) if len(ports) == 1 else default_port
    each = [int(port) for port in ports] if len(ports) == len(hosts) else [shared] * len(hosts)
    return tuple(
        Server(host.name, host.port or port) for host, port in zip(hosts, each, strict=True)
    )


def _show_what_is_no_secret(target: Target) -> None:
    """Let reasons name what the query of the URL says of servers, roles and the like."""
    for key, value in target.url.query:
        if key in _NO_SECRETS:
            target.show(value)


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
