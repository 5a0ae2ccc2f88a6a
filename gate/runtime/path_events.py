"""What the kernel tells of some paths, by inotify: that something has happened on the way to one.

Watched is each directory in which the way looks a name up, by links too, as far as it exists. So a
parent that is made and a link that is swapped (`..data` in the kubelet's volumes) are told of like
the file itself. Not told are writes by other hosts (NFS, virtiofs) and mounts: look now and then.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from struct import Struct
from typing import TYPE_CHECKING

from gate.runtime.c_library import call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ATTRIB, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x4, 0x40, 0x80, 0x100, 0x200
_MASK = _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
WRITTEN = 0x2 | 0x8
"""That somebody writes to a file, or has closed it after that."""
_Q_OVERFLOW = 0x4000
_INOTIFY_EVENT = Struct("=iIII")
"""`inotify_event`: watch, mask, cookie, length of the name that follows."""
_LENGTH = Struct("=I")
_OVERFLOW = _INOTIFY_EVENT.pack(-1, _Q_OVERFLOW, 0, 0)
_MOST = 65536
"""Bytes of events that are read at once: more than a thousand."""
_MOST_LINKS = 40
"""As many as the kernel follows on the way of one path."""


class PathEvents:
    """Events of the paths that are watched; raises `OSError` where inotify is not to be had.

    *more* is what to be told besides what changes which file is at a path.
    """

    def __init__(self, more: int = 0) -> None:
        self.descriptor = call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)
        """Readable when something has happened."""
        self._mask = _MASK | more
        self._watches: dict[str, int] = {}
        self._names: set[bytes] = set()

    def close(self) -> None:
        """Be told no more."""
        os.close(self.descriptor)

    def watch(self, paths: Iterable[str]) -> bool:
        """Watch *paths* and no others; return whether all of them can be watched.

        To be called again after each event that concerns them, as ways may have changed.
        """
        before = set(self._watches.values())
        self._watches, self._names = {}, set()
        unwatched = [path for path in paths if not self._watch(path)]
        for left in before.difference(self._watches.values()):
            # One whose directory was deleted is gone already.
            with suppress(OSError):
                call("inotify_rm_watch", self.descriptor, left)
        return not unwatched

    def read(self) -> bytes:
        """Return the events since the last call, empty if there are none."""
        try:
            return os.read(self.descriptor, _MOST)
        except BlockingIOError:
            return b""

    def concern_paths(self, events: bytes) -> bool:
        """Return whether one of *events* may concern the paths.

        They are searched, not parsed: of a thousand files that others write, none costs a thing.
        """
        return _OVERFLOW in events or any(name in events for name in self._names)

    def _watch(self, path: str) -> bool:
        for directory, name in _way(path):
            self._names.add(_as_told(name))
            try:
                self._watch_directory(directory)
            except OSError as exc:
                # One that went a moment ago is told of by the directory before.
                return exc.errno == errno.ENOENT
        # The links there are not what they read, and nothing tells of a change.
        return not path.startswith("/proc/")

    def _watch_directory(self, path: str) -> None:
        if path not in self._watches:
            name = os.fsencode(path)
            self._watches[path] = call("inotify_add_watch", self.descriptor, name, self._mask)


def _as_told(name: str) -> bytes:
    """Return how events tell *name*: its length, filled up with NULs as they are, and itself."""
    text = os.fsencode(name) + b"\0"
    size = _INOTIFY_EVENT.size
    return _LENGTH.pack(-(-len(text) // size) * size) + text


def _way(path: str) -> Iterator[tuple[str, str]]:
    """Yield each directory on the way of *path*, free of links, and the name looked up in it.

    The name is looked up after that: who watches the directory first misses no change.
    """
    here, links = "/", 0
    names = path.split("/")[::-1]
    while names and links <= _MOST_LINKS:
        name = names.pop()
        if name == "..":
            here = os.path.dirname(here)  # noqa: PTH120 -- a text, and no more
        elif name not in {"", "."}:
            yield here, name
            there = os.path.join(here, name)  # noqa: PTH118 -- a text, and no more
            try:
                target = os.readlink(there)  # noqa: PTH115 -- what Path.readlink calls
            except OSError as exc:
                if exc.errno != errno.EINVAL:
                    return
                # There, and not a link.
                here = there
            else:
                links += 1
                names += target.split("/")[::-1]
                here = "/" if target.startswith("/") else here
