"""Who listens at the places that gate waits for: a lookup for each, where they are few.

A lookup goes the way of an arriving connection, and costs the same on each node. To tell of every
port, the kernel walks the table of the whole node, whose size goes with its memory: a megabyte
where that is large, twenty times a second, past the caches of the app. So that is for many places.

The kernel has a word for each place where nobody listens, too. A filter at the socket drops those,
so that a look in vain is one call: nothing has arrived.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import sys
from array import array
from struct import Struct, error
from typing import TYPE_CHECKING

from gate.runtime.listening_sockets import (
    AF_NETLINK,
    INET_DIAG_MSG,
    NETLINK_SOCK_DIAG,
    NLM_F_REQUEST,
    NLMSG_ERROR,
    NLMSGHDR,
    ListeningSockets,
)

if TYPE_CHECKING:
    from gate.core.attempt import Place

MOST = 40
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

_SOCK_FILTER = Struct("=HBBI")
"""`sock_filter`: code, jumps if true and false, constant; of `linux/filter.h`."""
_SOCK_FPROG = Struct("@HP")
"""`sock_fprog`: number of `sock_filter`, and where they are."""
_SO_ATTACH_FILTER = 26
_LOAD_HALF, _LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x28, 0x20, 0x15, 0x06


class Lookups:
    """What listens now, by `look`. Making one raises `OSError` where the kernel does not tell."""

    def __init__(self) -> None:
        self._all = ListeningSockets()
        try:
            self._socket = socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        except OSError:
            self._all.close()
            raise
        self._arrived = select.poll()
        self._arrived.register(self._socket, select.POLLIN)
        self._request = b""
        self._places: dict[Place, int] = {}
        """To the sequence number of the request, which is that of the answer."""
        self._answers: list[bytes] = []
        self._found: dict[int, frozenset[bytes]] = {}
        self._are_few = _can_look_up(self._socket)

    def close(self) -> None:
        """Leave the kernel alone."""
        self._all.close()
        self._socket.close()

    def follow(self, place: Place) -> None:
        """Look at *place* too from now on."""
        if place not in self._places:
            number = self._places[place] = len(self._places)
            self._request += _request(place, number)
            self._are_few = self._are_few and len(self._places) <= MOST

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
        if not self._are_few:
            return self._all.at(place)
        return self._found.get(self._places[place], frozenset())

    def _look_up(self) -> bool:
        """Look all places up; return whether an answer is new."""
        if not self._request:
            return False
        self._socket.send(self._request)
        answers = []
        # Each is there already, in the order of the request.
        while self._arrived.poll(0):
            answers.append(self._socket.recv(_LONGEST, socket.MSG_DONTWAIT))
        if answers == self._answers:
            return False
        self._found = dict(map(_found, answers))
        self._answers = answers
        return True


def _can_look_up(sock: socket.socket) -> bool:
    """Return whether the kernel answers, and from now on only where somebody listens.

    The filter runs in the kernel for each answer, and needs no capability. It sees numbers as the
    network has them: the highest byte first.
    """
    refused = NLMSG_ERROR.to_bytes(2, sys.byteorder)
    nobody = (-errno.ENOENT).to_bytes(4, sys.byteorder, signed=True)
    program = (
        (_LOAD_HALF, 0, 0, 4),
        (_JUMP_IF_EQUAL, 0, 3, int.from_bytes(refused)),
        (_LOAD_WORD, 0, 0, NLMSGHDR.size),
        (_JUMP_IF_EQUAL, 0, 1, int.from_bytes(nobody)),
        (_RETURN, 0, 0, 0),
        (_RETURN, 0, 0, 0xFFFFFFFF),
    )
    code = array("B", b"".join(_SOCK_FILTER.pack(*each) for each in program))
    where, _ = code.buffer_info()
    try:
        sock.send(_request(("127.0.0.1", 0), 0))
        sock.recv(_LONGEST, socket.MSG_DONTWAIT)
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _SOCK_FPROG.pack(len(program), where))
    except OSError:
        return False
    return True


def _request(place: Place, number: int) -> bytes:
    address, port = place
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    body = _INET_DIAG_REQ_V2.pack(
        family, socket.IPPROTO_TCP, 0, 0, port.to_bytes(2), packed, _LO, _ANY_COOKIE
    )
    return (
        NLMSGHDR.pack(NLMSGHDR.size + len(body), _SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, number, 0)
        + body
    )


def _found(answer: bytes) -> tuple[int, frozenset[bytes]]:
    """Return the number of the place, and the cookie of who listens there.

    Raises `OSError` if *answer* refuses to tell, and `struct.error` if it is cut off.
    """
    _, kind, _, number, _ = NLMSGHDR.unpack_from(answer)
    if kind == NLMSG_ERROR:
        (code,) = _ERRNO.unpack_from(answer, NLMSGHDR.size)
        raise OSError(-code, os.strerror(-code))
    *_, cookie = INET_DIAG_MSG.unpack_from(answer, NLMSGHDR.size)
    return number, frozenset({cookie})
