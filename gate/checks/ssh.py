"""ssh://host[:port] -- the server says which SSH it speaks, and that is version 2.

RFC 4253, 4.2: a server may send other lines before its identification. One that turns clients
away (OpenSSH's `MaxStartups`) sends such a line alone, which becomes the reason. gate introduces
itself and takes leave. No key is exchanged and nobody logs in, so keys and accounts remain unknown.
OpenSSH 9.8 and newer refuses a client without a login for a while if it keeps coming each second
(`PerSourcePenalties`): give `monitor` an `interval` of some seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.wire.stream import Closed, Conversation, Endpoint, endpoint, phrase
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.core.target import Target

_MOST_LINES = 32
_NOT_SSH = "not SSH on this port"
_VERSIONS = (b"SSH-2.0-", b"SSH-1.99-")
"""1.99 is a server that speaks version 2 and an older one (RFC 4253, 5.1)."""
_HELLO = b"SSH-2.0-gate\r\n"
_FAREWELL = b"\x01" + (11).to_bytes(4, "big") + bytes(8)
"""SSH_MSG_DISCONNECT by the application, without words (RFC 4253, 11.1)."""
_BLOCK, _LEAST_PADDING = 8, 4


@dataclass(frozen=True, slots=True)
class Ssh:
    """Reads the server's identification and takes leave."""

    endpoint: Endpoint

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless an SSH server lets clients in."""
        async with self.endpoint.open() as talk:
            attempt.enter_stage("identification")
            version = await _identification(talk)
            if not version.startswith(_VERSIONS):
                msg = f"speaks {phrase(version[:7])} alone, which is outdated"
                raise CheckFailed(msg)
            talk.send(_HELLO + _packet(_FAREWELL))


def parse(target: Target) -> Ssh:
    """Return the check that *target* describes."""
    # The user of such URLs is no login without a key.
    return Ssh(endpoint(target, {"ssh": 22}, {}))


async def _identification(talk: Conversation) -> bytes:
    said = b""
    for _ in range(_MOST_LINES):
        try:
            line = await talk.line()
        except Closed as exc:
            raise CheckFailed(phrase(said) or str(exc)) from exc
        if line.startswith(b"SSH-"):
            return line
        said = line
    raise CheckFailed(_NOT_SSH)


def _packet(payload: bytes) -> bytes:
    """Return *payload* as SSH sends it before keys are exchanged (RFC 4253, 6)."""
    padding = _LEAST_PADDING + -(5 + len(payload) + _LEAST_PADDING) % _BLOCK
    length = 1 + len(payload) + padding
    return length.to_bytes(4, "big") + bytes((padding,)) + payload + bytes(padding)
