"""The address gate listens on, as `GATE_LISTEN` writes it.

Used before anything else is imported, and by `gate probe`: no imports.
"""

from __future__ import annotations

DEFAULT = ":4283"
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.:%_-")


def parse(text: str) -> tuple[str, int]:
    """Return host (empty: all addresses) and port of `:4283`, `[::1]:80` or `4283`.

    Raises `ValueError` with a text for the user.
    """
    if text.startswith(("tcp://", "udp://", "sctp://")):
        msg = (
            f"{text[:60]!r} was put there by Kubernetes for a Service; "
            "set the variable yourself, or enableServiceLinks: false in the pod"
        )
        raise ValueError(msg)
    host, _, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    name = host[1:-1] if bracketed else host
    wrong = (
        not (port.isascii() and port.isdigit() and len(port) <= 5)  # noqa: PLR2004 -- digits of a port
        or not 0 < int(port) < 65536  # noqa: PLR2004 -- the ports there are
        or bracketed != (":" in name)
        or not _NAME_CHARS.issuperset(name.lower())
    )
    if wrong:
        msg = f"{text[:60]!r} is not an address to listen on; write :4283 or 0.0.0.0:80"
        raise ValueError(msg)
    return name, int(port)


def to_connect(host: str) -> tuple[str, ...]:
    """Return the addresses on which a client in the same pod reaches *host*."""
    if host == "":
        return ("127.0.0.1", "::1")
    if host == "0.0.0.0":  # noqa: S104 -- compared, not bound
        return ("127.0.0.1",)
    if host == "::":
        return ("::1", "127.0.0.1")
    return (host,)
