"""Who listens at the places that gate waits for: a lookup for each, where they are few.

A lookup goes the way of an arriving connection, and costs the same on each node. To tell of every
port, the kernel walks the table of the whole node, whose size goes with its memory: a megabyte
where that is large, twenty times a second, past the caches of the app. So that is for many places.
"""

from __future__ import annotations

import errno
import os
import socket
from struct import Struct, error
from typing import TYPE_CHECKING

from gate.runtime.listening_sockets import (
    INET_DIAG_MSG,
    NETLINK_SOCK_DIAG,
    NLM_F_REQUEST,
    NLMSG_ERROR,
    NLMSGHDR,
    ListeningSockets,
)

if TYPE_CHECKING:
    from gate.core.attempt import Place

MOST = 6
"""Places that are looked up one by one; beyond, telling of every port costs less (measured)."""

_SOCK_DIAG_BY_FAMILY = 20
_INET_DIAG_REQ_V2 = Struct("=BBBxI2s2x16s16xI8s")
"""`inet_diag_req_v2`: family, protocol, extensions, states; of the id port, address, interface and
cookie. Address and port are those that a connection would go to."""
_ERRNO = Struct("=i")
_LO = 1
"""The interface `lo`: the first of each network namespace."""
_ANY_COOKIE = b"\xff" * 8
_LONGEST = 512
"""Bytes of one answer: a socket and its attributes, or the request that was refused."""


class Lookups:
    """What listens now, by `look`. Making one raises `OSError` where the kernel does not tell."""

    def __init__(self) -> None:
        self._all = ListeningSockets()
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        except OSError:
            self._all.close()
            raise
        self._request = b""
        self._answers: dict[Place, bytes] = {}
        self._are_few = True

    def close(self) -> None:
        """Leave the kernel alone."""
        self._all.close()
        self._socket.close()

    def follow(self, place: Place) -> None:
        """Look at *place* too from now on."""
        if place not in self._answers:
            self._answers[place] = b""
            self._request += _request(place)
            self._are_few = self._are_few and len(self._answers) <= MOST

    def look(self) -> bool:
        """Ask the kernel; return whether anything differs from the last look; raises `OSError`."""
        if not self._are_few:
            return self._all.look()
        try:
            return self._look_up()
        except (OSError, error):
            # Not every kernel that tells of all ports looks one up.
            self._are_few = False
            self._all.look()
            return True

    def at(self, place: Place) -> frozenset[bytes]:
        """Return the sockets that a connection to *place* may reach, as of the last look."""
        return _sockets(self._answers[place]) if self._are_few else self._all.at(place)

    def _look_up(self) -> bool:
        """Look all places up; return whether an answer is new."""
        self._socket.send(self._request)
        is_news = False
        for place, before in self._answers.items():
            # Each is there already when it is asked for, in the order of the request.
            answer = self._socket.recv(_LONGEST, socket.MSG_DONTWAIT)
            if answer != before:
                _sockets(answer)
                self._answers[place] = answer
                is_news = True
        return is_news


def _request(place: Place) -> bytes:
    address, port = place
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    body = _INET_DIAG_REQ_V2.pack(
        family, socket.IPPROTO_TCP, 0, 0, port.to_bytes(2), packed, _LO, _ANY_COOKIE
    )
    return (
        NLMSGHDR.pack(NLMSGHDR.size + len(body), _SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + body
    )


def _sockets(answer: bytes) -> frozenset[bytes]:
    """Return the cookie of whom *answer* tells of; raises `OSError` if it refuses to."""
    if not answer:
        return frozenset()
    _, kind, _, _, _ = NLMSGHDR.unpack_from(answer)
    if kind != NLMSG_ERROR:
        *_, cookie = INET_DIAG_MSG.unpack_from(answer, NLMSGHDR.size)
        return frozenset({cookie})
    (code,) = _ERRNO.unpack_from(answer, NLMSGHDR.size)
    if -code != errno.ENOENT:
        raise OSError(-code, os.strerror(-code))
    return frozenset()
