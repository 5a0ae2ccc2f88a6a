"""Who listens where, as far as a manifest tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.core.url import is_loopback
from gate.pods import clients, commands, gates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.pod import Action, Container, Pod

_KNOWN: dict[str, tuple[str, ...]] = {
    "istio": ("istio-proxy", "proxyv2"),
    "linkerd": ("linkerd-proxy",),
    "dapr": ("daprd",),
    "cloud-sql-proxy": ("cloud-sql-proxy", "gce-proxy"),
    "vault-agent": ("vault-agent",),
    "envoy": ("envoy",),
    "otel-collector": ("otel-collector", "otc-container", "opentelemetry-collector"),
}
"""Sidecars that everybody knows: part of the container's name or of its image."""

_PORTS = {"cloud-sql-proxy": {5432, 3306, 1433, 9090}, "dapr": {3500, 50001}, "envoy": {9901}}
_PORTS |= {"istio": {15001, 15020, 15021}, "linkerd": {4140, 4191}}
_PORTS |= {"otel-collector": {4317, 4318, 13133}}
INJECTED = frozenset(port for ports in _PORTS.values() for port in ports) | {15000, 3501, 8200}
"""Ports of sidecars that are put in front when the pod is created, and not in the manifest."""
PROXY_USERS = {1337, 2102}
"""The users of the meshes' proxies, whose traffic is not redirected."""
_BESIDE = re.compile(
    r"(?<![a-z0-9])(?:fluent(?:d|-?bit)?|log-?ship\w*|promtail|vector(?!-(?:db|store))|filebeat"
    r"|exporters?|(?:config-?)?reloader|k8s-sidecar|git-sync|logger|logging)(?![a-z0-9])"
)
_HOST_NAME = re.compile(r"(.*?)(?:_?HOST|_?HOSTNAME|_?SERVER|_?ADDR|_?ADDRESS)")
_SOCKET_OPTIONS = ("--unix-socket", "--unix-socket-path", "-u", "-dir", "--dir")


def known_as(container: Container) -> str:
    """Return the name of the well-known sidecar that *container* is, empty if it is none."""
    if container.is_plain_init:
        return ""  # the mesh's own, of the same image
    for name, parts in _KNOWN.items():
        if any(part in container.name or part == container.image_name for part in parts):
            return name
    return ""


def only_looks_on(container: Container) -> bool:
    """Whether it ships logs, exports metrics or reloads files: nobody waits for that."""
    return bool(_BESIDE.search(f"{container.name} {container.image_name}".lower()))


def declared(container: Container) -> set[int]:
    """Return the ports it says it listens on, and those that everybody knows."""
    own = {number for _, number in container.ports}
    return own | _PORTS.get(known_as(container), set())


def ports(container: Container, pod: Pod) -> set[int]:
    """Return every port it is known to listen on."""
    found = declared(container) | set(_probed(container))
    if gates.is_gate(container):
        found.add(gates.of(container, pod).settings.listen[1])
    return found


def _probed(container: Container) -> Iterator[int]:
    for probe in container.probes.values():
        if not probe.action.host and isinstance(number := number_of(probe.action, container), int):
            yield number


def number_of(action: Action, container: Container) -> int | None:
    """Return the port that a probe or a hook goes to, None where it is not to be had."""
    port = action.port
    if isinstance(port, str) and port.isdigit():
        return int(port)
    if isinstance(port, str):
        return next((number for name, number in container.ports if name == port), None)
    return port if isinstance(port, int) else None


def local_ports_named(container: Container) -> set[int]:
    """Return the ports of this pod that its variables and its command name."""
    return commands.local_ports(_texts(container)) | set(_pairs(container))


def _texts(container: Container) -> list[str]:
    values = [variable.value or "" for variable in container.env]
    hooks = [word for hook in container.hooks.values() for word in hook.command]
    return [*values, *container.words, *hooks]


def _pairs(container: Container) -> Iterator[int]:
    """Return the ports that stand in a variable of their own beside that of a loopback host."""
    values = {each.name.upper(): each.value or "" for each in container.env}
    for prefix in _local_hosts(container):
        port = values.get(f"{prefix}_PORT", values.get(f"{prefix}PORT", ""))
        if port.isascii() and port.isdigit():
            yield int(port)


def _local_hosts(container: Container) -> list[str]:
    """Return DB for `DB_HOST=localhost`."""
    local = (each.name.upper() for each in container.env if is_loopback(each.value or ""))
    return [match[1] for match in map(_HOST_NAME.fullmatch, local) if match]


def users(sidecar: Container, others: list[Container], pod: Pod) -> Iterator[str]:
    """Return the names of those of *others* that show that they use *sidecar*."""
    own = ports(sidecar, pod)
    is_proxy = known_as(sidecar) == "cloud-sql-proxy"
    for other in others:
        if local_ports_named(other) & own or (is_proxy and _uses_database(other, sidecar)):
            yield other.name


def _uses_database(container: Container, proxy: Container) -> bool:
    """Whether it names the proxy's socket, or this pod as a host and no port."""
    folder = (clients.option(proxy.words, *_SOCKET_OPTIONS) or "").rstrip("/")
    if folder and any(f"{folder}/" in text for text in _texts(container)):
        return True
    names = {each.name.upper() for each in container.env}
    return any({f"{p}_PORT", f"{p}PORT"}.isdisjoint(names) for p in _local_hosts(container))
