"""The variables that Kubernetes injects for Services.

A Service called `gate` brings `GATE_PORT=tcp://…` and its relatives into every pod of the
namespace, one called `gate-http` brings `GATE_HTTP_SERVICE_HOST`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOST = "_SERVICE_HOST"
_PROTOCOLS = ("TCP", "UDP", "SCTP")


def is_injected(name: str, environ: Mapping[str, str]) -> bool:
    """Whether *name* was injected for a Service, rather than set by somebody."""
    # An injected value is an address; a URL with a path was written by somebody.
    return any(
        _is_link(name.removeprefix(prefix))
        for prefix in _prefixes(name)
        if "://" not in environ.get(prefix + _HOST, "://")
    )


def _prefixes(name: str) -> list[str]:
    """Return every prefix of *name* that ends before an underscore."""
    return [name[:index] for index, char in enumerate(name) if char == "_"]


def _is_link(rest: str) -> bool:
    """Whether *rest*, after the Service's name, is one of the forms that Kubernetes injects."""
    words = rest.split("_")[1:]
    if words[:1] == ["SERVICE"]:
        return words == ["SERVICE", "HOST"] or words[1:2] == ["PORT"]
    if words[:1] != ["PORT"]:
        return False
    port, tail = words[1:3], words[3:]
    if not port:
        return True
    is_port = len(port) == 2 and port[0].isdigit() and port[1] in _PROTOCOLS  # noqa: PLR2004 -- number and protocol
    return is_port and tail in ([], ["PROTO"], ["PORT"], ["ADDR"])
