"""Who listens where, as far as a manifest tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gate.core.url import is_loopback
from gate.pods import clients, commands, gates, well_known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.around import Group
    from gate.pods.pod import Action, Container, Pod

_HOST_NAME = re.compile(r"(.*?)(?:_?HOST|_?HOSTNAME|_?SERVER|_?ADDR|_?ADDRESS)")
_FOR_BROWSERS = re.compile(r"CORS|ORIGIN|CALLBACK|REDIRECT|PUBLIC|EXTERNAL|ALLOWED")
"""Variables with a URL that somebody's browser asks, not the container."""
_SOCKET_OPTIONS = ("--unix-socket", "--unix-socket-path", "-u", "-dir", "--dir")


def declared(container: Container) -> set[int]:
    """Return the ports it says it takes connections on, and those that everybody knows."""
    named = {number for _, number in container.ports}
    return (named - container.datagrams) | well_known.ports(container)


def ports(container: Container, pod: Pod) -> set[int]:
    """Return every port it is known to listen on."""
    found = declared(container) | set(_probed(container))
    if gates.is_gate(container):
        found.add(gates.of(container, pod).settings.listen[1])
    return found


def ports_of(group: Group) -> set[int]:
    """Return every port on which one of the pods behind a Service is known to listen."""
    if "ports" not in group.known:
        every = [ports(each, pod) for pod in group.pods for each in pod.containers]
        group.known["ports"] = set().union(*every)
    found: set[int] = group.known["ports"]
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
    values = [each.value or "" for each in container.env if not _FOR_BROWSERS.search(each.name)]
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
    is_proxy = well_known.known_as(sidecar) == "cloud-sql-proxy"
    for other in others:
        is_named = local_ports_named(other) & own or _names_host_alone(other, sidecar)
        if is_named or (is_proxy and _uses_database(other, sidecar)):
            yield other.name


def _names_host_alone(container: Container, server: Container) -> bool:
    """Whether a variable says that *server* is in this pod, and none says at which port."""
    names = {each.name.upper() for each in container.env}
    return any(
        well_known.is_meant_by(prefix, server) and f"{prefix}_PORT" not in names
        for prefix in _local_hosts(container)
    )


def _uses_database(container: Container, proxy: Container) -> bool:
    """Whether it names the proxy's socket, or this pod as a host and no port."""
    folder = (clients.option(proxy.words, *_SOCKET_OPTIONS) or "").rstrip("/")
    if folder and any(f"{folder}/" in text for text in _texts(container)):
        return True
    names = {each.name.upper() for each in container.env}
    return any({f"{p}_PORT", f"{p}PORT"}.isdisjoint(names) for p in _local_hosts(container))
