"""Whose certificate was not accepted: its names, who issued it, and until when it is valid.

Python shows the other side's certificate only once it has accepted it. What it wraps has it before,
and is asked for it when the verification fails.
"""

from __future__ import annotations

import ssl
import time
from typing import Any

_MOST_NAMES = 3
_LONGEST_NAME = 64


class Verified(ssl.SSLObject):
    """A TLS connection whose failed verification has a note about the certificate."""

    def do_handshake(self) -> None:
        """Raise what `ssl` raises."""
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as exc:
            exc.add_note(_told(getattr(self, "_sslobj", None)))
            raise


def note(exc: BaseException) -> str:
    """Return ` (certificate of …)` where *exc* has a note about it, else nothing."""
    told = "".join(getattr(exc, "__notes__", [])[:1])
    return f" ({told})" if told else ""


def _told(inner: Any) -> str:  # noqa: ANN401 -- the object of the interpreter has no type
    """Return what there is to know of the certificate; empty where it cannot be had."""
    chain: Any = getattr(inner, "get_unverified_chain", list)()
    if not chain:
        return ""
    try:
        return described(chain[0].get_info())
    except (ValueError, ssl.SSLError):
        # The other side may have sent anything. That it was not accepted is told all the same.
        return ""


def described(info: dict[str, Any]) -> str:
    """Return `certificate of a, b, issued by X, expires DAY`; *info* is as `getpeercert` has it.

    Raises `ValueError` for a date that is none.
    """
    names = [value for _, value in info.get("subjectAltName", ())] or _names_in(info["subject"])
    shown = [name[:_LONGEST_NAME] for name in names[:_MOST_NAMES]]
    shown += ["…"] if len(names) > _MOST_NAMES else []
    issuer = (_names_in(info["issuer"]) or ["nobody"])[0][:_LONGEST_NAME]
    expiry = ssl.cert_time_to_seconds(info["notAfter"])
    expires = "expires" if expiry > time.time() else "expired"
    day = time.strftime("%Y-%m-%d", time.gmtime(expiry))
    return f"certificate of {', '.join(shown) or 'nobody'}, issued by {issuer}, {expires} {day}"


def _names_in(distinguished_name: tuple[tuple[tuple[str, str], ...], ...]) -> list[str]:
    """Return the common name, where there is none the unit and organisation."""
    parts = {key: value for pairs in distinguished_name for key, value in pairs}
    keys = ("commonName", "organizationalUnitName", "organizationName")
    return [parts[key] for key in keys if key in parts][:1]
