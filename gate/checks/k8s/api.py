"""Requests to the API server on one connection, and what its refusals mean."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx

from gate import __version__
from gate.checks.http.http1 import Http1
from gate.checks.wire.dial import dial, wrap
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.k8s.service_account import Login
    from gate.checks.wire.dial import Stream

OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, GONE = 200, 401, 403, 404, 410
_LONGEST = 16 * 1024 * 1024
"""Bytes of one answer, or of one line of a watch, that are read."""
_KEEPALIVE = (("TCP_KEEPIDLE", 3), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3))
"""Seconds, seconds, times: a silent network is noticed although a watch sends nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind of object as URLs and RBAC rules name it; the core group is empty."""

    group: str = ""
    version: str = "v1"
    plural: str
    is_cluster_wide: bool = False

    def __str__(self) -> str:
        return f"{self.plural} ({self.group or 'core'})"

    def path(self, namespace: str) -> str:
        """Return the path of its objects in *namespace*, in all of them where that is empty."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = "" if self.is_cluster_wide or not namespace else f"/namespaces/{namespace}"
        return f"{root}{inside}/{self.plural}"

    def where(self, namespace: str) -> str:
        """Return where its objects are, in words."""
        is_everywhere = self.is_cluster_wide or not namespace
        return "in the cluster" if is_everywhere else f"in namespace {namespace}"


class Forbidden(CheckFailed):
    """RBAC does not allow the request."""


class Connection:
    """One connection, opened when needed, and again where the server closes it.

    Everything raises `CheckFailed`, never `Absent`: an API server that is not there says
    nothing about what is asked for.
    """

    def __init__(self, login: Login) -> None:
        self._login = login
        self._stream: Stream | None = None
        self._unread = b""

    async def get(
        self, path: str, query: dict[str, str], accept: str = "application/json"
    ) -> httpx.Response:
        """Return the answer to a GET, its body to be read with `body` or `line`."""
        header = {"accept": accept}
        return await self._ask(self._request("GET", f"{path}?{urlencode(query)}", header=header))

    async def write(self, method: str, path: str, document: Any, kind: str) -> httpx.Response:  # noqa: ANN401 -- JSON is anything
        """Return the answer to a POST or PATCH of *document*, of the media type *kind*."""
        content = json.dumps(document).encode()
        return await self._ask(self._request(method, path, content, {"content-type": kind}))

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        try:
            self._stream = self._stream or await self._open()
            return await Http1(self._stream).handle_async_request(request)
        except CheckFailed as exc:
            raise _of_server(exc) from exc
        except asyncio.CancelledError:
            _blame_server()
            raise

    async def body(self, answer: httpx.Response, longest: int = _LONGEST) -> Any:  # noqa: ANN401 -- JSON is anything
        """Return the whole body of *answer*, at most *longest* bytes: as JSON where it is that."""
        read = bytearray()
        while (piece := await self._piece(answer)) is not None:
            read += piece
            if len(read) > longest:
                msg = "API server: the answer is too long"
                raise CheckFailed(msg)
        return parsed(read)

    async def line(self, answer: httpx.Response) -> bytes | None:
        """Return the next line of *answer* as soon as it is there, None at the end."""
        while b"\n" not in self._unread:
            piece = await self._piece(answer)
            if piece is None or len(self._unread) > _LONGEST:
                return None
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    async def _piece(self, answer: httpx.Response) -> bytes | None:
        stream = answer.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 -- what Http1 gives
        try:
            return await anext(aiter(stream))
        except CheckFailed as exc:
            raise _of_server(exc) from exc
        except asyncio.CancelledError:
            _blame_server()
            raise
        except StopAsyncIteration:
            if answer.headers.get("connection", "").lower() == "close":
                self.abort()
            return None

    def abort(self) -> None:
        """Close it at once; the API server takes that for the end of a watch."""
        if self._stream is not None:
            self._stream[1].transport.abort()
            self._stream = None

    async def _open(self) -> Stream:
        login = self._login
        sock = await dial(login.host, login.port)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if (option := getattr(socket, name, None)) is not None:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
        return await wrap(sock, tls=login.tls, server_name=login.server_name)

    def _request(
        self, method: str, path: str, content: bytes = b"", header: dict[str, str] | None = None
    ) -> httpx.Request:
        login = self._login
        header = {"accept": "application/json", "user-agent": f"gate/{__version__}"} | (
            header or {}
        )
        if login.token:
            header["authorization"] = f"Bearer {login.token}"
        scheme = "https" if login.tls else "http"
        target = f"{login.prefix}{path}".encode()
        url = httpx.URL(scheme=scheme, host=login.host, port=login.port, raw_path=target)
        return httpx.Request(method, url, headers=header, content=content or None)


def parsed(text: bytes | bytearray) -> Any:  # noqa: ANN401 -- JSON is anything
    """Return *text* as JSON, None where it is not."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # the second one is for what is nested too deep
        return None


def is_missing_object(said: object) -> bool:
    """Whether the `Status` *said* with 404 is about an object: a missing resource names none."""
    details = said.get("details") if isinstance(said, dict) else None
    return isinstance(details, dict) and bool(details.get("name"))


def refusal(status: int, said: object, verb: str, resource: Resource, place: str) -> CheckFailed:
    """Return what the status of an answer means; *said* is the API's `Status` object."""
    message = str(said.get("message") or "") if isinstance(said, dict) else ""
    if status == UNAUTHORIZED:
        return CheckFailed("API server: the token is refused (status 401)")
    if status == FORBIDDEN:
        return Forbidden(forbidden(message, verb, resource, place))
    if status == NOT_FOUND:
        text = f"{resource.plural} ({resource.group or 'core'}/{resource.version})"
        hint = " in namespaces; for what is cluster-wide add the option cluster"
        text += "" if resource.is_cluster_wide else hint
        return CheckFailed(f"the API server has no {text}")
    return CheckFailed(f"API server: status {status}{': ' if message else ''}{message}")


def forbidden(message: str, verb: str, resource: Resource, place: str) -> str:
    """Return which right is missing, and to whom."""
    user = re.search(r'User "([^"]{1,200})"', message)
    whose = f" for {user[1]}" if user else ""
    lacks = f"RBAC lacks verb {verb} on resource {resource}{whose}"
    return f"may not {verb} {resource.plural} {place}: {lacks}"


def _of_server(exc: CheckFailed) -> CheckFailed:
    return CheckFailed(f"API server: {exc}")


def _blame_server() -> None:
    """Let the reason of an attempt that is out of time say who has not answered."""
    attempt.enter_stage(f"API server: {attempt.current_stage()}")
