"""Who listens where, as far as a manifest tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint import commands, gates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.lint.pod import Action, Container, Pod

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
_BESIDE: tuple[str, ...] = (
    "fluent",
    "logship",
    "log-ship",
    "promtail",
    "vector",
    "filebeat",
    "exporter",
)
_BESIDE += ("reloader", "k8s-sidecar", "git-sync", "logger", "logging")


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
    words = f"{container.name} {container.image_name}"
    return any(part in words for part in _BESIDE)


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
    values = (variable.value or "" for variable in container.env)
    hooks = (word for hook in container.hooks.values() for word in hook.command)
    return commands.local_ports([*values, *container.words, *hooks])
