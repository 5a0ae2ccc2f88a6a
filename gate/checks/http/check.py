"""http[s]://host[:port]/path, http+unix://%2Frun%2Fapp.sock/path -- the answer is as expected."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from gate.checks.http import expectations, options
from gate.checks.http.http1 import Http1
from gate.checks.wire.tls_options import closing
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from gate.checks.http.expectations import Expected
    from gate.checks.http.request import RequestTemplate
    from gate.checks.wire.dial import Stream
    from gate.core.target import Target

MOST_REDIRECTS = 10
_ONLY_HTTP1 = frozenset({"connection", "keep-alive", "proxy-connection", "te", "upgrade"})
_ALSO_HTTP2 = ("te", "trailers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Makes one request, on a connection of its own; follows redirects only if told to."""

    ask: RequestTemplate
    expected: Expected
    redirects: int = 0
    protocol: Callable[[Stream], httpx.AsyncBaseTransport] = Http1
    alpn: tuple[str, ...] = ("http/1.1",)

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the answer is as expected."""
        following = await self._visit(self.ask, self.redirects)
        for left in reversed(range(self.redirects)):
            if following is None:
                return
            ask = following
            try:
                following = await self._visit(ask, left)
            except CheckFailed as exc:
                # Never `Absent` after a redirect: the server that sent it is alive.
                msg = f"{exc} (redirected to {ask})"
                raise CheckFailed(msg) from exc

    async def _visit(self, ask: RequestTemplate, redirects: int) -> RequestTemplate | None:
        """Judge the answer to *ask*, or return where it leads."""
        # Connected before anything is built: a refused connection must cost next to nothing.
        stream = await ask.route.open(self.alpn)
        async with closing(stream[1]), self.protocol(stream) as transport:
            answer = await transport.handle_async_request(await ask.request())
            following = ask.redirected(answer) if self.redirects else None
            if following is None:
                await self.expected.judge(answer)
            elif not redirects:
                msg = f"more than {self.redirects} redirects"
                raise CheckFailed(msg)
        return following


def parse(target: Target) -> Http:
    """Return the check that *target* describes."""
    ask = options.parse(target)
    expected = expectations.parse(target)
    if ask.method == "HEAD" and (expected.regex or expected.query):
        target.problem("method: the answer to HEAD has no body to look at; write method=GET")
    redirects = MOST_REDIRECTS if target.choice("redirects", ("follow",), "") else 0
    if not target.flag("http2"):
        return Http(ask=ask, expected=expected, redirects=redirects)
    for name, value in ask.header:
        if name.lower() in _ONLY_HTTP1 and (name.lower(), value.lower()) != _ALSO_HTTP2:
            target.problem(f"header: {name} is not for HTTP/2; leave it out")
    if ask.route.is_forwarded:
        target.problem("http2: does not go through a proxy without TLS; write https")
    return Http(
        ask=ask,
        expected=expected,
        redirects=redirects,
        protocol=import_module("gate.checks.http.http2").Http2,
        alpn=("h2", "http/1.1"),
    )
