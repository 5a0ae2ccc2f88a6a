"""What the name of a variable says: whether it names a dependency, which, and of what kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_KINDS = {
    "POSTGRES": "postgresql",
    "PG": "postgresql",
    "MYSQL": "mysql",
    "MARIADB": "mysql",
    "REDIS": "redis",
    "VALKEY": "redis",
    "KAFKA": "kafka",
    "RABBIT": "amqp",
    "AMQP": "amqp",
    "CLOUDAMQP": "amqp",
    "NATS": "nats",
    "MEMCACHE": "memcached",
    "MONGO": "mongodb",
    "MQTT": "mqtt",
    "MSSQL": "mssql",
    "SQLSERVER": "mssql",
    "ORACLE": "oracle",
    "CASSANDRA": "cassandra",
    "SCYLLA": "cassandra",
    "ZOOKEEPER": "zookeeper",
    "ZK": "zookeeper",
}
"""How a word of the name begins, and the scheme it means."""
_NO_KIND = ("PGP", "PGADMIN")
_URLS = {"CONN", "DSN", "URI", "URL"}
_ADDRESSES = {"ADDR", "ADDRESS", "ADDRESSES", "BROKER", "BROKERS", "CONNECT", "CONNSTR"}
_ADDRESSES |= {
    "CONNECTION",
    "ENDPOINT",
    "ENDPOINTS",
    "HOSTS",
    "NODES",
    "SERVER",
    "SERVERS",
    "URLS",
    "URIS",
}
_HOSTS = {"HOST", "HOSTNAME", "PGHOST"}
_STRING = ["CONNECTION", "STRING"]
_ENDS = {*_URLS, *_ADDRESSES, *_HOSTS, "BOOTSTRAP", "JDBC", "STRING"} - {"PGHOST", "BROKER"}
_STORES = {"BROKER", "CACHE", "CONSUL", "DATABASE", "DATASOURCE", "DB", "DBC", "ELASTICSEARCH"}
_STORES |= {"ETCD", "JDBC", "OPENSEARCH", "SERVICE", "TEMPORAL", "VAULT"}
"""With one of these words a name is that of a dependency; of R2DBC the last is `DBC`."""
_BESIDE = (
    *(("HOST", "PORT"), ("HOSTNAME", "PORT"), ("Host", "Port")),
    *(("HOST", "PORT_NUMBER"), ("HOSTNAME", "PORT_NUMBER")),
)
"""How the name of a host ends, and that of its port."""
_SECRETS = {"KEY", "PASS", "PASSWD", "PASSWORD", "PWD", "SECRET", "TOKEN"}
_NEVER = {"ADVERTISED", "BIND", "LISTEN", "LISTENER", "LISTENERS"}
_OWN = {"ADMIN", "APP", "DEBUG", "GATE", "GRPC", "HTTP", "HTTPS", "LOCAL"}
_OWN |= {"MANAGEMENT", "METRICS", "NODE", "POD", "PUBLIC", "SERVER", "WEB"}
"""Names of what the app itself listens on."""
_ASIDE = {"DATADOG", "DD", "EMAIL", "FLUENTD", "GRAYLOG", "JAEGER", "LOGSTASH", "MAIL", "OTEL"}
_ASIDE |= {"PROXY", "SENTINEL", "SENTRY", "SMTP", "STATSD", "SYSLOG", "ZIPKIN"}
"""Names of what an app starts without, often by UDP; and of what stands beside a server."""


@dataclass(frozen=True, slots=True)
class Named:
    """A variable that names a dependency; *port* is the one with its port, if there is one."""

    variable: str
    port: str = ""

    @property
    def dependency(self) -> str:
        """The dependency's name: `DATABASE_URL` is `database`, `REDIS_HOST` is `redis`."""
        words = re.split(r"[^A-Za-z0-9]+", self.variable.removeprefix("ConnectionStrings__"))
        words = [word.lower() for word in words if word]
        while len(words) > 1 and words[-1].upper() in _ENDS:
            words.pop()
        name = "-".join(words)[:63].rstrip("-")
        return "postgres" if name == "pghost" else name or "env"


def kind_of(variable: str) -> str:
    """Return the scheme that the name of *variable* means, empty if it means none."""
    words = _words(variable)
    kinds = [kind for word in words if (kind := _kind(word))]
    if kinds:
        return kinds[-1]
    return "kafka" if {"BOOTSTRAP", "BROKERS"} & set(words) else ""


def is_secret(variable: str) -> bool:
    """Whether *variable* has the name of a secret: a host must not be looked for in it."""
    return bool(_SECRETS & set(_words(variable)[-1:]))


def pairs(names: Iterable[str]) -> tuple[Named, ...]:
    """Return the variables of *names* that hold a host and have one with the port beside them."""
    known = sorted(set(names))
    return tuple(Named(name, port) for name in known if (port := _port_beside(name, known)))


def guess(names: Iterable[str]) -> tuple[Named, ...]:
    """Return which of *names* name dependencies, by name alone, of each dependency one.

    What the app itself listens on, mail, proxies, and what only takes logs, metrics or traces is
    left out, and so is what Kubernetes injects for a Service (`DB_SERVICE_HOST`).
    """
    found: dict[str, Named] = {}
    known = sorted(set(names))
    for named in sorted(_guessed(known), key=lambda named: _rank(named.variable)):
        found.setdefault(named.dependency, named)
    return tuple(sorted(found.values(), key=lambda named: named.variable))


def _guessed(known: list[str]) -> Iterator[Named]:
    for name in known:
        words = _words(name)
        if not words or (_ASIDE | _NEVER) & set(words) or words[-2:] == ["SERVICE", "HOST"]:
            continue
        stem = set(words[:-1])
        is_known = bool(kind_of(name) or _STORES & stem)
        if words[-1] in _HOSTS:
            port = _port_beside(name, known)
            if is_known or (port and stem and not _OWN & stem):
                yield Named(name, port)
        elif name.startswith("ConnectionStrings__") or _is_whole(words, is_known=is_known):
            yield Named(name)


def _is_whole(words: list[str], *, is_known: bool) -> bool:
    """Whether it is the name of a variable with a URL, an address, or several."""
    stem, end = words[:-1], words[-1]
    if not stem or not (end in _URLS or end in _ADDRESSES or words[-2:] == _STRING):
        return False
    return is_known or (end == "ADDR" and not _OWN & set(stem))


def _rank(variable: str) -> int:
    """Return what comes first where several variables name one dependency: a URL says the most."""
    end = _words(variable)[-1]
    return 0 if end in _URLS else 2 if end in _HOSTS else 1


def _port_beside(name: str, known: list[str]) -> str:
    for end, port in _BESIDE:
        stem = name.removesuffix(end)
        if stem != name and stem + port in known:
            return stem + port
    return ""


def _kind(word: str) -> str:
    if word.startswith(_NO_KIND):
        return ""
    return next((kind for start, kind in _KINDS.items() if word.startswith(start)), "")


def _words(name: str) -> list[str]:
    return [word.upper() for word in _WORD.findall(name)]
