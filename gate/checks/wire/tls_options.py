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
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gate.checks.wire.certificate import Verified
from gate.checks.wire.regular_file import opened, reading
from gate.checks.wire.secret_file import path_option
from gate.core.errors import CheckFailed
from gate.core.target import plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gate.core.target import Target

FAREWELL = 0.25
"""Seconds to wait for the other side's farewell: the outcome is known by then."""

_FILES = ("ca", "cert", "key")
"""gate's own options that are paths."""

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
    names: tuple[str, str, str] = _FILES
    """What the paths are called where they are written."""

    def name_for(self, host: str) -> str:
        """Return the name that the certificate of *host* is expected to have."""
        # No certificate has the final dot that keeps a resolver from its search list.
        return (self.server_name or host).rstrip(".")

    async def context(self, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
        """Return a context made of the files as they are now; raises `CheckFailed`.

        Do not change it: it is shared.
        """
        if not (self.ca or self.cert or self.key):
            return _current(self, alpn)
        # In a thread if files are involved: their mount may hang. The system's store is in the
        # image.
        context: ssl.SSLContext = await reading("certificates", _current, self, alpn)
        return context


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


def parse_upgrade(target: Target, *, secured: str) -> Tls | None:
    """Return how to go on over TLS after a plain beginning, None where nothing asks for that.

    `starttls` asks, and so does each TLS option. *secured* is the scheme that begins with TLS.
    """
    is_asked = target.flag("starttls")
    if target.url.scheme != secured:
        tls = parse(target)
        return tls if is_asked or tls != Tls() else None
    if is_asked:
        plain_scheme = secured.removesuffix("s")
        target.problem(f"starttls: {secured} begins with TLS; write {plain_scheme}://host")
    return None


def completed(tls: Tls, target: Target, *, ca: str, cert: str, key: str = "") -> Tls:
    """Return *tls* with the files that the options leave open from the query of the URL.

    *ca*, *cert* and *key* are what drivers call them there, written as by `plain`.
    """
    query = {plain(name): (name, path) for name, path in target.url.query if name and path}
    authority = ("ca", tls.ca) if tls.ca else query.get(ca, ("ca", ""))
    chain = ("cert", tls.cert) if tls.cert else query.get(cert, ("cert", ""))
    # That of the query goes with the certificate there.
    private = ("key", tls.key) if tls.cert or tls.key else query.get(key, ("key", ""))
    names, paths = zip(authority, chain, private, strict=True)
    target.keep_path(*paths)
    return replace(tls, ca=paths[0], cert=paths[1], key=paths[2], names=names)


def demand_absolute(tls: Tls, target: Target) -> None:
    """Note paths from the query that are not absolute, for drivers that take no other."""
    for name, path in zip(tls.names, (tls.ca, tls.cert, tls.key), strict=True):
        # Those of gate's own options are looked at where they are read.
        if name not in _FILES and not path.startswith("/"):
            target.problem(f"{name} in the URL: wants an absolute path")


def is_host_name(text: str) -> bool:
    """Whether *text* can be a server name: what OpenSSL refuses is told before it is tried."""
    return not (text.startswith(".") or any(char in "/:@?#[]" or char <= " " for char in text))


@asynccontextmanager
async def closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close *writer* at the end, as its protocol demands; at once when cancelled.

    Otherwise a server that never closes TLS would keep the socket for half a minute.
    """
    try:
        yield
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
    finally:
        writer.close()
        # How the other side ends the connection does not matter.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await writer.wait_closed()
        writer.transport.abort()


def _current(tls: Tls, alpn: tuple[str, ...]) -> ssl.SSLContext:
    system = ssl.get_default_verify_paths()
    paths = (tls.ca, tls.cert, tls.key, system.cafile or "", system.capath or "")
    return _context(tls, alpn, tuple(map(_stamp, paths)))


@lru_cache(maxsize=32)
def _context(tls: Tls, alpn: tuple[str, ...], _stamps: tuple[_Stamp, ...]) -> ssl.SSLContext:
    # Not create_default_context(): it writes keys to where SSLKEYLOGFILE says, and from 3.13
    # on refuses authorities that lack an extension, which curl and Go accept.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.sslobject_class = Verified
        context.check_hostname = not tls.any_name
        context.load_default_certs()
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # `ca` may be an intermediate
    if alpn:
        context.set_alpn_protocols(list(alpn))
    for name, path in zip(tls.names, (tls.ca, tls.cert, tls.key), strict=True):
        _be_readable(name, path)
    if tls.ca:
        _load(tls.names[0], tls.ca, lambda: context.load_verify_locations(tls.ca))
    if tls.cert:
        chain = (tls.cert, tls.key or None, _no_password)
        _load(tls.names[1], tls.cert, lambda: context.load_cert_chain(*chain))
    return context


def _be_readable(name: str, path: str) -> None:
    """Raise `CheckFailed` where *path* cannot be read: of two files, OpenSSL does not say which."""
    try:
        if path:
            opened(path).close()
    except CheckFailed as exc:
        msg = f"{name}: {path} {exc}"
        raise CheckFailed(msg) from exc
    except OSError as exc:
        msg = f"{name}: cannot read {path}: {(exc.strerror or '').lower()}"
        raise CheckFailed(msg) from exc


def _load(name: str, path: str, load: Callable[[], None]) -> None:
    try:
        load()
    except OSError as exc:
        msg = f"{name}: {path} holds no usable certificate or key"
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
