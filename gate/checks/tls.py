"""tls://host:port -- the TLS handshake is done and the certificate valid."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks import _tls
from gate.checks._dial import open_stream, words
from gate.checks._tls import FAREWELL, closing
from gate.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks._tls import Tls
    from gate.target import Target

LEAST_PATIENCE = 0.05
"""Seconds that a server is given to refuse after the handshake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """Makes a TLS handshake and closes the connection; `valid_for` is in seconds."""

    host: str
    port: int
    tls: Tls
    valid_for: float = 0.0

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the handshake is done and the certificate valid."""
        name = self.tls.server_name or self.host.rstrip(".")
        started = time.monotonic()
        reader, writer = await open_stream(
            self.host, self.port, tls=self.tls.context(), server_name=name
        )
        took = time.monotonic() - started
        async with closing(writer):
            if self.valid_for:
                self._judge(writer.get_extra_info("peercert")["notAfter"])
            if writer.get_extra_info("ssl_object").version() == "TLSv1.3":
                # Its word comes one way later, and there and back took no longer than this.
                await _hear_refusal(reader, min(FAREWELL, LEAST_PATIENCE + took))

    def _judge(self, not_after: str) -> None:
        expiry = ssl.cert_time_to_seconds(not_after)
        if expiry < time.time() + self.valid_for:
            day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expiry))
            msg = f"TLS: certificate expires {day}, sooner than valid-for"
            raise CheckFailed(msg)


async def _hear_refusal(reader: asyncio.StreamReader, seconds: float) -> None:
    """Raise `CheckFailed` where the server hangs up, or says so within *seconds*.

    In TLS 1.3 the handshake is over for the client before the server has looked at the
    client's certificate, or missed it.
    """
    try:
        async with asyncio.timeout(seconds):
            if not await reader.read(1):
                msg = "connection closed after the TLS handshake"
                raise CheckFailed(msg)
    except TimeoutError:
        return
    except OSError as exc:
        raise CheckFailed(words(exc)) from exc


def parse(target: Target) -> Handshake:
    """Return the check that *target* describes."""
    host, port = target.host_and_port(443)
    tls = _tls.parse(target)
    valid_for = target.seconds("valid-for", 0.0)
    if valid_for and tls.insecure:
        target.problem("valid-for: needs a verified certificate; leave out insecure")
    return Handshake(host=host, port=port, tls=tls, valid_for=valid_for)
