"""HTTP GET as the kubelet's probes and hooks send it: one new connection, nothing kept.

Written on bare streams because the rules are about what clients hide: when headers came but the
body did not, how much of a body is read, which redirects are followed.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit

BODY_LIMIT = 10 * 1024
_REDIRECT_LIMIT = 10
_REDIRECTS = {301, 302, 303, 307, 308}
_WITHOUT_BODY = {204, 304}
_DEADLINE = "context deadline exceeded ({})"
_CUT_SHORT = "unexpected EOF"

Headers = Sequence[tuple[str, str]]


class TransportError(Exception):
    """No answer came: for a probe a plain failure (fact 2.11)."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(f'Get "{url}": {cause}')


class BodyError(Exception):
    """Headers came, but the body could not be read to its end: an internal error (fact 3.9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A URL and what to send with it."""

    url: str
    user_agent: str
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A final answer; *body* holds at most 10 KiB."""

    status: int
    body: bytes


@dataclass(slots=True)
class _Progress:
    """How far an exchange came: what a timeout means depends on it."""

    has_headers: bool = False


@dataclass(frozen=True, slots=True)
class _Head:
    status: int
    fields: dict[str, str] = field(default_factory=dict)


async def get(request: Request, timeout: float | None) -> Reply:  # noqa: ASYNC109 -- see 3.3
    """Return the answer; *timeout* covers everything from the dial to the body (fact 3.3)."""
    progress = _Progress()
    try:
        async with asyncio.timeout(timeout):
            return await _follow(request, progress)
    except TimeoutError as exc:
        if progress.has_headers:
            cause = "Client.Timeout or context cancellation while reading body"
            raise BodyError(_DEADLINE.format(cause)) from exc
        cause = _DEADLINE.format("Client.Timeout exceeded while awaiting headers")
        raise TransportError(request.url, cause) from exc


async def _follow(request: Request, progress: _Progress) -> Reply:
    """Follow redirects, up to ten and to the same host name only (fact 3.6)."""
    url = request.url
    for _ in range(_REDIRECT_LIMIT):
        progress.has_headers = False
        head, reply = await _exchange(url, request, progress)
        target = _redirect_target(url, head)
        if target is None:
            return reply
        url = target
    raise TransportError(url, f"stopped after {_REDIRECT_LIMIT} redirects")


def _redirect_target(url: str, head: _Head) -> str | None:
    """Return where to go on; without a Location the answer itself counts (fact 3.6)."""
    location = head.fields.get("location")
    if head.status not in _REDIRECTS or not location:
        return None
    target = urljoin(url, location)
    return target if urlsplit(target).hostname == urlsplit(url).hostname else None


async def _exchange(url: str, request: Request, progress: _Progress) -> tuple[_Head, Reply]:
    parts = urlsplit(url)
    async with _connection(url, parts) as (reader, writer):
        writer.write(_request_text(parts, request))
        head = await _head(url, reader)
        progress.has_headers = True
        body = await _body(head, reader)
    return head, Reply(status=head.status, body=body)


@asynccontextmanager
async def _connection(
    url: str, parts: SplitResult
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A fresh connection for each request, never through a proxy (fact 3.2)."""
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    tls = _unverified() if parts.scheme == "https" else None
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    except OSError as exc:
        raise TransportError(url, dial_error(host, port, exc)) from exc
    try:
        yield reader, writer
    finally:
        # Not closed politely: a server that holds its answer must see the prober go at once.
        writer.transport.abort()


def dial_error(host: str, port: int, error: OSError) -> str:
    """Return a failed dial in Go's words."""
    if isinstance(error, ssl.SSLError):
        return f"tls: {error.reason or 'handshake failure'}"
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {address}: connect: connection refused"
    return f"dial tcp {address}: {error.strerror or error}"


def _unverified() -> ssl.SSLContext:
    """Certificates are not looked at (fact 3.4)."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _request_text(parts: SplitResult, request: Request) -> bytes:
    """GET with the kubelet's headers; a Host among the probe's own replaces it (fact 3.1)."""
    own = {name.lower() for name, _ in request.headers}
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    default = {"Host": parts.netloc, "User-Agent": request.user_agent, "Accept": "*/*"}
    lines = [f"{name}: {text}" for name, text in default.items() if name.lower() not in own]
    # An Accept header that is explicitly empty removes it (fact 3.1).
    lines += [f"{name}: {text}" for name, text in request.headers if text or name != "Accept"]
    lines.append("Connection: close")
    return "\r\n".join([f"GET {target} HTTP/1.1", *lines, "", ""]).encode()


async def _head(url: str, reader: asyncio.StreamReader) -> _Head:
    try:
        head = await _read_head(reader)
        while head.status // 100 == 1:
            head = await _read_head(reader)
    except (OSError, EOFError) as exc:
        raise TransportError(url, "EOF") from exc
    except (ValueError, IndexError, asyncio.LimitOverrunError) as exc:
        raise TransportError(url, "malformed HTTP response") from exc
    return head


async def _read_head(reader: asyncio.StreamReader) -> _Head:
    line = (await reader.readuntil(b"\r\n")).decode("latin-1")
    if not line.startswith("HTTP/1."):
        raise ValueError(line)
    status, fields = int(line.split(" ", 2)[1]), {}
    while (line := (await reader.readuntil(b"\n")).decode("latin-1").strip()) != "":
        name, _, text = line.partition(":")
        fields[name.lower()] = text.strip()
    return _Head(status, fields)


async def _body(head: _Head, reader: asyncio.StreamReader) -> bytes:
    """Read at most 10 KiB; the rest, if any, is never asked for (fact 3.7)."""
    if head.status in _WITHOUT_BODY:
        return b""
    try:
        if head.fields.get("transfer-encoding", "").lower() == "chunked":
            return await _chunked(reader)
        if "content-length" in head.fields:
            length = int(head.fields["content-length"])
            return await reader.readexactly(min(length, BODY_LIMIT))
        return await _until_end(reader)
    except (OSError, EOFError, ValueError) as exc:
        raise BodyError(_CUT_SHORT) from exc


async def _until_end(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < BODY_LIMIT and (chunk := await reader.read(BODY_LIMIT - len(body))):
        body += chunk
    return body


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < BODY_LIMIT:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        if not size:
            break
        body += await reader.readexactly(min(size, BODY_LIMIT - len(body)))
        if len(body) < BODY_LIMIT:
            await reader.readexactly(2)
    return body
