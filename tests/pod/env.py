"""Environment variables of a container as the kubelet makes them (facts 11.1-11.6)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.pod.model import Container, EnvSource, EnvVar, ManifestError

Texts = Mapping[str, Mapping[str, str]]

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort:
    """A port of a Service; a Service with one port need not name it."""

    port: int
    name: str = ""
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service of the pod's namespace; an empty cluster_ip or "None" means headless."""

    name: str
    cluster_ip: str
    ports: tuple[ServicePort, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All that variables are made from besides the container itself."""

    fields: Mapping[str, str] = field(default_factory=dict)
    service_variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Texts = field(default_factory=dict)
    config_maps: Texts = field(default_factory=dict)


def expand(text: str, lookup: Callable[[str], str | None]) -> str:
    """Replace `$(NAME)`; an unknown name stays as it is, `$$` becomes `$` (fact 11.1)."""

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        value = lookup(match[1])
        return match[0] if value is None else value

    return _REFERENCE.sub(replace, text)


def service_variables(services: Sequence[Service]) -> dict[str, str]:
    """Return the link variables of all Services with a cluster IP (facts 11.4, 11.5)."""
    variables: dict[str, str] = {}
    for service in services:
        if service.cluster_ip not in {"", "None"}:
            variables |= _links(service)
    return variables


def _links(service: Service) -> dict[str, str]:
    prefix, first = _upper(service.name), service.ports[0]
    variables = {
        f"{prefix}_SERVICE_HOST": service.cluster_ip,
        f"{prefix}_SERVICE_PORT": str(first.port),
        f"{prefix}_PORT": _link(service, first),
    }
    for port in service.ports:
        if port.name:
            variables[f"{prefix}_SERVICE_PORT_{_upper(port.name)}"] = str(port.port)
        variables |= _port_links(prefix, service, port)
    return variables


def _port_links(prefix: str, service: Service, port: ServicePort) -> dict[str, str]:
    stem = f"{prefix}_PORT_{port.port}_{port.protocol}"
    return {
        stem: _link(service, port),
        f"{stem}_PROTO": port.protocol.lower(),
        f"{stem}_PORT": str(port.port),
        f"{stem}_ADDR": service.cluster_ip,
    }


def _link(service: Service, port: ServicePort) -> str:
    host = f"[{service.cluster_ip}]" if ":" in service.cluster_ip else service.cluster_ip
    return f"{port.protocol.lower()}://{host}:{port.port}"


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


def environment(container: Container, sources: Sources) -> dict[str, str]:
    """Return the variables of *container*: env over envFrom over service links (fact 11.3)."""
    result: dict[str, str] = {}
    for entry in container.env_from:
        texts = texts_of(entry, sources)
        result |= {f"{entry.prefix}{name}": text for name, text in texts.items()}
    for variable in container.env:
        text = _value(variable, result, sources)
        if text is not None:
            result[variable.name] = text
    return {**sources.service_variables, **result}


def _value(variable: EnvVar, known: Mapping[str, str], sources: Sources) -> str | None:
    if variable.source is not None:
        return lookup(variable.source, sources)
    # Only what was declared earlier, envFrom and service variables can be referred to (11.1).
    return expand(variable.value, {**sources.service_variables, **known}.get)


def lookup(source: EnvSource, sources: Sources) -> str | None:
    """Return the text *source* points to; None if it is missing and may be."""
    if source.kind == "fieldRef":
        return sources.fields[source.name]
    text = texts_of(source, sources).get(source.key)
    if text is None and not source.optional:
        raise ManifestError([f"{source.kind} {source.name} has no key {source.key}"])
    return text


def texts_of(source: EnvSource, sources: Sources) -> Mapping[str, str]:
    """Return the whole Secret or ConfigMap *source* names; empty if it is missing and may be."""
    table = sources.secrets if source.kind.startswith("secret") else sources.config_maps
    if source.name not in table and not source.optional:
        raise ManifestError([f"{source.kind} {source.name} was not given to the player"])
    return table.get(source.name, {})


def expand_all(words: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """Return *words* of a command or args with the final environment put in (fact 11.2)."""
    return [expand(word, variables.get) for word in words]


def expand_static(words: Sequence[str], container: Container) -> list[str]:
    """Return an exec probe's *words*: only raw `env` values are known (fact 4.4)."""
    variables = {variable.name: variable.value for variable in container.env}
    return expand_all(words, variables)
