"""One request to the cloud's service of tokens, on a connection of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx

from gate.checks.http import routing
from gate.checks.http.expectations import read_body
from gate.checks.http.http1 import Http1
from gate.checks.http.request import RequestTemplate
from gate.checks.wire import tls_options
from gate.checks.wire.tls_options import closing
from gate.core import url as urls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.checks.http.routing import Route
    from gate.core.target import Target

_HEADER = (("content-type", "application/x-www-form-urlencoded"),)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where tokens are given."""

    url: httpx.URL
    route: Route

    async def post(self, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Return status and body of the answer to *form*; raises `CheckFailed`."""
        body = urlencode(form).encode()
        return await _answer(
            RequestTemplate(
                url=self.url, route=self.route, method="POST", header=_HEADER, body=body
            )
        )

    async def get(self, header: tuple[tuple[str, str], ...]) -> tuple[int, bytes]:
        """Return status and body of the answer to a request with *header*, as `post` does."""
        return await _answer(RequestTemplate(url=self.url, route=self.route, header=header))


async def _answer(ask: RequestTemplate) -> tuple[int, bytes]:
    stream = await ask.route.open(("http/1.1",))
    async with closing(stream[1]), Http1(stream) as transport:
        answer = await transport.handle_async_request(await ask.request())
        body, _ = await read_body(answer)
        return answer.status_code, body


def said(body: bytes) -> dict[str, Any]:
    """Return the JSON object that *body* holds, an empty one where it holds none."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def parse(target: Target, option: str, base: str, path: str = "") -> Exchange:
    """Return where tokens are given: *path* below the URL *base*, which *option* may have said."""
    try:
        place = _below(base, path)
    except ValueError as exc:
        target.problem(f"{option}: {exc}")
        place = urls.parse("https://localhost")
    url = httpx.URL(str(place))
    route = routing.parse(target.toward(place), url, tls_options.parse(target))
    return Exchange(url, route)


def _below(base: str, path: str) -> urls.Url:
    url = urls.parse(base)
    if url.scheme not in routing.PORTS or not url.hosts or url.raw_query or url.username:
        msg = "wants a URL like https://host"
        raise ValueError(msg)
    return replace(url, path=f"{url.path.rstrip('/')}{path}" if path else url.path or "/")
