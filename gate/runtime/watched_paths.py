"""What is at the paths that gate waits for: looks tell, and the kernel tells when to look.

Once asked to, the kernel wakes the loop for what happens on the way to a path. Looks are rare then,
and find what it does not tell. Where others write much to a folder on the way, being told costs
more than to look, so looks go on as before for a while.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from gate.core import backoff

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from gate.runtime.path_events import PathEvents

    Identity = tuple[int, ...]

THICK = 10
"""Turns of the loop for events in a second that are too many: the start of a server needs fewer."""
DEAF = 5.0
"""Seconds for which nothing is watched then."""


class WatchedPaths:
    """What is at some paths, as of the last look."""

    def __init__(self, loop: asyncio.AbstractEventLoop, told: Callable[[], object]) -> None:
        self.are_any = False
        """Whether any path is looked at."""
        self.is_asked = False
        """Whether the kernel has been asked to tell, be it in vain."""
        self._loop, self._told = loop, told
        self._found: dict[str, Identity | None] = {}
        self._events: PathEvents | None = None
        self._is_complete = False
        self._is_heard = False
        self._due = 0.0
        """When to look, and watch the ways, without being told to."""
        self._turns = 0
        self._deaf_until = -math.inf

    def close(self) -> None:
        """Let the kernel tell no more."""
        self.ignore()
        if self._events:
            self._events.close()
        self._events = None

    @property
    def are_told_of(self) -> bool:
        """Whether the kernel wakes the loop for whatever happens at the paths in this node."""
        return self._is_complete and self._is_heard

    def at(self, path: str) -> Identity | None:
        """Return what is at *path*, None where that is nothing; from now on, each look tells."""
        if path not in self._found:
            self._found[path], self.are_any = _identity(path), True
            self._watch_anew()
        return self._found[path]

    def look(self) -> bool:
        """Look at the paths; return whether something differs from the last look."""
        kernel = self._events if self._is_heard else None
        return (kernel is None or self._is_look_due(kernel)) and self._look()

    def ask(self) -> None:
        """Ask the kernel to tell, where it can. The first time this imports what that needs."""
        self.is_asked = True
        with suppress(OSError, ImportError):
            # Refused, or there is no such thing here: looks go on as before.
            self._events = import_module("gate.runtime.path_events").PathEvents()
        self.hear()

    def hear(self) -> None:
        """Let events wake the loop, unless they came thick a moment ago."""
        if self._events and not self._is_heard and self._loop.time() >= self._deaf_until:
            self._is_heard, self._turns = True, 0
            self._watch_anew()
            self._loop.add_reader(self._events.descriptor, self._heed, self._events)

    def ignore(self) -> None:
        """Let events wake nobody."""
        if self._events and self._is_heard:
            self._is_heard = False
            self._loop.remove_reader(self._events.descriptor)

    def _watch_anew(self) -> None:
        """Let the next look do that: the ways may have changed, and until then each look counts."""
        self._is_complete, self._due = False, 0.0

    def _heed(self, kernel: PathEvents) -> None:
        self._turns += 1
        if self._turns >= THICK:
            self.ignore()
            kernel.watch(())
            self._deaf_until = self._loop.time() + DEAF
        self._told()

    def _is_look_due(self, kernel: PathEvents) -> bool:
        """Read what the *kernel* tells; return whether to look, having it tell of the ways anew."""
        events, now = kernel.read(), self._loop.time()
        if now >= self._due:
            self._turns = 0
        elif not kernel.concern_paths(events):
            return not self._is_complete
        self._due = now + backoff.LOOK_WHERE_TOLD
        self._is_complete = kernel.watch(self._found)
        return True

    def _look(self) -> bool:
        is_news = False
        for path, before in self._found.items():
            found = self._found[path] = _identity(path)
            is_news |= found != before
        return is_news


def _identity(path: str) -> Identity | None:
    """Return what changes when another socket is at *path*, or its rights do; None: none is."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- what Path.stat calls
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_ctime_ns)
