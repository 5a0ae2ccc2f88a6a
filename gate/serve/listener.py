"""The listening socket, which is bound before anything heavy is imported.

An early probe then waits in the backlog instead of being refused, and no other process can take the
port and answer the kubelet. Nothing but `socket` is imported here.
"""

from __future__ import annotations

import errno
import socket
from itertools import zip_longest

from gate.core import address
from gate.core.errors import ListenError

TYPE_CHECKING = False  # not from typing: nothing but socket is imported here
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BACKLOG = 512
_NO_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EINVAL})
_HINTS = {
    errno.EADDRINUSE: (
        "another container of this pod (with hostNetwork: anything on this node) has the port; "
        "set GATE_LISTEN, and the port of the probe with it"
    ),
    errno.EACCES: "ports below 1024 need a capability; set GATE_LISTEN to a higher one",
    errno.EADDRNOTAVAIL: "this pod has no such address; set GATE_LISTEN=:PORT for all of them",
}


def open_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket; an empty *host* means all addresses, IPv6 and IPv4.

    Falls back to IPv4 where there is no IPv6. Raises `ListenError` with port and hint.
    """
    try:
        if host:
            return _numeric(host, port)
        try:
            return _listening(socket.AF_INET6, ("::", port), is_dual=True)
        except OSError as exc:
            if exc.errno not in _NO_IPV6:
                raise
            return _listening(socket.AF_INET, ("0.0.0.0", port))  # noqa: S104 -- the kubelet probes the pod's address
    except OSError as exc:
        why = (exc.strerror or str(exc)).lower()
        hint = _HINTS.get(exc.errno or 0, "set GATE_LISTEN to an address of this pod")
        msg = f"cannot listen on {host or 'all addresses'}, port {port}: {why}; {hint}"
        raise ListenError(msg) from exc


def early(
    arguments: Sequence[str], environ: Mapping[str, str]
) -> socket.socket | ListenError | None:
    """Return the socket for `--listen` or `GATE_LISTEN`, or the error that prevents it.

    It is None where the address cannot be read: the configuration reports that with its place.
    """
    try:
        wanted = given(arguments, environ, "--listen", "GATE_LISTEN")
        return open_socket(*address.parse(wanted or address.DEFAULT))
    except ValueError:
        return None
    except ListenError as exc:
        return exc


def given(arguments: Sequence[str], environ: Mapping[str, str], flag: str, variable: str) -> str:
    """Return what *flag* or else *variable* says, empty if neither; without argparse."""
    found = environ.get(variable, "").strip()
    for word, value in zip_longest(arguments, arguments[1:], fillvalue=""):
        if word == "--":
            break  # what follows is another command's
        if word == flag:
            found = value
        elif word.startswith(f"{flag}="):
            found = word.partition("=")[2]
    return found


def _numeric(host: str, port: int) -> socket.socket:
    if host == "localhost":
        host = "127.0.0.1"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return _listening(family, (host, port))


def _listening(
    family: socket.AddressFamily, where: tuple[str, int], *, is_dual: bool = False
) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_dual:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(where)
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock
