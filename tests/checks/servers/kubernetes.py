"""A small Kubernetes API server: get, list and watch over real HTTP/1.1, with or without TLS.

No API server can be installed for the tests, so this one follows the API's documents ("API
concepts", "Authenticating", "Using RBAC") as far as a client that lists and watches can see:
paths, the bodies of lists and of `Status`, resource versions that grow with each write, lists
in pages with `continue`, a watch as one JSON object a chunk and line, the history from a
version on, bookmarks, `410 Gone` (in the stream, as status 200, when a watch starts too far
back), 401 and 403 with the real texts, `DELETED` for what no longer matches a selector, and the
proxy to a pod's port, which is one of this machine.
`kubectl` 1.32 was run against it once, with discovery put in front: `get --watch`, `wait`
and `rollout status` take it for the real thing.

It does not check objects, knows no admission, and runs no controllers: tests write statuses.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.checks.servers.kubernetes_api import (
    PROXY,
    Asked,
    Event,
    Object,
    Watcher,
    asked_by,
    forbidden,
    not_found,
    status,
)


class Kubernetes:
    """The server; `async with` starts it, `url` is where it is."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tokens: set[str] = set()
        """Accepted tokens; none at all: everyone may come."""
        self.denied: set[tuple[str, str]] = set()
        """Verb and resource that RBAC does not allow."""
        self.denied_in: set[tuple[str, str, str]] = set()
        """Verb, resource and the namespace in which RBAC does not allow it."""
        self.asked: list[Asked] = []
        self.connections = 0
        self.port = 0
        self.page_limit = 500
        self.pod_ports: dict[tuple[str, str, int], int | bytes | None] = {}
        """Namespace, pod and port to the port of this machine behind it, or to what it answers.

        None: it never does.
        """
        self.failure: tuple[int, str] | None = None
        """Status and text that every request is answered with."""
        self._tls = tls
        self._things: dict[tuple[str, str, str], Object] = {}
        self._history: list[Event] = []
        self._version = 100
        self._oldest = 0
        self._uid = 0
        self._watchers: list[Watcher] = []
        self._handlers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self._happened = asyncio.Event()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    @property
    def open_connections(self) -> int:
        return len(self._handlers)

    @property
    def watches(self) -> int:
        """How many watches are open."""
        return len(self._watchers)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until *is_so*, looking whenever a connection or a watch begins or ends."""
        async with asyncio.timeout(20):
            while not is_so():
                await self._happened.wait()

    def _happen(self) -> None:
        self._happened.set()
        self._happened = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the same port as before a stop."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop as a killed server does: connections are cut."""
        if self._server is not None:
            self._server.close()
        handlers = list(self._handlers)
        for writer in self._handlers.values():
            writer.transport.abort()
        for watcher in self._watchers:
            watcher.ended.set()
        await asyncio.gather(*handlers, return_exceptions=True)

    def put(self, resource: str, name: str, namespace: str = "prod", **thing: Any) -> None:
        """Write an object, a new one or the next state of one, and tell the watches."""
        key = (resource, namespace, name)
        before = self._things.get(key)
        self._version += 1
        self._uid += before is None
        meta = {
            "name": name,
            "namespace": namespace,
            "uid": before["metadata"]["uid"] if before else f"uid-{self._uid}",
            **thing.pop("metadata", {}),
            "resourceVersion": str(self._version),
        }
        self._things[key] = {"metadata": meta, **thing}
        self._tell("MODIFIED" if before else "ADDED", resource, self._things[key], before)

    def delete(self, resource: str, name: str, namespace: str = "prod") -> None:
        before = self._things.pop((resource, namespace, name))
        self._version += 1
        meta = {**before["metadata"], "resourceVersion": str(self._version)}
        self._tell("DELETED", resource, {**before, "metadata": meta}, before)

    def compact(self) -> None:
        """Forget the history: a watch from an earlier version is then 410 Gone."""
        self._version += 1
        self._oldest = self._version

    def bookmark(self) -> None:
        """Send a bookmark on every watch that wants them."""
        for watcher in self._watchers:
            if watcher.asked.query.get("allowWatchBookmarks") == "true":
                meta = {"resourceVersion": str(self._version), "creationTimestamp": None}
                watcher.send("BOOKMARK", {"metadata": meta, "spec": {}, "status": {}})

    def end_watches(self) -> None:
        """End every watch as at its `timeoutSeconds`."""
        for watcher in self._watchers:
            watcher.ended.set()

    def expire_watches(self) -> None:
        """End every watch with the ERROR event of 410 Gone."""
        for watcher in self._watchers:
            watcher.send("ERROR", status(410, "Expired", "too old resource version: 1 (2)"))
            watcher.ended.set()

    def count(self, verb: str) -> int:
        return sum(asked.verb == verb for asked in self.asked)

    def _tell(self, kind: str, resource: str, thing: Object, before: Object | None) -> None:
        event = Event(self._version, kind, resource, thing, before)
        self._history.append(event)
        for watcher in self._watchers:
            watcher.offer(event)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers[task] = writer
        self.connections += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    await self._answer(head, reader, writer)
        finally:
            writer.transport.abort()
            del self._handlers[task]
            self._happen()

    async def _answer(
        self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        first, *lines = head.split("\r\n")
        url = urlsplit(first.split()[1])
        header = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        asked = asked_by(url.path, query, header.get("accept", ""))
        if self.tokens and header.get("authorization", "")[7:] not in self.tokens:
            _send(writer, 401, status(401, "Unauthorized", "Unauthorized"))
        elif self.failure is not None:
            _send(writer, self.failure[0], status(self.failure[0], "Failure", self.failure[1]))
        elif found := PROXY.fullmatch(url.path):
            await self._proxy(reader, writer, *found.groups())
        elif asked is None:
            _send(writer, 404, b"404 page not found\n")
        else:
            self.asked.append(asked)
            await self._allow(asked, reader, writer)

    async def _proxy(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *place: str,
    ) -> None:
        """Give the answer of the pod; RBAC says get for each of its methods."""
        namespace, pod, port, path = place
        asked = Asked("get", "v1", "pods/proxy", namespace, {}, pod)
        self.asked.append(asked)
        if ("get", "pods/proxy") in self.denied:
            _send(writer, 403, forbidden(asked))
            return
        there = self.pod_ports.get((namespace, pod, int(port)), 1)
        if there is None:
            await reader.readexactly(1)
            return
        try:
            _send(writer, 200, there if isinstance(there, bytes) else await _fetched(there, path))
        except OSError as exc:
            text = f"error trying to reach service: dial tcp 10.1.2.3:{port}: {exc.strerror}"
            _send(writer, 503, status(503, "ServiceUnavailable", text))

    async def _allow(
        self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        what = (asked.verb, asked.resource)
        if what in self.denied or (*what, asked.namespace) in self.denied_in:
            _send(writer, 403, forbidden(asked))
        elif asked.verb == "watch":
            await self._watch(Watcher(asked, writer), reader)
        elif asked.verb == "get":
            _send(writer, *self._get(asked))
        else:
            _send(writer, *self._list(asked))

    def _get(self, asked: Asked) -> tuple[int, Object]:
        for (resource, _, name), thing in self._things.items():
            if name == asked.name and asked.selects(resource, thing):
                return 200, {"kind": asked.kind, "apiVersion": asked.version, **thing}
        return 404, not_found(asked)

    def _list(self, asked: Asked) -> tuple[int, Object]:
        limit = min(int(asked.query.get("limit") or self.page_limit), self.page_limit)
        start, version = 0, self._version
        if token := asked.query.get("continue"):
            start, version = (int(part) for part in token.split("-"))
        if token and version < self._oldest:
            text = "The provided continue parameter is too old to display a consistent list result."
            return 410, status(410, "Expired", text)
        things = [t for (r, _, _), t in self._things.items() if asked.selects(r, t)]
        meta: Object = {"resourceVersion": str(version)}
        if len(things) > start + limit:
            meta["continue"] = f"{start + limit}-{version}"
            meta["remainingItemCount"] = len(things) - start - limit
        page = things[start : start + limit]
        head = {"kind": f"{asked.kind}List", "apiVersion": asked.version}
        return 200, {**head, "metadata": meta, "items": page}

    async def _watch(self, watcher: Watcher, reader: asyncio.StreamReader) -> None:
        watcher.writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        since = int(watcher.asked.query.get("resourceVersion") or 0)
        if since < self._oldest:
            text = f"too old resource version: {since} ({self._oldest})"
            watcher.send("ERROR", status(410, "Expired", text))
        else:
            for event in self._history:
                if event.version > since:
                    watcher.offer(event)
            await self._wait_for_end(watcher, reader)
        watcher.writer.write(b"0\r\n\r\n")

    async def _wait_for_end(self, watcher: Watcher, reader: asyncio.StreamReader) -> None:
        """Wait until the watch is to end, or the client has gone."""
        self._watchers.append(watcher)
        self._happen()
        gone = asyncio.ensure_future(reader.read(1))
        ended = asyncio.ensure_future(watcher.ended.wait())
        await asyncio.wait({gone, ended}, return_when=asyncio.FIRST_COMPLETED)
        self._watchers.remove(watcher)
        is_gone = gone.done()
        for waiting in (gone, ended):
            waiting.cancel()
        await asyncio.gather(gone, ended, return_exceptions=True)
        if is_gone:
            raise ConnectionResetError


async def _fetched(port: int, path: str) -> bytes:
    """Return the body of what a server of this machine answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: pod\r\nconnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2]


def _send(writer: asyncio.StreamWriter, status: int, body: Object | bytes) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/plain" if isinstance(body, bytes) else "application/json"
    head = f"HTTP/1.1 {status} Status\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}"
    writer.write(head.encode() + b"\r\n\r\n" + data)
