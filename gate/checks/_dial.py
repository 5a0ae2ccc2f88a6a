"""Opens connections: every address of a name is tried, and why it failed is told in words."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any

from gate import stage
from gate.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

STAGGER = 0.25
"""Seconds after which the next address is tried beside the one that is silent (RFC 8305)."""

_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection closed",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network unreachable",
    errno.ETIMEDOUT: "connection timed out",
    errno.EACCES: "permission denied",
    errno.ENOENT: "no such socket",
    errno.EADDRNOTAVAIL: "address not available",
    errno.EAFNOSUPPORT: "address family not supported",
}
_ABSENT = frozenset({errno.ECONNREFUSED, errno.ENOENT})
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_LOCALHOST = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_GONE = frozenset(
    code
    for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")
    if (code := getattr(socket, name, None)) is not None
)

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NoWay(CheckFailed):
    """There is no way from here to such an address: says nothing of the dependency."""


async def lookup(host: str, port: int, family: int = 0) -> list[tuple[Any, ...]]:
    """Return the addresses of *host* as `getaddrinfo` does, stream sockets only.

    Raises `Absent` where the name does not exist, else `CheckFailed`.
    """
    stage.enter("name lookup")
    loop = asyncio.get_running_loop()
    try:
        return list(await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM))
    except socket.gaierror as exc:
        if exc.errno in _GONE:
            msg = f"name not found: {host}"
            raise Absent(msg) from exc
        msg = f"name lookup failed: {host}: {(exc.strerror or str(exc)).lower()}"
        raise CheckFailed(msg) from exc
    except UnicodeError as exc:
        msg = f"name not found: {host!r} is not a host name"
        raise CheckFailed(msg) from exc


async def dial(host: str, port: int) -> socket.socket:
    """Return a socket connected to *host*, the first of its addresses that answers.

    Raises `CheckFailed`, as `Absent` where every address refused.
    """
    if _is_dotted_quad(host):
        return await _connect((host, port))
    if host.lower().rstrip(".") == "localhost":
        return await _dial_localhost(port)
    addresses = await lookup(host, port)
    if len(addresses) == 1:
        return await _connect(addresses[0][4], addresses[0][0])
    stage.enter("connecting")
    return await staggered(
        [partial(_connect, info[4], info[0]) for info in addresses],
        [str(info[4][0]) for info in addresses],
    )


async def dial_unix(path: str) -> socket.socket:
    """Return a socket connected to the unix socket at *path*; raises `CheckFailed`."""
    stage.enter("connecting")
    return await _connect(path, socket.AF_UNIX)


async def open_stream(
    host: str, port: int, *, tls: ssl.SSLContext | None = None, server_name: str = ""
) -> Stream:
    """Return a stream to *host*, over *tls* if given; raises `CheckFailed`.

    The caller closes the writer, best with `closing()`.
    """
    return await wrap(await dial(host, port), tls=tls, server_name=server_name or host)


async def wrap(
    sock: socket.socket, *, tls: ssl.SSLContext | None = None, server_name: str = ""
) -> Stream:
    """Return a stream on the connected *sock*; raises `CheckFailed` where TLS fails."""
    if tls is not None:
        stage.enter("TLS handshake")
    try:
        return await asyncio.open_connection(
            sock=sock, ssl=tls, server_hostname=server_name if tls is not None else None
        )
    except BaseException as exc:
        sock.close()
        if isinstance(exc, OSError):
            raise CheckFailed(words(exc)) from exc
        raise


def words(exc: OSError) -> str:
    """Return what *exc* means to a person, in a few words."""
    if isinstance(exc, ssl.SSLError):
        return f"TLS: {_tls_words(exc)}"
    if exc.errno is None:
        # asyncio says so when the peer ends the connection in the middle of something.
        return "connection closed" if isinstance(exc, ConnectionError) else str(exc).lower()
    return _WORDS.get(exc.errno) or os.strerror(exc.errno).lower()


def _tls_words(exc: ssl.SSLError) -> str:
    if isinstance(exc, ssl.SSLCertVerificationError):
        return exc.verify_message.replace("certificate has expired", "certificate expired")
    if exc.reason == "WRONG_VERSION_NUMBER":
        return "the server does not speak TLS on this port"
    return (exc.reason or str(exc)).lower().replace("_", " ")


async def _dial_localhost(port: int) -> socket.socket:
    """Try both loopback addresses (RFC 6761, 6.3), one by one as both answer at once.

    Without a lookup: asked four times a second, it would cost more than the rest.
    """
    failures = []
    for family, address in _LOCALHOST:
        try:
            return await _connect((address, port), family)
        except CheckFailed as exc:
            failures.append((address, exc))
    raise _summary(failures)


def _is_dotted_quad(host: str) -> bool:
    return host.replace(".", "").isdigit() and host.count(".") == 3  # noqa: PLR2004 -- dotted quad


async def _connect(address: Any, family: int = socket.AF_INET) -> socket.socket:  # noqa: ANN401 -- as sockets have it
    stage.enter("connecting")
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as exc:
        raise CheckFailed(words(exc)) from exc
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException as exc:
        sock.close()
        if isinstance(exc, OSError):
            raise _kind(exc.errno)(words(exc)) from exc
        raise
    return sock


async def staggered(
    starts: list[Callable[[], Awaitable[socket.socket]]], names: list[str]
) -> socket.socket:
    """Return the first socket that one of *starts* yields; raises `CheckFailed` if none does."""
    running: dict[asyncio.Task[socket.socket], str] = {}
    failures: list[tuple[str, CheckFailed]] = []
    waiting = list(zip(starts, names, strict=True))
    try:
        while waiting or running:
            if waiting:
                start, name = waiting.pop(0)
                running[asyncio.ensure_future(start())] = name
            done, _ = await asyncio.wait(
                running,
                timeout=STAGGER if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                name = running.pop(task)
                error = task.exception()
                if error is None:
                    return task.result()
                if not isinstance(error, CheckFailed):
                    raise error
                failures.append((name, error))
    finally:
        await _abandon(running)
    raise _summary(failures)


async def _abandon(running: dict[asyncio.Task[socket.socket], str]) -> None:
    """End the attempts that lost, and close what one of them may have opened by now."""
    for task in running:
        task.cancel()
    for outcome in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(outcome, socket.socket):
            outcome.close()


def _kind(code: int | None) -> type[CheckFailed]:
    if code in _ABSENT:
        return Absent
    return NoWay if code in _NO_WAY else CheckFailed


def _summary(failures: list[tuple[str, CheckFailed]]) -> CheckFailed:
    """Return one failure for all; what this machine cannot reach at all does not count."""
    told = [failure for failure in failures if not isinstance(failure[1], NoWay)] or failures
    texts = {str(error) for _, error in told}
    kind = Absent if all(isinstance(error, Absent) for _, error in told) else CheckFailed
    if len(texts) == 1:
        return kind(texts.pop())
    return kind(", ".join(f"{error} ({name})" for name, error in told))
