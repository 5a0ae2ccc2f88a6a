"""A dependency in parts, and the text that stands for it in `GATE_DEPENDENCIES`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from gate.core import url as urls

_NAME = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+(%\w+)?\]")
_WITH_SEVERAL = {"amqp", "amqps", "kafka", "kafka+ssl", "mongodb", "mysql", "nats", "postgresql"}
_WITH_SEVERAL |= {"cassandra", "mssql", "oracle", "redis", "rediss", "zookeeper"}
BARE = {"cassandra", "kafka", "ldap", "ldaps", "mssql", "oracle", "smtp", "smtps", "zookeeper"}
"""Schemes of which login and path stay out: gate needs more to use them, or they may come later."""
SEVERAL = "names several servers; write each into GATE_DEPENDENCIES, with any=GROUP"
_HERE = {"(local)", "(localdb)", "."}


class NoDependency(ValueError):  # noqa: N818 -- an answer, as much as a fault
    """The value names nothing that gate can wait for.

    The text says why and what to do; it holds nothing of the value.
    """


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Parts:
    """What a value says. `hosts` are `host` or `host:port`, or one path of a unix socket."""

    scheme: str
    hosts: tuple[str, ...]
    user: str = ""
    password: str = ""
    database: str = ""
    query: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """Return it as a URL; raises `NoDependency`."""
        query = list(self.query)
        hosts = ",".join(host(each) for each in self.hosts if not each.startswith("/"))
        query += [("host", each) for each in self.hosts if each.startswith("/")]
        password = f":{_quoted(self.password)}" if self.password else ""
        login = f"{_quoted(self.user)}{password}@" if self.user or password else ""
        path = f"/{_quoted(self.database)}" if self.database else ""
        pairs = "&".join(f"{name}={_quoted(value)}" for name, value in query)
        return checked(f"{self.scheme}://{login}{hosts}{path}{pairs and '?' + pairs}")


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def host(text: str) -> str:
    """Return *text* if it is `host` or `host:port`; raises `NoDependency`."""
    name, port = split(text)
    if text.lower() in _HERE or not _NAME.fullmatch(name):
        msg = "names no host that gate knows how to read; write host:port"
        raise NoDependency(msg)
    if port and not urls.is_port(port):
        msg = "its port is not a number from 1 to 65535"
        raise NoDependency(msg)
    return text


def split(text: str) -> tuple[str, str]:
    """Return host and port, which is empty where there is none."""
    name, _, port = text.rpartition(":")
    if not name or text.endswith("]"):
        return text, ""
    return name, port


def with_port(text: str, port: str) -> str:
    """Return the host *text* with *port*, but with its own where it has one."""
    is_bare_v6 = text.count(":") > 1 and not text.startswith("[")
    name = f"[{text}]" if is_bare_v6 else text
    return f"{name}:{port}" if port and not split(name)[1] else name


def one(scheme: str, hosts: tuple[str, ...]) -> str:
    """Return the URL of the one host with a port that *hosts* has; raises `NoDependency`."""
    if len(hosts) > 1:
        raise NoDependency(SEVERAL)
    text = host(hosts[0]) if hosts else ""
    if not split(text)[1]:
        msg = "names no host and port; write host:port"
        raise NoDependency(msg)
    return checked(f"{scheme}://{text}")


def checked(text: str) -> str:
    """Return *text* if it is a URL that names a server; raises `NoDependency`."""
    try:
        url = urls.parse(text)
    except ValueError as exc:
        raise NoDependency(str(exc)) from None
    names_socket = url.path.strip("/") if "unix" in url.scheme or "socket" in url.scheme else ""
    if not url.hosts and not names_socket and not _has_host(url):
        msg = "names no host; write scheme://host:port"
        raise NoDependency(msg)
    if len(url.hosts) > 1 and url.scheme not in _WITH_SEVERAL:
        raise NoDependency(SEVERAL)
    return text


def _has_host(url: urls.Url) -> bool:
    return any(name in {"host", "hostaddr", "unix_socket", "socket"} for name, _ in url.query)
