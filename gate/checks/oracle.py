"""oracle://host[:port]/service -- the listener knows the service and lets clients through to it.

That is what a client is told before it logs in: no login is tried. The path is the name of a
service, as in Easy Connect, but behind a driver (`oracle+oracledb://`) a SID, as in SQLAlchemy;
`service_name` and `sid` of the query are read too. Without any of them the listener alone is asked.
One that sends clients on to another listener (RAC) counts as ready. Of several hosts one is enough.
"""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gate.checks.wire import database_url, tls_options
from gate.checks.wire.several_hosts import first_ready
from gate.checks.wire.stream import Conversation, Endpoint
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed
from gate.core.target import plain

if TYPE_CHECKING:
    from gate.core.target import Target

PORT = 1521
_CONNECT, _ACCEPT, _REFUSE, _REDIRECT, _RESEND = 1, 2, 4, 5, 11
_KINDS = frozenset({_ACCEPT, _REFUSE, _REDIRECT, _RESEND})
_HEAD = struct.Struct(">HHBBH")
_WISHES = struct.Struct(">10HI2s24x4I")
_VERSION, _LEAST_VERSION, _ANY_SERVICE = 319, 300, 1
_SIZE, _CHARACTERISTICS, _FLAGS = 8192, 0x4F98, b"\x84\x84"
_MOST_TRIES = 3
_NAME = re.compile(r"[\w.$#-]{1,90}", re.ASCII)
"""Longer, the description would have to go in a packet of its own."""
_ERROR = re.compile(rb"\(ERR=(\d+)\)")
_UNKNOWN = frozenset({12505, 12514})
_WORDS = {
    12505: "the listener does not know the SID",
    12514: "the listener does not know the service",
    12516: "no free handler",
    12518: "the listener cannot hand clients over",
    12519: "no free handler",
    12520: "no free handler",
    12526: "open to administrators alone",
    12527: "open to administrators alone",
    12528: "closed to new clients: starting or stopping",
}
_NOT_ORACLE = "not an Oracle listener on this port"


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """Asks the listener for the service, and leaves before the login."""

    endpoints: tuple[Endpoint, ...]
    wanted: str
    """What the client wants, as the listener understands it: `SERVICE_NAME=app`."""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a listener lets clients through."""
        await first_ready({str(place): partial(self._ask, place) for place in self.endpoints})

    async def _ask(self, place: Endpoint) -> None:
        async with place.open() as talk:
            attempt.enter_stage("listener")
            kind, body = await _answer_to(talk, _request(self.wanted))
            if kind == _REFUSE:
                _judge(body)


def parse(target: Target) -> Oracle:
    """Return the check that *target* describes."""
    tls = tls_options.parse(target)
    is_secured = target.flag("tls") or tls != tls_options.Tls()
    places = tuple(
        Endpoint(host=server.host, port=server.port, tls=tls if is_secured else None)
        for server in database_url.servers(target, PORT, sockets=())
    )
    target.show("servicename", "sid")
    return Oracle(endpoints=places, wanted=_wanted(target))


def _wanted(target: Target) -> str:
    query = {plain(name): value for name, value in target.url.query}
    path, has_driver = database_url.database(target), "+" in target.url.scheme
    service = query.get("servicename") or ("" if has_driver else path)
    sid = query.get("sid") or (path if has_driver else "")
    if not (service or sid):
        return "COMMAND=ping"
    if not _NAME.fullmatch(service or sid):
        target.problem("the service's name wants letters, digits and . _ - $ #, at most 90")
    return f"SERVICE_NAME={service}" if service else f"SID={sid}"


def _request(wanted: str) -> bytes:
    """Return the packet CONNECT, as Oracle's own driver for Python sends it."""
    who = f"(CID=(PROGRAM=gate)(HOST={socket.gethostname()}))"
    description = f"(DESCRIPTION=(CONNECT_DATA=({wanted}){who}))".encode()
    start = _HEAD.size + _WISHES.size
    wishes = _WISHES.pack(
        *(_VERSION, _LEAST_VERSION, _ANY_SERVICE, _SIZE, _SIZE, _CHARACTERISTICS, 0, 1),
        *(len(description), start, 0, _FLAGS, _SIZE, _SIZE, 0, 0),
    )
    return _HEAD.pack(start + len(description), 0, _CONNECT, 0, 0) + wishes + description


async def _answer_to(talk: Conversation, request: bytes) -> tuple[int, bytes]:
    """Return kind and body of the answer; a listener may want to hear the *request* again."""
    for _ in range(_MOST_TRIES):
        talk.send(request)
        kind, body = await _answer(talk)
        if kind != _RESEND:
            return kind, body
    raise CheckFailed(_NOT_ORACLE)


async def _answer(talk: Conversation) -> tuple[int, bytes]:
    """Return kind and body of the next packet."""
    size, _, kind, _, _ = _HEAD.unpack(await talk.exactly(_HEAD.size))
    if kind not in _KINDS or size < _HEAD.size:
        raise CheckFailed(_NOT_ORACLE)
    return kind, await talk.exactly(size - _HEAD.size)


def _judge(refusal: bytes) -> None:
    """Raise `CheckFailed` unless *refusal* is the answer to a ping, which has no error."""
    found = _ERROR.search(refusal)
    if not found:
        msg = "refused without a reason"
        raise CheckFailed(msg)
    code = int(found[1])
    if code:
        kind = Absent if code in _UNKNOWN else CheckFailed
        raise kind(_WORDS.get(code) or f"refused: ORA-{code:05}")
