"""Objects of the cluster, listed once and then kept current by one open watch.

A task of its own reads the watch, because the runner's pause may end in the middle of a read, and
the next attempt must find what came meanwhile. The task ends with the task that makes the attempts,
so that no connection outlives the wait.

A watch that ends is not resumed. Listing anew costs one small request, and is right after `410
Gone`, a restart of the API server, and an expired token alike.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gate.checks.k8s import listing
from gate.checks.k8s.api import (
    FORBIDDEN,
    NOT_FOUND,
    OK,
    Connection,
    Forbidden,
    forbidden,
    is_missing_object,
    parsed,
    refusal,
)
from gate.checks.k8s.readiness import identity
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.checks.k8s.options import Wanted
    from gate.checks.k8s.readiness import Finding
    from gate.checks.k8s.service_account import Account

LIFE = 300
"""Seconds after which the API server shall end a watch."""
RETRY = 30.0
"""Seconds after which a watch that RBAC has refused is tried again: the right may come late."""
SHORTEST = 1.0
"""Seconds that a watch must have lived for its end to count as a change."""


class Watch:
    """The findings about the objects that are wanted.

    A single object is listed by its name. Where RBAC does not allow `list`, it is fetched by
    `get`: common roles grant no more.
    """

    def __init__(
        self,
        account: Account,
        wanted: Wanted,
    ) -> None:
        self.findings: dict[str, Finding] = {}
        """By identity; as of the latest `refresh` and what the watch has brought since."""
        self.namespace = ""
        self.lacks = ""
        """Why there is no watch, if RBAC does not allow it: objects are then listed at times."""
        self.account = account
        self._resource = wanted.resource
        self._selection = wanted.selection
        self._find = wanted.find
        self._name = "" if wanted.is_endpoints else wanted.name
        self._is_content_read = wanted.is_content_read
        self._may_list = True
        self._follower: asyncio.Task[None] | None = None
        self._heard = 0.0
        self._refused = 0.0
        self._news = asyncio.Event()

    async def refresh(self, oldest: float) -> None:
        """List anew unless the watch lives and was heard of within *oldest* seconds.

        Raises `CheckFailed`. What comes after this call is news.
        """
        age = asyncio.get_running_loop().time() - self._heard
        if self._follower is None or self._follower.done() or age > oldest:
            await self._list()
        self._news.clear()

    async def changed(self) -> None:
        """Return when the watch has brought something new since the latest `refresh`."""
        await self._news.wait()

    async def _list(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None
        login = await self.account.login()
        self.namespace = login.namespace
        connection = Connection(login)
        try:
            self.findings, version = await self._current(connection)
        except BaseException:
            connection.abort()
            raise
        self._heard = asyncio.get_running_loop().time()
        if self.lacks and self._heard - self._refused < RETRY:
            connection.abort()
        else:
            self._follow_from(version, connection)

    async def _current(self, connection: Connection) -> tuple[dict[str, Finding], str]:
        """Return the findings as they are now, and the version from which a watch goes on."""
        if self._may_list:
            try:
                return await self._pages(connection)
            except Forbidden:
                if not self._name:
                    raise
                self._may_list = False
        try:
            return await self._object(connection)
        except Forbidden:
            # What is granted may change: the next attempt tries `list` again.
            self._may_list = True
            raise

    async def _object(self, connection: Connection) -> tuple[dict[str, Finding], str]:
        path = f"{self._path()}/{self._name}"
        answer = await connection.get(path, {}, self._accepted("PartialObjectMetadata"))
        thing = await connection.body(answer)
        if answer.status_code == NOT_FOUND and is_missing_object(thing):
            return {}, ""
        if answer.status_code != OK:
            raise refusal(answer.status_code, thing, "get", self._resource, self._place())
        if not listing.is_object(thing):
            msg = "API server: the answer is not an object"
            raise CheckFailed(msg)
        return {identity(thing): self._find(thing)}, str(
            thing["metadata"].get("resourceVersion") or ""
        )

    def _accepted(self, form: str) -> str:
        """Return the media types of an answer: the metadata alone where that is enough."""
        plain = "application/json"
        return plain if self._is_content_read else f"{plain};as={form};g=meta.k8s.io;v=v1,{plain}"

    async def _pages(self, connection: Connection) -> tuple[dict[str, Finding], str]:
        """Return the findings about all objects, and the version of the list."""
        findings: dict[str, Finding] = {}
        version = await listing.read(
            connection,
            listing.Wanted(
                resource=self._resource,
                namespace=self.namespace,
                selection=self._selection,
                accept=self._accepted("PartialObjectMetadataList"),
            ),
            lambda thing: findings.update({identity(thing): self._find(thing)}),
        )
        return findings, version

    def _follow_from(self, version: str, connection: Connection) -> None:
        """Start the watch; it ends with the task that makes the attempts."""
        owner = asyncio.current_task()
        assert owner is not None  # noqa: S101 -- a coroutine always runs in a task
        self._follower = follower = asyncio.create_task(self._follow(version, connection))

        def end(_: object) -> None:
            follower.cancel()

        def clean_up(_: object) -> None:
            connection.abort()
            owner.remove_done_callback(end)

        owner.add_done_callback(end)
        # Not in a `finally` of the task: one that is cancelled before its first step has none.
        follower.add_done_callback(clean_up)

    async def _follow(self, version: str, connection: Connection) -> None:
        """Take the events of the watch until it ends; the next list shows why it ended."""
        started = asyncio.get_running_loop().time()
        with suppress(CheckFailed):
            await self._take_all(version, connection)
        if asyncio.get_running_loop().time() - started >= SHORTEST:
            self._news.set()

    async def _take_all(self, version: str, connection: Connection) -> None:
        answer = await connection.get(
            self._path(),
            {
                **self._selection,
                "watch": "1",
                "allowWatchBookmarks": "true",
                "resourceVersion": version,
                "timeoutSeconds": str(LIFE),
            },
            self._accepted("PartialObjectMetadata"),
        )
        if answer.status_code != OK:
            said = await connection.body(answer)
            if answer.status_code == FORBIDDEN:
                message = said.get("message") if isinstance(said, dict) else ""
                self.lacks = forbidden(str(message), "watch", self._resource, self._place())
                self._refused = asyncio.get_running_loop().time()
            return
        self.lacks = ""
        while (line := await connection.line(answer)) is not None:
            if not self._take(parsed(line)):
                return

    def _take(self, event: Any) -> bool:  # noqa: ANN401 -- JSON is anything
        """Take in *event*; return False if the watch is of no more use."""
        thing = event.get("object") if isinstance(event, dict) else None
        if not listing.is_object(thing) or event.get("type") == "ERROR":
            return False
        self._heard = asyncio.get_running_loop().time()
        if event.get("type") == "BOOKMARK":
            return True
        if event.get("type") == "DELETED":
            self.findings.pop(identity(thing), None)
        else:
            self.findings[identity(thing)] = self._find(thing)
        self._news.set()
        return True

    def _path(self) -> str:
        return self._resource.path(self.namespace)

    def _place(self) -> str:
        return self._resource.where(self.namespace)
