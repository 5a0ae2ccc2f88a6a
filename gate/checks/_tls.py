"""TLS as the options `ca`, `cert`, `key`, `server-name` and `insecure` say.

Certificates are verified against the system's store plus `ca`. Files are read again when
they change, as they rotate; loading the store afresh at each attempt would cost 9 to 47 ms
of CPU, so a context is kept for as long as its files stay the same.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from gate.checks._secret import path_option
from gate.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gate.target import Target

FAREWELL = 0.25
"""Seconds to wait for the other side's farewell: the outcome is known by then."""

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Tls:
    """How to speak TLS to a dependency; the paths are absolute, empty where not given."""

    ca: str = ""
    cert: str = ""
    key: str = ""
    server_name: str = ""
    insecure: bool = False
    any_name: bool = False
    """The certificate is verified, but not whose name is in it (`sslmode=verify-ca`)."""

    def context(self, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        """Return a context made of the files as they are now; raises `CheckFailed`.

        Do not change it: it is shared.
        """
        system = ssl.get_default_verify_paths()
        own = (self.ca, self.cert, self.key)
        stamps = tuple(_stamp(path) for path in (*own, system.cafile or "", system.capath or ""))
        return _context(self, alpn, stamps)


def parse(target: Target) -> Tls:
    """Return what the TLS options of *target* say."""
    tls = Tls(
        ca=path_option(target, "ca"),
        cert=path_option(target, "cert"),
        key=path_option(target, "key"),
        server_name=target.text("server-name"),
        insecure=target.flag("insecure"),
    )
    if tls.key and not tls.cert:
        target.problem("key: goes with cert=PATH, the certificate it belongs to")
    if tls.server_name and not is_host_name(tls.server_name):
        target.problem("server-name: wants the name of a host, without a port")
    return tls


def is_host_name(text: str) -> bool:
    """Whether *text* can be a server name: what OpenSSL refuses is told before it is tried."""
    return not (text.startswith(".") or any(char in "/:@?#[]" or char <= " " for char in text))


@asynccontextmanager
async def closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close *writer* at the end, in the way of its protocol; at once when cancelled.

    A server that never takes leave would otherwise keep the socket for half a minute.
    """
    try:
        yield
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
    finally:
        writer.close()
        # How the other side takes its leave is its own affair.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await writer.wait_closed()
        writer.transport.abort()


@lru_cache(maxsize=32)
def _context(tls: Tls, alpn: tuple[str, ...], _stamps: tuple[_Stamp, ...]) -> ssl.SSLContext:
    # Not create_default_context(): it writes keys to where SSLKEYLOGFILE says, and from 3.13
    # on refuses authorities that lack an extension, which curl and Go accept.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.check_hostname = not tls.any_name
        context.load_default_certs()
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # `ca` may be an intermediate
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if tls.ca:
        _load("ca", tls.ca, lambda: context.load_verify_locations(tls.ca))
    if tls.cert:
        chain = (tls.cert, tls.key or None, _no_password)
        _load("cert", tls.cert, lambda: context.load_cert_chain(*chain))
    return context


def _load(option: str, path: str, load: Callable[[], None]) -> None:
    try:
        load()
    except ssl.SSLError as exc:
        msg = f"{option}: {path} holds no usable certificate or key"
        raise CheckFailed(msg) from exc
    except OSError as exc:
        msg = f"{option}: cannot read {path}: {(exc.strerror or '').lower()}"
        raise CheckFailed(msg) from exc


def _no_password() -> str:
    """Stand in for OpenSSL's prompt, which would wait on the terminal for ever."""
    return ""


def _stamp(path: str) -> _Stamp:
    """Return what changes when the file does; links of rotating volumes are followed."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- empty paths are fine here
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
