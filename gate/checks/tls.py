"""tls://host:port -- the TLS handshake is done and the certificate valid."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.wire import tls_options
from gate.checks.wire.dial import dial, wrap
from gate.checks.wire.reasons import reason_of
from gate.checks.wire.tls_options import closing
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.wire.tls_options import Tls
    from gate.core.target import Target

_BETWEEN_LOOKS = 0.01
_MOST_LOOKS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """Makes a TLS handshake and closes the connection; `valid_for` is in seconds."""

    host: str
    port: int
    tls: Tls
    valid_for: float = 0.0

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the handshake is done and the certificate valid."""
        context, name = await self.tls.context(), self.tls.name_for(self.host)
        sock = await dial(self.host, self.port)
        reader, writer = await wrap(sock, tls=context, server_name=name)
        async with closing(writer):
            if self.valid_for:
                self._judge(writer.get_extra_info("peercert")["notAfter"])
            if writer.get_extra_info("ssl_object").version() == "TLSv1.3":
                await _hear_refusal(reader, writer.get_extra_info("ssl_object"))

    def _judge(self, not_after: str) -> None:
        expiry = ssl.cert_time_to_seconds(not_after)
        if expiry < time.time() + self.valid_for:
            day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(expiry))
            msg = f"TLS: certificate expires {day}, sooner than valid-for"
            raise CheckFailed(msg)


async def _hear_refusal(reader: asyncio.StreamReader, tls: ssl.SSLObject) -> None:
    """Raise `CheckFailed` where the server hangs up, or says so within a moment.

    In TLS 1.3 the handshake is over for the client before the server has looked at the
    client's certificate, or missed it. Most servers send a ticket once they are content
    (RFC 8446, 4.6.1).
    """
    for _ in range(_MOST_LOOKS):
        if tls.session is not None and tls.session.has_ticket:
            return
        try:
            async with asyncio.timeout(_BETWEEN_LOOKS):
                if await reader.read(1):
                    return
        except TimeoutError:
            continue
        except OSError as exc:
            raise CheckFailed(reason_of(exc)) from exc
        msg = "connection closed after the TLS handshake"
        raise CheckFailed(msg)


def parse(target: Target) -> Handshake:
    """Return the check that *target* describes."""
    host, port = target.host_and_port(443)
    tls = tls_options.parse(target)
    valid_for = target.seconds("valid-for", 0.0)
    if valid_for and tls.insecure:
        target.problem("valid-for: needs a verified certificate; leave out insecure")
    target.wants_only("tls://host:port")
    return Handshake(host=host, port=port, tls=tls, valid_for=valid_for)
