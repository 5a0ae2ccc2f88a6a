"""mssql://host[:port] -- the server answers the first message of its protocol, before any login.

That is PRELOGIN of TDS ([MS-TDS] 2.2.6.5); `sqlserver` is the same. No login is tried, so whether a
database is there or still being recovered remains unknown. Of several hosts one is enough.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gate.checks.wire import database_url
from gate.checks.wire.several_hosts import first_ready
from gate.checks.wire.stream import Endpoint
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.core.target import Target

PORT = 1433
_HEAD = struct.Struct(">BBHHBB")
_PRELOGIN, _ANSWER, _LAST = 0x12, 0x04, 0x01
_OPTION = struct.Struct(">BHH")
_VERSION, _ENCRYPTION, _END = 0x00, 0x01, b"\xff"
_ENCRYPTION_OFF = b"\0"
_VERSION_SIZE = 6
_NOT_TDS = "not SQL Server on this port"


@dataclass(frozen=True, slots=True)
class SqlServer:
    """Says PRELOGIN, and leaves when the server has told its version."""

    endpoints: tuple[Endpoint, ...]

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a server answers."""
        await first_ready({str(place): partial(_ask, place) for place in self.endpoints})


def parse(target: Target) -> SqlServer:
    """Return the check that *target* describes."""
    places = database_url.servers(target, PORT, sockets=())
    return SqlServer(tuple(Endpoint(host=place.host, port=place.port) for place in places))


async def _ask(place: Endpoint) -> None:
    async with place.open() as talk:
        attempt.enter_stage("PRELOGIN")
        talk.send(_prelogin())
        kind, _, size, _, _, _ = _HEAD.unpack(await talk.exactly(_HEAD.size))
        if kind != _ANSWER or size < _HEAD.size + _OPTION.size:
            raise CheckFailed(_NOT_TDS)
        answer = await talk.exactly(size - _HEAD.size)
    # The version must be the first option, and is the one that each server tells.
    option, _, length = _OPTION.unpack_from(answer)
    if option != _VERSION or length != _VERSION_SIZE:
        raise CheckFailed(_NOT_TDS)


def _prelogin() -> bytes:
    """Return the message: a list of options, where each one's value stands, and the values."""
    values = ((_VERSION, bytes(_VERSION_SIZE)), (_ENCRYPTION, _ENCRYPTION_OFF))
    place = _OPTION.size * len(values) + len(_END)
    options, data = b"", b""
    for option, value in values:
        options += _OPTION.pack(option, place + len(data), len(value))
        data += value
    size = _HEAD.size + place + len(data)
    return _HEAD.pack(_PRELOGIN, _LAST, size, 0, 0, 0) + options + _END + data
