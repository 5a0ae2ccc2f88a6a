"""Opens connections: every address of a name is tried, and failures are put into words."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from functools import partial
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from gate.checks.wire.address_race import STAGGER, NoWay, staggered, summary
from gate.checks.wire.reasons import reason_of
from gate.checks.wire.resolv_conf import asked_for
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed, NameNotFound

if TYPE_CHECKING:
    import ssl

_ABSENT = frozenset({errno.ECONNREFUSED, errno.ENOENT})
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_LOCALHOST = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_GONE = frozenset(
    code
    for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")
    if (code := getattr(socket, name, None)) is not None
)

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def lookup(host: str, port: int, family: int = 0) -> list[tuple[Any, ...]]:
    """Return the addresses of *host* as `getaddrinfo` does, stream sockets only.

    Raises `NameNotFound` where the name, or an address of it, does not exist, else `CheckFailed`.
    """
    attempt.enter_stage("name lookup")
    loop = asyncio.get_running_loop()
    try:
        return list(await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM))
    except asyncio.CancelledError:
        # Where time is up, the reason is made of the stage.
        attempt.enter_stage(f"name lookup{asked_for(host)}")
        raise
    except socket.gaierror as exc:
        if exc.errno in _GONE:
            # Which of these errors comes depends on the resolver: musl and older glibc have only
            # one.
            msg = f"name not found: {host}{asked_for(host)}"
            raise NameNotFound(msg) from exc
        why = (exc.strerror or str(exc)).lower()
        msg = f"name lookup failed: {host}: {why}{asked_for(host)}"
        raise CheckFailed(msg) from exc
    except OSError as exc:
        msg = f"name lookup failed: {host}: {reason_of(exc)}"
        raise CheckFailed(msg) from exc
    except ValueError as exc:
        # An empty or overlong label, or a NUL.
        msg = f"name not found: {host!r} is not a host name"
        raise CheckFailed(msg) from exc


async def dial(host: str, port: int) -> socket.socket:
    """Return a socket connected to *host*, the first of its addresses that answers.

    Raises `CheckFailed`, as `Absent` where every address refused.
    """
    if host.lower().rstrip(".") == "localhost":
        return await _dial_localhost(port)
    family = _family_of_literal(host)
    if family is not None:
        return await _connect(family, (host, port))
    addresses = [(info[0], info[4]) for info in await lookup(host, port)]
    if len(addresses) == 1:
        return await _connect(*addresses[0])
    return await _dial_all(_alternating(addresses))


async def dial_unix(path: str) -> socket.socket:
    """Return a socket connected to the unix socket at *path*; raises `CheckFailed`."""
    attempt.enter_stage("connecting")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        # Connects at once. The loop's own call would take a full queue for a connection.
        sock.connect(path)
    except OSError as exc:
        sock.close()
        if exc.errno in _ABSENT or exc.errno == errno.EACCES:
            # Some servers give rights to a socket after they have bound it, which a look sees.
            attempt.note_place(path, is_there=False)
        raise _kind(exc.errno)(reason_of(exc)) from exc
    attempt.note_place(path, is_there=True)
    return sock


async def wrap(
    sock: socket.socket, *, tls: ssl.SSLContext | None = None, server_name: str = ""
) -> Stream:
    """Return a stream on the connected *sock*; raises `CheckFailed` where TLS fails.

    *server_name* is `Tls.name_for` the host. The caller closes the writer.
    """
    if tls is not None:
        attempt.enter_stage("TLS handshake")
    try:
        return await asyncio.open_connection(
            sock=sock, ssl=tls, server_hostname=server_name if tls is not None else None
        )
    except BaseException as exc:
        sock.close()
        if isinstance(exc, OSError):
            raise CheckFailed(reason_of(exc)) from exc
        if isinstance(exc, ValueError):
            msg = f"TLS: {server_name!r} is not a name that a certificate has"
            raise CheckFailed(msg) from exc
        raise


async def _dial_localhost(port: int) -> socket.socket:
    """Try both loopback addresses (RFC 6761, 6.3).

    There is no lookup and no race, as both answer at once, and at four attempts a second those
    would cost more than the rest. Only a full queue is silent.
    """
    failures = []
    for family, address in _LOCALHOST:
        try:
            sock = _start(family, (address, port))
            async with asyncio.timeout(STAGGER):
                return await _finish(sock, (address, port))
        except TimeoutError:
            return await _dial_all([(each, (where, port)) for each, where in _LOCALHOST])
        except CheckFailed as exc:
            failures.append((address, exc))
    raise summary(failures)


def _family_of_literal(host: str) -> int | None:
    """Return the address family of *host* if it is an address, None if it is a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return family
    return None


def _alternating(addresses: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """Return *addresses* with the families in turn (RFC 8305, 4), the first one's first."""
    first = addresses[0][0]
    same = [address for address in addresses if address[0] == first]
    other = [address for address in addresses if address[0] != first]
    return [each for each in chain(*zip_longest(same, other)) if each is not None]


async def _dial_all(addresses: list[tuple[int, Any]]) -> socket.socket:
    attempt.enter_stage("connecting")
    return await staggered(
        [partial(_connect, family, address) for family, address in addresses],
        [str(address[0]) for _, address in addresses],
    )


async def _connect(family: int, address: Any) -> socket.socket:  # noqa: ANN401 -- as sockets have it
    return await _finish(_start(family, address), address)


def _start(family: int, address: Any) -> socket.socket:  # noqa: ANN401 -- as sockets have it
    """Begin to connect; raises `CheckFailed` if it is refused at once.

    On loopback it is; not waiting there saves two rounds of the loop and half of the CPU.
    """
    attempt.enter_stage("connecting")
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as exc:
        raise _kind(exc.errno)(reason_of(exc)) from exc
    sock.setblocking(False)
    code = sock.connect_ex(address)
    if code == errno.EINPROGRESS:
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        sock.close()
        if code == errno.ECONNREFUSED:
            attempt.note_place(*address[:2], is_there=False)
        raise _kind(code)(reason_of(OSError(code, os.strerror(code))))
    return sock


async def _finish(sock: socket.socket, address: Any) -> socket.socket:  # noqa: ANN401 -- as sockets have it
    """Return *sock* once it is connected; raises `CheckFailed`, and closes it then."""
    try:
        await asyncio.get_running_loop().sock_connect(sock, address)
        _refuse_itself(sock)
    except BaseException as exc:
        sock.close()
        if isinstance(exc, ConnectionRefusedError):
            attempt.note_place(*address[:2], is_there=False)
        if isinstance(exc, OSError):
            raise _kind(exc.errno)(reason_of(exc)) from exc
        raise
    attempt.note_place(*address[:2], is_there=True)
    return sock


def _refuse_itself(sock: socket.socket) -> None:
    """Raise `ConnectionRefusedError` where *sock* is connected to itself.

    Linux does that where nobody listens on a loopback port of the range it gives clients
    (32768 to 60999) and it happens to give just that one: sooner or later, if asked often.
    """
    try:
        is_own = sock.getsockname() == sock.getpeername()
    except OSError:
        # Accepted and already closed again: the next step will fail.
        return
    if is_own:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself")


def _kind(code: int | None) -> type[CheckFailed]:
    if code in _ABSENT:
        return Absent
    return NoWay if code in _NO_WAY else CheckFailed
