"""`$(NAME)` in a manifest: what the kubelet puts in for it, as far as can be known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.pod import Container, EnvVar

UNKNOWN = "\x1aunknown\x1a"
"""Stands where a value is that comes from elsewhere; no manifest holds it."""

REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
_SERVICE = re.compile(r"[A-Z][A-Z0-9_]*_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\w+)?)")
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")


def names(text: str) -> list[str]:
    """Return NAME of each `$(NAME)` that looks like a variable's, not like a command."""
    found = (match[1] for match in REFERENCE.finditer(text) if match[1])
    return [name for name in found if _NAME.fullmatch(name)]


def is_injected(name: str) -> bool:
    """Whether Kubernetes may bring *name* for a Service."""
    return _SERVICE.fullmatch(name) is not None


def resolved(container: Container) -> Iterator[tuple[EnvVar, str | None]]:
    """Return each variable with its value, None where it is not known at all.

    Only what stands above can be referred to; what is in `envFrom` may be any name.
    """
    values: dict[str, str] = {}
    for variable in container.env:
        if variable.value is None:
            values[variable.name] = UNKNOWN
            yield variable, None
            continue
        value = _expand(variable.value, values, may_be_any=container.has_env_from)
        values[variable.name] = value
        yield variable, value


def _expand(text: str, values: dict[str, str], *, may_be_any: bool) -> str:
    def put_in(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "$"
        if name in values:
            return values[name]
        return UNKNOWN if may_be_any or is_injected(name) else match[0]

    return REFERENCE.sub(put_in, text)
