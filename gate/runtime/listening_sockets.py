"""Who listens in this network namespace: one netlink request tells of every TCP port.

The kernel answers without any capability, in some 20 us. The names are those of `linux/netlink.h`,
`linux/sock_diag.h` and `linux/inet_diag.h`. The request is the older of two forms: it names no
family, so that one answer has both.
"""

from __future__ import annotations

import socket
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.core.attempt import Place

AF_NETLINK = getattr(socket, "AF_NETLINK", 16)
"""Where there is none, no such socket can be made."""
NETLINK_SOCK_DIAG = 4
_TCPDIAG_GETSOCK = 18
NLM_F_REQUEST, _NLM_F_DUMP = 0x1, 0x300
NLMSG_ERROR, _NLMSG_DONE = 2, 3
_INET_DIAG_SKV6ONLY = 11
_TCP_LISTEN = 10

NLMSGHDR = Struct("=IHHII")
"""`nlmsghdr`: length with this header, type, flags, sequence number, port id."""
_INET_DIAG_REQ = Struct("=BBBB48xII")
"""`inet_diag_req`: family, source and destination length, extensions; id; states, dbs."""
INET_DIAG_MSG = Struct("=BBxx2sxx16s16xI8s20x")
"""`inet_diag_msg`: family, state; of the id source port, source, interface and cookie."""
_RTATTR = Struct("=HH")
"""`rtattr`: length with this header, type."""

_REQUEST = NLMSGHDR.pack(
    NLMSGHDR.size + _INET_DIAG_REQ.size, _TCPDIAG_GETSOCK, NLM_F_REQUEST | _NLM_F_DUMP, 1, 0
) + _INET_DIAG_REQ.pack(socket.AF_INET, 0, 0, 0, 1 << _TCP_LISTEN, 0)

_LONGEST = 16 * 1024
"""Bytes of one part of an answer; the kernel fits them to what is read."""
_MOST_PARTS = 64
"""Parts of one answer: some 8,000 sockets. Where more listen, looking costs more than knocking."""
_ANY_DEVICE = frozenset({0, 1})
"""No interface, and `lo`, which is the first of each namespace."""

Listeners = dict["Place", frozenset[bytes]]
"""Address and port to the cookies of the sockets that listen there: a new one is a new socket."""


class ListeningSockets:
    """What listens now, by `look`. Making one raises `OSError` where the kernel does not tell."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._listeners: Listeners = {}
        self._socket = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        try:
            self.look()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Leave the kernel alone."""
        self._socket.close()

    def look(self) -> bool:
        """Ask the kernel; return whether anything differs from the last look; raises `OSError`."""
        self._socket.send(_REQUEST)
        parts: list[bytes] = []
        for before in self._parts:
            # Mostly nothing has changed, so that comparing must do.
            parts.append(self._socket.recv(_LONGEST, socket.MSG_DONTWAIT))
            if parts[-1] != before:
                break
        else:
            if parts:
                return False
        self._parts = self._received(parts)
        self._listeners = listeners(b"".join(self._parts))
        return True

    def at(self, place: Place) -> frozenset[bytes]:
        """Return the sockets that a connection to *place* may reach, as of the last look."""
        address, port = place
        every = "::" if ":" in address else "0.0.0.0"  # noqa: S104 -- compared, not bound
        found = self._listeners
        return found.get(place, frozenset()) | found.get((every, port), frozenset())

    def _received(self, parts: list[bytes]) -> list[bytes]:
        """Return *parts* with those that follow; each is there already when it is asked for."""
        while not (parts and _is_last(parts[-1])):
            if len(parts) == _MOST_PARTS:
                msg = "too many sockets listen"
                raise OSError(msg)
            parts.append(self._socket.recv(_LONGEST, socket.MSG_DONTWAIT))
        return parts


def listeners(answer: bytes) -> Listeners:
    """Return who listens by *answer*; what cannot be read of it is left out."""
    found: dict[Place, set[bytes]] = {}
    for _, body in _messages(answer):
        if len(body) < INET_DIAG_MSG.size:
            continue
        family, state, port, source, device, cookie = INET_DIAG_MSG.unpack_from(body)
        if state == _TCP_LISTEN and device in _ANY_DEVICE:
            for address in _addresses(family, source, body[INET_DIAG_MSG.size :]):
                found.setdefault((address, int.from_bytes(port)), set()).add(cookie)
    return {place: frozenset(cookies) for place, cookies in found.items()}


def _addresses(family: int, source: bytes, attributes: bytes) -> tuple[str, ...]:
    """Return the addresses that a socket bound to *source* listens on; `::` is IPv4's too."""
    if family == socket.AF_INET:
        return (socket.inet_ntop(socket.AF_INET, source[:4]),)
    if family != socket.AF_INET6:
        return ()
    address = socket.inet_ntop(socket.AF_INET6, source).removeprefix("::ffff:")
    if address == "::" and not _is_v6_only(attributes):
        return (address, "0.0.0.0")  # noqa: S104 -- compared, not bound
    return (address,)


def _is_v6_only(attributes: bytes) -> bool:
    while len(attributes) >= _RTATTR.size:
        length, kind = _RTATTR.unpack_from(attributes)
        if kind == _INET_DIAG_SKV6ONLY:
            return any(attributes[_RTATTR.size : length])
        attributes = attributes[max(_RTATTR.size, _aligned(length)) :]
    return False


def _is_last(part: bytes) -> bool:
    """Whether *part* ends the answer; raises `OSError` where the kernel refuses to give one."""
    kind = 0
    for kind, body in _messages(part):
        if kind == NLMSG_ERROR:
            msg = f"the kernel does not tell who listens: error {body[:4].hex()}"
            raise OSError(msg)
    return kind == _NLMSG_DONE


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each message; one that is cut off is the last."""
    start = 0
    while start + NLMSGHDR.size <= len(data):
        length, kind, _, _, _ = NLMSGHDR.unpack_from(data, start)
        yield kind, data[start + NLMSGHDR.size : start + length]
        start += max(NLMSGHDR.size, _aligned(length))


def _aligned(length: int) -> int:
    """Return *length* up to the next multiple of 4, where what follows begins (`NLMSG_ALIGN`)."""
    return length + 3 & ~3
