"""Logs in to MongoDB with its own driver: SCRAM, LDAP's PLAIN and X.509."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.checks.wire.credentials import Login
    from gate.checks.wire.tls_options import Tls
    from gate.core.url import Host

_AUTHENTICATION_FAILED = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    """A new client for each login, talking to that one host; closed with all its tasks."""

    login: Login | None
    """None where the certificate says who it is."""
    mechanism: str
    auth_source: str
    """Empty: what DNS says, else the database of the URL, else `admin`."""
    database: str
    tls: Tls | None
    timeout: float
    """Seconds; the runner's own limit, begun earlier, comes before it."""

    async def __call__(self, host: Host, auth_source: str) -> None:
        """Raise `CheckFailed` unless *host* lets the user in and answers a `ping`."""
        options = await self._options(self.auth_source or auth_source or self.database or "admin")
        if self.tls:
            # The driver wants this very name in the certificate, where no final dot is.
            host = replace(host, name=self.tls.name_for(host.name))
        client: AsyncMongoClient[Any] = AsyncMongoClient(_url_of(host), **options)
        try:
            await client.admin.command("ping")
        except OperationFailure as exc:
            raise CheckFailed(_refusal(exc)) from exc
        except PyMongoError as exc:
            msg = f"login: {_short(str(exc))}"
            raise CheckFailed(msg) from exc
        finally:
            await client.close()

    async def _options(self, auth_source: str) -> Mapping[str, Any]:
        milliseconds = int(self.timeout * 1000)
        limits = ("serverSelectionTimeoutMS", "connectTimeoutMS", "socketTimeoutMS")
        return {
            **dict.fromkeys(limits, milliseconds),
            "directConnection": True,
            # Streaming would open a third connection, to measure round trips.
            "serverMonitoringMode": "poll",
            **await self._credentials(auth_source),
            **_tls_options(self.tls),
        }

    async def _credentials(self, auth_source: str) -> Mapping[str, Any]:
        # Users of LDAP and certificates are in no database.
        is_external = self.mechanism in {"MONGODB-X509", "PLAIN"}
        credentials = {"authSource": "$external" if is_external else auth_source}
        if self.mechanism:
            credentials["authMechanism"] = self.mechanism
        if self.login is not None and self.login.username:
            credentials["username"] = self.login.username
        if self.login is not None and self.mechanism != "MONGODB-X509":
            credentials["password"] = await self.login.password()
        return credentials


def _url_of(host: Host) -> str:
    """Return *host* as the driver reads it; without a port its default is ours."""
    return f"mongodb://{quote(host.name, safe='') if host.name.startswith('/') else host}"


def _tls_options(tls: Tls | None) -> Mapping[str, Any]:
    if tls is None:
        return {"tls": False}
    files = {"tlsCAFile": tls.ca, "tlsCertificateKeyFile": tls.cert}
    return {
        "tls": True,
        **{key: path for key, path in files.items() if path},
        "tlsAllowInvalidCertificates": tls.insecure,
        "tlsAllowInvalidHostnames": tls.insecure or tls.any_name,
    }


def _refusal(exc: OperationFailure) -> str:
    if exc.code == _AUTHENTICATION_FAILED:
        return "login refused: authentication failed"
    # Without the document that pymongo appends.
    return f"login refused: {str(exc).partition(', full error:')[0]}"


def _short(text: str) -> str:
    """Return *text* without the driver's timeouts and topology."""
    return text.partition(" (configured timeouts")[0].partition(", Timeout:")[0]
