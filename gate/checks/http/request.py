"""The request that an HTTP server gets, at first and after a redirect."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import httpx

from gate import __version__
from gate.checks.http import routing
from gate.checks.http.routing import basic
from gate.checks.wire import secret_file
from gate.core import attempt
from gate.core import url as urls
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.http.routing import Route

_DEFAULTS = (
    ("accept", "*/*"),
    ("accept-encoding", "identity"),
    ("connection", "close"),
    ("user-agent", f"gate/{__version__}"),
)
_HARMLESS = frozenset({"accept", "accept-language", "content-type", "user-agent"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})

Header = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTemplate:
    """One request; `url` is what the server calls itself, `route` is how it is reached."""

    url: httpx.URL
    route: Route
    method: str = "GET"
    header: tuple[Header, ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    bearer_file: str = ""
    basic_file: str = ""

    def __str__(self) -> str:
        """Return the URL without what may be secret in it."""
        return str(self.url.copy_with(query=None, userinfo=b"", fragment=None))

    async def request(self) -> httpx.Request:
        """Return the request with credentials as they are now; raises `CheckFailed`."""
        given = (*self.header, *await self._authorization())
        names = {name.lower() for name, _ in given}
        header = [*(pair for pair in _DEFAULTS if pair[0] not in names), *given]
        extensions = {}
        if self.route.proxy is not None and self.route.is_forwarded:
            header += self.route.proxy.header
            extensions["target"] = str(self.url).encode()
        return httpx.Request(
            self.method,
            self.url,
            headers=[(name.encode(), value.encode()) for name, value in header],
            content=self.body or None,
            extensions=extensions,
        )

    def redirected(self, answer: httpx.Response) -> RequestTemplate | None:
        """Return the request that the redirect *answer* asks for, None if it is no redirect."""
        location = answer.headers.get("location")
        if answer.status_code not in _REDIRECTS or not location:
            return None
        url = _target(self.url, location)
        ask = self._without_body(answer.status_code)
        if _is_same_origin(url, self.url):
            return replace(ask, url=url)
        return ask.elsewhere(url)

    def elsewhere(self, url: httpx.URL) -> RequestTemplate:
        """Return the same request to another server, which is not given any secret."""
        is_trusted = _is_upgrade(self.url, url)
        route = self.route.elsewhere(url, is_trusted=is_trusted)
        if is_trusted:
            return replace(self, url=url, route=route)
        if self.body:
            msg = "redirected to another host, which is not sent the body"
            raise CheckFailed(msg)
        header = tuple(pair for pair in self.header if pair[0].lower() in _HARMLESS)
        return RequestTemplate(url=url, route=route, method=self.method, header=header)

    async def _authorization(self) -> tuple[Header, ...]:
        if self.bearer_file:
            token = await secret_file.read(self.bearer_file, "bearer-file")
            return (("authorization", f"Bearer {_one_line(token, 'bearer-file')}"),)
        if self.basic_file:
            credentials = await secret_file.read(self.basic_file, "basic-file")
            return (("authorization", _basic_of_file(credentials)),)
        return ()

    def _without_body(self, status: int) -> RequestTemplate:
        """Return method and body after a redirect: a GET, except after 307 and 308."""
        if status in _KEEP_METHOD or self.method == "HEAD":
            return self
        return replace(self, method="GET", body=b"")


def _target(base: httpx.URL, location: str) -> httpx.URL:
    try:
        url = base.join(location).copy_with(fragment=None, userinfo=b"")
        urls.parse(str(url))  # httpx takes any port
    except (httpx.InvalidURL, ValueError) as exc:
        msg = "redirected to something that is not a URL"
        raise CheckFailed(msg) from exc
    if url.scheme not in routing.PORTS or not url.host:
        msg = f"redirected to {url.scheme}, which is not HTTP"
        raise CheckFailed(msg)
    return url


def _is_same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _is_upgrade(one: httpx.URL, other: httpx.URL) -> bool:
    """Whether the same server is asked again, with TLS, on the usual ports."""
    ways = (one.scheme, one.port, other.scheme, other.port)
    return one.host == other.host and ways == ("http", None, "https", None)


def _one_line(text: str, option: str) -> str:
    if not text or not text.isascii() or not text.isprintable():
        msg = f"{option}: wants one line of plain text"
        raise CheckFailed(msg)
    return text


def _basic_of_file(credentials: str) -> str:
    _, colon, password = credentials.partition(":")
    if not colon:
        msg = "basic-file: wants user:password"
        raise CheckFailed(msg)
    attempt.keep_secret(password)
    return _kept(basic(credentials))


def _kept(value: str) -> str:
    """Return the header *value*, which a server may answer back, after noting its secret."""
    attempt.keep_secret(value.partition(" ")[2])
    return value
