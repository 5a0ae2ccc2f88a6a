"""What an `OSError` means to a person, in a few words."""

from __future__ import annotations

import errno
import os
import ssl

from gate.checks.wire import certificate

_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection closed",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network unreachable",
    errno.ETIMEDOUT: "connection timed out",
    errno.EACCES: "permission denied",
    errno.ENOENT: "no such socket",
    errno.EAGAIN: "its queue of connections is full",
    errno.EADDRNOTAVAIL: "address not available",
    errno.EAFNOSUPPORT: "address family not supported",
}
_VERIFY_WORDS = (
    ("certificate has expired", "certificate expired"),
    ("Hostname mismatch", "hostname mismatch"),
    ("self signed", "self-signed"),
)


def reason_of(exc: OSError) -> str:
    """Return what *exc* means to a person, in a few words."""
    if isinstance(exc, ssl.SSLError):
        return _tls_words(exc)
    if exc.errno is None:
        # asyncio says so when the peer ends the connection in the middle of something.
        return "connection closed" if isinstance(exc, ConnectionError) else str(exc).lower()
    return _WORDS.get(exc.errno) or os.strerror(exc.errno).lower()


def _tls_words(exc: ssl.SSLError) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        told = exc.verify_message.removesuffix(".")
        for theirs, ours in _VERIFY_WORDS:
            told = told.replace(theirs, ours)
        return f"TLS: {told}{certificate.note(exc)}"
    if exc.reason == "WRONG_VERSION_NUMBER":
        return "the server does not speak TLS on this port"
    _, alert, what = (exc.reason or "").partition("_ALERT_")
    told = f"the server refuses: {what}" if alert else exc.reason or str(exc)
    return f"TLS: {told.lower().replace('_', ' ')}"
