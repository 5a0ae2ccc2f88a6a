"""tcp://host:port until=blocked allowed=tcp://… -- a policy holds connections to host:port back.

Ready means that `allowed` accepted a connection, then no address of the host let one through, and
then `allowed` accepted one again: the network works, and this port is held back. That is seen where
the answer is none at all for half of `timeout` (the policy drops), where it is "administratively
prohibited" (ICMP type 3, codes 9, 10, 13; ICMPv6 type 1, codes 1, 5, 6), and where the kernel of
this node refuses to connect (EACCES, EPERM).

What it cannot tell: a drop from a host that is gone or a broken route, so let `allowed` be on the
same host where there is one. A policy that rejects by a TCP reset or "port unreachable" looks like
a port on which nobody listens, and is never taken for one. It speaks of new TCP connections from
gate's pod to this port, now: not of UDP, of other pods, or of connections that exist, which many
networks let live on.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gate.checks.tcp import Tcp
from gate.checks.wire.dial import lookup
from gate.checks.wire.reasons import reason_of
from gate.core import attempt
from gate.core import url as urls
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.core.target import Target

OPTION = "allowed"
_LOCAL_REFUSAL = frozenset({errno.EACCES, errno.EPERM})
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_NO_SUCH_WAY = "no way from here"

# Of Linux's <netinet/in.h> and <linux/errqueue.h>.
_HEAR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""The option by which a socket keeps the ICMP messages that it gets."""
_ERROR = struct.Struct("=IBBBBII")
_PROHIBITED = {2: (3, frozenset({9, 10, 13})), 3: (1, frozenset({1, 5, 6}))}
"""Where a message comes from (ICMP, ICMPv6), to its type and codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Knocks at a port that must not answer, between two knocks at one that must."""

    host: str
    port: int
    allowed: Tcp
    patience: float
    """Seconds after which no answer counts as dropped."""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a policy holds connections back."""
        await self._demand_allowed()
        await self._demand_blocked()
        await self._demand_allowed()

    async def _demand_allowed(self) -> None:
        try:
            await self.allowed()
        except CheckFailed as exc:
            msg = f"{OPTION}: {urls.Host(self.allowed.host, self.allowed.port)}: {exc}"
            raise CheckFailed(msg) from exc

    async def _demand_blocked(self) -> None:
        addresses = await lookup(self.host, self.port)
        attempt.enter_stage("connecting")
        answers = await asyncio.gather(*(self._knock(each[0], each[4]) for each in addresses))
        told = {answer for answer in answers if answer != _NO_SUCH_WAY}
        if told != {""}:
            msg = f"not held back by a policy: {max(told, default=_NO_SUCH_WAY)}"
            raise CheckFailed(msg)

    async def _knock(self, family: int, address: Any) -> str:  # noqa: ANN401 -- as sockets have it
        """Return what came of connecting to *address*, empty where a policy held it back."""
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            return _NO_SUCH_WAY
        with sock:
            sock.setblocking(False)
            sock.setsockopt(*_HEAR[sock.family], 1)
            try:
                async with asyncio.timeout(self.patience):
                    await asyncio.get_running_loop().sock_connect(sock, address)
            except TimeoutError:
                return ""
            except OSError as exc:
                return _meaning(exc, sock)
        return "a connection is accepted"


def parse(target: Target) -> Blocked:
    """Return the check that *target* describes."""
    host, port = target.host_and_port()
    target.wants_only("tcp://host:port")
    if not hasattr(socket, "MSG_ERRQUEUE"):
        target.problem("until=blocked: hears what a policy answers on Linux alone")
    allowed = target.read(OPTION, _allowed, None)
    if allowed is None:
        form = f"{OPTION}=tcp://host:port"
        target.problem(f"until=blocked: wants a target that must answer meanwhile; write {form}")
        allowed = Tcp(host, port)
    return Blocked(host=host, port=port, allowed=allowed, patience=target.timeout / 2)


def _allowed(text: str) -> Tcp:
    url = urls.parse(text)
    if url.scheme != "tcp" or len(url.hosts) != 1 or not url.port or url.path or url.raw_query:
        msg = "wants tcp://host:port"
        raise ValueError(msg)
    return Tcp(url.host, url.port)


def _meaning(exc: OSError, sock: socket.socket) -> str:
    """Return what it means that *sock* could not connect, empty for a policy."""
    if exc.errno in _LOCAL_REFUSAL or _is_prohibited(sock):
        return ""
    return _NO_SUCH_WAY if exc.errno in _NO_WAY else reason_of(exc)


def _is_prohibited(sock: socket.socket) -> bool:
    """Whether an ICMP message has said so."""
    try:
        _, heard, _, _ = sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return False
    for _, _, data in heard:
        _, origin, kind, code, *_ = _ERROR.unpack_from(data)
        wanted, codes = _PROHIBITED.get(origin, (-1, frozenset()))
        if kind == wanted and code in codes:
            return True
    return False
