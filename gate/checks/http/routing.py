"""How an HTTP server is reached: over the network, a unix socket or a proxy, with TLS or not."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import httpx

from gate.checks.http.http1 import Http1
from gate.checks.wire.dial import dial, dial_unix, wrap
from gate.checks.wire.reasons import reason_of
from gate.checks.wire.tls_options import Tls
from gate.core import attempt
from gate.core import url as urls
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    import ssl

    from gate.checks.wire.dial import Stream
    from gate.core.target import Target

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy named for this dependency; none is ever taken from the environment."""

    host: str
    port: int
    tls: Tls | None = None
    authorization: str = field(default="", repr=False)

    @property
    def header(self) -> tuple[tuple[str, str], ...]:
        """What the proxy is told of who asks."""
        return (("proxy-authorization", self.authorization),) if self.authorization else ()

    async def open(self) -> Stream:
        """Return a stream to the proxy. A missing proxy says nothing about the server."""
        try:
            tls = await self.tls.context(("http/1.1",)) if self.tls else None
            sock = await dial(self.host, self.port)
            return await wrap(sock, tls=tls, server_name=self.host)
        except CheckFailed as exc:
            msg = f"proxy: {exc}"
            raise CheckFailed(msg) from exc

    async def connect(self, stream: Stream, host: str, port: int) -> None:
        """Have the proxy connect *stream* with *host*."""
        authority = str(urls.Host(host, port))
        request = httpx.Request(
            "CONNECT",
            f"http://{authority}/",
            headers=[("host", authority), *self.header],
            extensions={"target": authority.encode()},
        )
        try:
            answer = await Http1(stream).handle_async_request(request)
        except CheckFailed as exc:
            msg = f"proxy: {exc}"
            raise CheckFailed(msg) from exc
        if not answer.is_success:
            msg = f"proxy: status {answer.status_code}"
            raise CheckFailed(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where to connect; `path` is that of a unix socket, and stands for host and port."""

    host: str = ""
    port: int = 0
    path: str = ""
    is_tls: bool = False
    tls: Tls
    server_name: str = ""
    proxy: Proxy | None = None

    @property
    def is_forwarded(self) -> bool:
        """Whether the proxy reads the request itself, and is told the whole URL."""
        return self.proxy is not None and not self.is_tls

    async def open(self, alpn: tuple[str, ...]) -> Stream:
        """Return a stream to the server; raises `CheckFailed`."""
        tls = await self.tls.context(alpn) if self.is_tls else None
        if self.proxy is not None:
            return await self._through(self.proxy, tls)
        sock = await (dial_unix(self.path) if self.path else dial(self.host, self.port))
        return await wrap(sock, tls=tls, server_name=self.server_name)

    def elsewhere(self, url: httpx.URL, *, is_trusted: bool) -> Route:
        """Return the route to *url*; an untrusted one gets no client certificate or credentials."""
        tls = self.tls if is_trusted else replace(self.tls, cert="", key="", server_name="")
        return Route(
            host=url.host,
            port=url.port or PORTS[url.scheme],
            is_tls=url.scheme == "https",
            tls=tls,
            server_name=tls.server_name or server_name(url),
            proxy=self.proxy,
        )

    async def _through(self, proxy: Proxy, tls: ssl.SSLContext | None) -> Stream:
        stream = await proxy.open()
        if tls is None:
            return stream
        try:
            await proxy.connect(stream, self.host, self.port)
            attempt.enter_stage("TLS handshake")
            await stream[1].start_tls(tls, server_hostname=self.server_name)
        except OSError as exc:
            stream[1].transport.abort()
            raise CheckFailed(reason_of(exc)) from exc
        except BaseException:
            stream[1].transport.abort()
            raise
        return stream


def parse(target: Target, url: httpx.URL, tls: Tls) -> Route:
    """Return the way to the server of *target*, which calls itself as *url* says."""
    proxy = parse_proxy(target, tls)
    if target.url.scheme == "http+unix":
        return Route(path=socket_path(target), tls=tls)
    host, port = target.host_and_port(PORTS[target.url.scheme])
    return Route(
        host=host,
        port=port,
        is_tls=target.url.scheme == "https",
        tls=tls,
        server_name=tls.server_name or server_name(url),
        proxy=proxy,
    )


def parse_proxy(target: Target, tls: Tls) -> Proxy | None:
    """Return the proxy that *target* names, if any."""
    text = target.text("proxy", secret=True)
    if not text:
        return None
    try:
        url = urls.parse(text)
    except ValueError as exc:
        target.problem(f"proxy: {exc}")
        return None
    if url.scheme not in PORTS or len(url.hosts) != 1 or target.url.scheme == "http+unix":
        target.problem("proxy: wants http://host:port, for a server that is not a unix socket")
        return None
    target.keep_secret(url.password or "")
    return Proxy(
        host=url.host,
        port=url.port or PORTS[url.scheme],
        tls=Tls(ca=tls.ca, insecure=tls.insecure) if url.scheme == "https" else None,
        authorization=basic(f"{url.username or ''}:{url.password or ''}")
        if url.username or url.password
        else "",
    )


def socket_path(target: Target) -> str:
    """Return the path of the unix socket, which stands percent-encoded for the host."""
    if len(target.url.hosts) != 1 or not target.url.host.startswith("/") or target.url.port:
        target.problem(
            "the URL wants the socket's path for its host; write http+unix://%2Frun%2Fapp.sock/path"
        )
    target.keep_path(target.url.host)
    return target.url.host


def server_name(url: httpx.URL) -> str:
    """Return what a certificate calls the host of *url*."""
    return url.raw_host.decode().strip("[]").rstrip(".")


def basic(credentials: str) -> str:
    """Return the header value for the *credentials* `user:password`."""
    return f"Basic {b64encode(credentials.encode()).decode()}"
