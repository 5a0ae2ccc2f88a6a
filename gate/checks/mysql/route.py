"""The way to a MySQL or MariaDB server, and certificates found wanting on it.

Leaving in the TLS handshake counts as a connection error too (see `protocol.py`), and Python
verifies certificates only there. So a certificate that has failed is not verified again at each
attempt: its bytes tell whether it is still the same.
"""

from __future__ import annotations

import ssl
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.mysql.session import NOBODY, visit
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gate.checks.mysql.session import Account, Session
    from gate.checks.mysql.tls_mode import Security
    from gate.checks.wire.database_url import Server

_LONGEST = 600.0
"""Seconds until it is put to the test again: it may be valid from tomorrow on. Servers that
block an address after 100 errors then do after 16 hours."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why `certificate` is not trusted, and when that was found."""

    certificate: bytes
    text: str
    at: float


_verdicts: dict[Route, Verdict] = {}


@dataclass(frozen=True, slots=True)
class Route:
    """A server, and the TLS to speak if it offers that."""

    server: Server
    security: Security
    tls: ssl.SSLContext | None

    @asynccontextmanager
    async def visit(self, account: Account) -> AsyncIterator[Session]:
        """Yield a session; raises `CheckFailed`, for a certificate known to be bad as well."""
        name = self.security.tls.name_for(self.server.host)
        await self._heed()
        try:
            async with visit(self.server, account, self.tls, name) as session:
                yield session
        except CheckFailed as exc:
            if isinstance(exc.__cause__, ssl.SSLCertVerificationError):
                await self._remember(str(exc))
            raise

    async def _heed(self) -> None:
        """Raise `CheckFailed` where the server still has the certificate that has failed."""
        found = _verdicts.get(self)
        if found is None or time.monotonic() - found.at > _LONGEST:
            return
        if await self._certificate() == found.certificate:
            raise CheckFailed(found.text)
        del _verdicts[self]

    async def _remember(self, text: str) -> None:
        with suppress(CheckFailed):
            _verdicts[self] = Verdict(await self._certificate(), text, time.monotonic())

    async def _certificate(self) -> bytes:
        """Return the server's certificate, unverified: nothing secret goes there."""
        context = await self.security.unverified()
        name = self.security.tls.name_for(self.server.host)
        async with visit(self.server, NOBODY, context, name) as session:
            await session.be_denied()
            return session.certificate
