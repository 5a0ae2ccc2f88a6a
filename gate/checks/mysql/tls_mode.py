"""`ssl-mode` as in MySQL's own clients: whether a connection is over TLS, and what is verified."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gate.checks.wire import tls_options
from gate.checks.wire.database_url import parameter
from gate.core.target import FALSE, TRUE, one_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from gate.core.target import Target

MODES = ("disabled", "preferred", "required", "verify-ca", "verify-identity")


@dataclass(frozen=True, slots=True)
class Security:
    """When TLS is spoken, and how."""

    mode: str
    tls: tls_options.Tls

    def insists(self, *, is_unix: bool) -> bool:
        """Whether there must be TLS; a unix socket is as safe without."""
        return not is_unix and self.mode not in {"disabled", "preferred"}

    def prefers(self, *, is_unix: bool) -> bool:
        """Whether there may be TLS if the server offers it."""
        return not is_unix and self.mode != "disabled"

    async def context(self) -> ssl.SSLContext:
        """Return the context for a connection over TLS; raises `CheckFailed`."""
        if self.tls.insecure or not self.mode.startswith("verify"):
            return await self.unverified()
        return await replace(self.tls, any_name=self.mode != "verify-identity").context()

    async def unverified(self) -> ssl.SSLContext:
        """Return a context that trusts everybody; raises `CheckFailed`."""
        return await replace(self.tls, ca="", insecure=True).context()


def parse(target: Target, query: Mapping[str, str]) -> Security:
    """Return what options and *query*, the URL's, say; options win.

    Where an authority or a server name is given the default is to verify, not `preferred`.
    """
    tls = tls_options.completed(
        tls_options.parse(target), target, ca="sslca", cert="sslcert", key="sslkey"
    )
    default = _mode_of_url(target, query) or _default(tls, query)
    return Security(target.read("ssl-mode", _mode, default), tls)


def _default(tls: tls_options.Tls, query: Mapping[str, str]) -> str:
    if tls.server_name or parameter(query, "ssl_verify_identity").lower() in TRUE:
        return "verify-identity"
    if tls.ca:
        no_name = parameter(query, "ssl_verify_identity", "ssl_check_hostname").lower() in FALSE
        return "verify-ca" if no_name else "verify-identity"
    return "preferred"


def _mode(text: str) -> str:
    """Return *text* as one of `MODES`; raises `ValueError`."""
    word = text.lower().replace("_", "-")
    return one_of({"verify-full": "verify-identity"}.get(word, word), MODES)


def _mode_of_url(target: Target, query: Mapping[str, str]) -> str:
    text = parameter(query, "ssl-mode", "ssl_mode", "sslmode", "sslMode", "ssl")
    if text.lower() in TRUE:
        return "" if parameter(query, "ssl_ca", "ssl-ca") else "required"
    if not text or text.lower() in FALSE or text.startswith("{"):
        return ""
    try:
        return _mode(text)
    except ValueError:
        target.problem(f"ssl-mode: the one in the URL is not one of {', '.join(MODES)}")
        return ""
