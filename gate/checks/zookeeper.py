"""zookeeper://host:port -- the server serves, so there is a quorum; a path must be a node there.

`srvr` is asked, the four-letter word that ZooKeeper answers whatever its whitelist says (`ruok` is
off by default, and answered without a quorum). Where a server does not answer it, or a path is
given, a session is opened and closed: two entries in its log of transactions. Of several hosts one
is enough.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate.checks.wire import tls_options
from gate.checks.wire.several_hosts import first_ready
from gate.checks.wire.stream import Closed, Conversation, Endpoint, endpoints, phrase
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from gate.core.target import Target

_MOST_LINES = 64
_MODE = b"Mode: "
_READ_ONLY = b"Mode: read-only"
_NOT_SERVING = b"not currently serving requests"
_DISABLED = b"not in the whitelist"
_NO_QUORUM = "not serving requests: no quorum"
_NOT_ZOOKEEPER = "not ZooKeeper on this port"

_SESSION_MILLISECONDS = 10_000
_CONNECT = struct.Struct(">iqiqi16s?")
_CONNECTED = struct.Struct(">iiq")
_REQUEST = struct.Struct(">ii")
_REPLY = struct.Struct(">iqi")
_EXISTS, _CLOSE = 3, -11
_FOUND, _NO_NODE = 0, -101


@dataclass(frozen=True, slots=True, kw_only=True)
class ZooKeeper:
    """Asks how the server is; opens a session where it does not say, or to look for a node."""

    endpoints: tuple[Endpoint, ...]
    node: str = ""
    """Path of the node that must be there, empty for none."""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a server serves and has the node."""
        await first_ready({str(place): partial(self._ask, place) for place in self.endpoints})

    async def _ask(self, place: Endpoint) -> None:
        if not await _says_that_it_serves(place) or self.node:
            await self._open_session(place)

    async def _open_session(self, place: Endpoint) -> None:
        async with place.open() as talk:
            attempt.enter_stage("session")
            await _connect(talk)
            try:
                if self.node:
                    await _find(talk, self.node)
            finally:
                talk.send(_framed(_REQUEST.pack(2, _CLOSE)))


def parse(target: Target) -> ZooKeeper:
    """Return the check that *target* describes."""
    places = endpoints(target, {"zookeeper": 2181}, {})
    tls = tls_options.parse(target)
    if target.flag("tls") or tls != tls_options.Tls():
        places = tuple(replace(place, tls=tls) for place in places)
    target.wants_only("zookeeper://host:port/path/of/a/node", is_path_read=True)
    return ZooKeeper(endpoints=places, node=unquote(target.url.path.rstrip("/")))


async def _says_that_it_serves(place: Endpoint) -> bool:
    """Whether the server says that it serves; False where it does not say.

    Raises `CheckFailed` where it says that it does not serve.
    """
    async with place.open() as talk:
        attempt.enter_stage("srvr")
        talk.send(b"srvr")
        lines = await _lines(talk)
    if _READ_ONLY in lines or any(_NOT_SERVING in line for line in lines):
        raise CheckFailed(_NO_QUORUM)
    if any(line.startswith(_MODE) for line in lines):
        return True
    if not lines or any(_DISABLED in line for line in lines):
        return False
    msg = f"srvr: {phrase(lines[0])}"
    raise CheckFailed(msg)


async def _lines(talk: Conversation) -> list[bytes]:
    lines: list[bytes] = []
    while len(lines) < _MOST_LINES:
        try:
            lines.append(await talk.line())
        except Closed:
            break
    return lines


async def _connect(talk: Conversation) -> None:
    """Open a session; raises `CheckFailed` where the server gives none."""
    talk.send(_framed(_CONNECT.pack(0, 0, _SESSION_MILLISECONDS, 0, 16, bytes(16), False)))
    try:
        answer = await _frame(talk, _CONNECTED.size)
    except Closed as exc:
        # A server without a quorum hangs up.
        msg = f"not serving requests: {exc}"
        raise CheckFailed(msg) from exc
    _, _, session = _CONNECTED.unpack_from(answer)
    if not session:
        msg = "session refused"
        raise CheckFailed(msg)


async def _find(talk: Conversation, node: str) -> None:
    attempt.enter_stage("node")
    path = node.encode(errors="surrogateescape")
    talk.send(_framed(_REQUEST.pack(1, _EXISTS) + struct.pack(">i", len(path)) + path + b"\0"))
    _, _, error = _REPLY.unpack_from(await _frame(talk, _REPLY.size))
    if error == _NO_NODE:
        msg = f"node not found: {node}"
        raise Absent(msg)
    if error != _FOUND:
        msg = f"node {node}: error {error}"
        raise CheckFailed(msg)


def _framed(message: bytes) -> bytes:
    return struct.pack(">i", len(message)) + message


async def _frame(talk: Conversation, least: int) -> bytes:
    """Return the next message, of *least* bytes or more."""
    size = int.from_bytes(await talk.exactly(4), "big")
    message = await talk.exactly(size)
    if size < least:
        raise CheckFailed(_NOT_ZOOKEEPER)
    return message
