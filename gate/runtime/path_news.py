"""Ends a pause when something has happened to a file, where the kernel tells (inotify).

All that touches the file system is done in a thread, as a file server may hang.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from gate.core import backoff
from gate.runtime.threads import run_in_thread

if TYPE_CHECKING:
    from gate.runtime.path_events import PathEvents

UNTOLD, TOLD = 0.2, backoff.LOOK_WHERE_TOLD
"""Seconds between two looks where the kernel does not tell, and where other hosts may write."""
GATHERING = 0.05
"""Seconds for which others' events are left to gather."""


class PathNews:
    """News of one path, for one pause."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._events: PathEvents | None = None
        self._news = asyncio.Event()
        self._is_told = False
        self._again: asyncio.TimerHandle | None = None

    async def listen(self) -> None:
        """Have the kernel tell, if it can; `close` ends it."""
        with suppress(OSError, ImportError):
            # Refused, or there is no such thing here: time alone ends a wait.
            events = import_module("gate.runtime.path_events")
            self._events = events.PathEvents(events.WRITTEN)
            await self._watch(self._events)

    def close(self) -> None:
        """Be told no more."""
        if self._again:
            self._again.cancel()
        if self._events:
            self._loop.remove_reader(self._events.descriptor)
            self._events.close()

    async def wait(self) -> None:
        """Return when something has happened to the file, after a second at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TOLD if self._is_told else UNTOLD):
                await self._news.wait()
        if self._news.is_set() and self._events:
            self._news.clear()
            # The way to it may have changed.
            await self._watch(self._events)

    async def _watch(self, events: PathEvents) -> None:
        self._is_told = await run_in_thread(events.watch, (self._path,))
        self._hear(events)

    def _hear(self, events: PathEvents) -> None:
        self._loop.add_reader(events.descriptor, self._read, events)

    def _read(self, events: PathEvents) -> None:
        if events.concern_paths(events.read()):
            self._news.set()
        else:
            # Where others write much, each event would wake the loop.
            self._loop.remove_reader(events.descriptor)
            self._again = self._loop.call_later(GATHERING, self._hear, events)
