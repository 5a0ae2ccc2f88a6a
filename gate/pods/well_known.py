"""Programs that everybody knows: by their images' names, the ports they serve, and what for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gate.pods.pod import Container

_SIDECARS: dict[str, tuple[str, ...]] = {
    "istio": ("istio-proxy", "proxyv2"),
    "linkerd": ("linkerd-proxy",),
    "dapr": ("daprd",),
    "cloud-sql-proxy": ("cloud-sql-proxy", "cloudsql-proxy", "gce-proxy", "alloydb-auth-proxy"),
    "vault-agent": ("vault-agent",),
    "envoy": ("envoy",),
    "otel-collector": ("otel-collector", "otc-container", "opentelemetry-collector"),
}
"""Sidecars, by a part of the container's name or the name of its image."""

_PORTS = {"cloud-sql-proxy": {5432, 3306, 1433, 9090}, "dapr": {3500, 50001}, "envoy": {9901}}
_PORTS |= {"istio": {15001, 15020, 15021}, "linkerd": {4140, 4191}}
_PORTS |= {"otel-collector": {4317, 4318, 13133}}
INJECTED = frozenset(port for ports in _PORTS.values() for port in ports) | {15000, 3501, 8200}
"""Ports of sidecars that are put in front when the pod is created, and not in the manifest."""

_SERVERS = {"redis": 6379, "valkey": 6379, "memcached": 11211, "pgbouncer": 6432}
_SERVERS |= {"postgres": 5432, "postgresql": 5432, "mysql": 3306, "mariadb": 3306}
_SERVERS |= {"mongo": 27017, "mongodb": 27017, "rabbitmq": 5672, "nats": 4222, "etcd": 2379}
"""Servers by the names of their images, each with its port."""
_VARIABLES = {"redis": "REDIS", "valkey": "REDIS|VALKEY", "memcached": "MEMCACHED?"}
_VARIABLES |= {"pgbouncer": "PG|POSTGRES|DB|DATABASE", "rabbitmq": "RABBITMQ|AMQP"}
_VARIABLES |= dict.fromkeys(("postgres", "postgresql"), "PG|POSTGRES|DB|DATABASE")
_VARIABLES |= dict.fromkeys(("mysql", "mariadb"), "MYSQL|MARIADB|DB|DATABASE")
_VARIABLES |= dict.fromkeys(("mongo", "mongodb"), "MONGO|DB|DATABASE")
"""How variables that name such a server's host begin."""

PROXY_USERS = {1337, 2102}
"""The users of the meshes' proxies, whose traffic is not redirected."""
_BESIDE = re.compile(
    r"(?<![a-z0-9])(?:fluent(?:d|-?bit)?|log-?ship\w*|promtail|vector(?!-(?:db|store))|filebeat"
    r"|exporters?|(?:config(?:map)?-?)?reload(?:er)?|k8s-sidecar|liveness-?probe|git-sync|logger|logging|thanos|dns-sidecar"
    r"|metrics|monitor(?:ing)?)(?![a-z0-9])"
)
_BEFORE = re.compile(
    r"proxy|nginx|haproxy|traefik|caddy|gateway|ingress|varnish|httpd|apache|oauth|auth(?!or)"
    r"|tunnel|cloudflared|openresty|workhorse|modsecurity|(?<![a-z])waf(?![a-z])"
)
_HELPING = re.compile(
    r"sidecar|agent|watch|health|check(?!out)|helper|setup|init|backup|(?<!a)sync|test|updater|notif"
    r"|cron|sentinel"
)
_TENDING = re.compile(r"sidecar|watch|health|check(?!out)|backup|cron|sentinel")
_FORWARDING = re.compile(
    r"(?:^|\s)--?(?:upstream|backend|target)[\w-]*[= ]\S*(?:localhost|127\.0\.0\.1|\[::1\])"
)
_PROXY_PORT = re.compile(r"(?:--port[= ]|\s-p[= ]|[?&]port=|tcp:(?:[\d.]+:)?)(\d+)")


def known_as(container: Container) -> str:
    """Return the name of the well-known sidecar that *container* is, empty if it is none."""
    if "known as" not in container.known:
        container.known["known as"] = _known_as(container)
    name: str = container.known["known as"]
    return name


def _known_as(container: Container) -> str:
    if container.is_plain_init:
        return ""  # the mesh's own, of the same image
    for name, parts in _SIDECARS.items():
        if any(part in container.name or part == container.image_name for part in parts):
            return name
    return ""


def ports(container: Container) -> set[int]:
    """Return the ports that everybody knows it listens on."""
    name = known_as(container)
    own = set(map(int, _PROXY_PORT.findall(" ".join(container.words))))
    if name == "cloud-sql-proxy" and own:
        return own | {9090}
    server = _SERVERS.get(container.image_name)
    # Another command may be a client of the same image.
    is_server = server is not None and not container.command and not container.is_plain_init
    return _PORTS.get(name, set()) | ({server} if server and is_server else set())


def is_helper(container: Container) -> bool:
    """Whether it is known to serve other programs, whatever it is called here."""
    return bool(known_as(container)) or is_server(container)


def is_server(container: Container) -> bool:
    """Whether its image is that of a well-known server: a database, a cache, a broker."""
    return container.image_name in _SERVERS


def is_meant_by(prefix: str, container: Container) -> bool:
    """Whether a variable that begins with *prefix* means the server *container*."""
    words = _VARIABLES.get(container.image_name)
    return words is not None and re.match(f"(?:.*_)?(?:{words})(?:_|$)", prefix) is not None


def only_looks_on(container: Container) -> bool:
    """Whether it ships logs, exports metrics or reloads files: nobody waits for that."""
    return bool(_BESIDE.search(_called(container)))


def stands_before(container: Container) -> bool:
    """Whether it takes requests for others, and serves errors until then.

    It is called so, or is told on its command line where in this pod they go.
    """
    is_told = _FORWARDING.search(" ".join(container.words))
    return bool(is_told or _BEFORE.search(_called(container)))


def helps_another(container: Container) -> bool:
    """Whether it is called like what works for another container, and asks it from time to time."""
    return bool(_HELPING.search(_called(container)))


def tends_another(container: Container) -> bool:
    """Whether it is called like what looks after a server: its backup, its health."""
    return bool(_TENDING.search(_called(container)))


def _called(container: Container) -> str:
    return f"{container.name} {container.image_name}".lower()
