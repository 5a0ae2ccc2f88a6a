"""`sslmode` as in libpq: whether a connection is over TLS, and what of it is verified."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from gate.checks.wire import tls_options
from gate.checks.wire.database_url import parameter
from gate.core.target import FALSE, TRUE, one_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from gate.core.target import Target

MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class Way(Enum):
    """What a connection does about TLS: whether it asks for it, and insists on it."""

    PLAIN = (False, False)
    OFFERED = (True, False)
    TLS = (True, True)

    def __init__(self, asks: bool, insists: bool) -> None:  # noqa: FBT001 -- the table above is read at a glance
        self.asks = asks
        self.insists = insists


_WAYS = {
    "disable": (Way.PLAIN,),
    "allow": (Way.PLAIN, Way.TLS),
    "prefer": (Way.OFFERED, Way.PLAIN),
}


@dataclass(frozen=True, slots=True)
class Security:
    """When TLS is spoken, and how."""

    mode: str
    tls: tls_options.Tls

    def ways(self, *, is_unix: bool) -> tuple[Way, ...]:
        """Return what to try, in order; a unix socket has no TLS whatever the mode."""
        return (Way.PLAIN,) if is_unix else _WAYS.get(self.mode, (Way.TLS,))

    async def context(self) -> ssl.SSLContext:
        """Return the context for a connection over TLS; raises `CheckFailed`."""
        verifies = self.mode.startswith("verify") or (self.mode == "require" and self.tls.ca != "")
        insecure = self.tls.insecure or not verifies
        return await replace(
            self.tls,
            ca="" if insecure else self.tls.ca,
            insecure=insecure,
            any_name=self.mode != "verify-full",
        ).context()


def parse(target: Target, query: Mapping[str, str]) -> Security:
    """Return what options and *query*, the URL's, say; options win.

    With `ca` or `server-name` among the options, or `sslrootcert=system`, the default is
    `verify-full`, not `prefer`: whoever names an authority wants it asked.
    """
    own = tls_options.parse(target)
    tls = tls_options.completed(own, target, ca="sslrootcert", cert="sslcert", key="sslkey")
    is_system = tls.ca == "system"
    trusts = own.ca or own.server_name or is_system
    default = _mode_of_url(target, query) or ("verify-full" if trusts else "prefer")
    mode = target.choice("sslmode", MODES, default)
    if is_system and mode != "verify-full":
        target.problem("sslmode: sslrootcert=system takes verify-full only; leave the other out")
    return Security(mode, replace(tls, ca="") if is_system else tls)


def _mode_of_url(target: Target, query: Mapping[str, str]) -> str:
    """Return the mode in the query: `sslmode`, or `ssl` as some drivers write it."""
    text = parameter(query, "sslmode", "ssl").replace("_", "-")
    if text.lower() in TRUE:
        return "require"
    if not text or text.lower() in FALSE:
        return ""
    try:
        return one_of(text, MODES)
    except ValueError:
        target.problem(f"sslmode: the one in the URL is not one of {', '.join(MODES)}")
        return ""
