"""file:///path -- it exists, is not empty, and nobody is writing it.

Device, inode, size and time of change must be the same in two looks 100 ms apart. Two looks need no
correct clock, here or on a file server, and work for tmpfs, `emptyDir` and the swapped links of
ConfigMaps and Secrets. For a writer that pauses longer, `older-than=5s` wants the file unchanged
for that long by the clock. NFS may show a change some seconds late.

`min-size=BYTES` is 1; 0 lets an empty marker file pass. `contains=TEXT` is looked for in the last
MiB of the file. Without it the file is not opened: gate needs no right to read it.

No such file is what `until=down` waits for.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate.checks.wire.regular_file import demand, opened
from gate.core import attempt, durations
from gate.core.errors import Absent, CheckFailed
from gate.runtime.path_news import PathNews
from gate.runtime.threads import run_in_thread

if TYPE_CHECKING:
    from gate.core.target import Target

BETWEEN_LOOKS = 0.1
"""Seconds."""

_LONGEST = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Looks at a file twice, in a thread: a file server may hang."""

    path: str
    least: int = 1
    older_than: float = 0.0
    contains: str = ""

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the file is there and whole."""
        attempt.enter_stage("looking at the file")
        before = await run_in_thread(_look, self.path)
        self._judge(before)
        await asyncio.sleep(BETWEEN_LOOKS)
        after = await run_in_thread(_read if self.contains else _look, self.path)
        if after.stamp != before.stamp:
            msg = "still being written"
            raise CheckFailed(msg)
        if self.contains.encode() not in after.content:
            msg = "does not contain the wanted text"
            raise CheckFailed(msg)

    async def changed(self) -> None:
        """Return when another attempt is worth making: at the path is something else than now."""
        before = await self._found()
        news = PathNews(self.path)
        try:
            await news.listen()
            while await self._found() == before:
                await news.wait()
        finally:
            news.close()

    async def _found(self) -> object:
        """Return what changes with the file, or why it cannot be looked at."""
        try:
            look: _Look = await run_in_thread(_look, self.path)
        except CheckFailed as exc:
            return str(exc)
        return look.stamp

    def _judge(self, look: _Look) -> None:
        size = look.found.st_size
        if size < self.least:
            msg = f"{size} of at least {self.least} bytes" if size else "empty"
            raise CheckFailed(msg)
        if self.older_than and time.time() - look.found.st_mtime < self.older_than:
            msg = f"changed less than {durations.show(self.older_than)} ago"
            raise CheckFailed(msg)


@dataclass(frozen=True, slots=True)
class _Look:
    found: os.stat_result
    content: bytes = b""

    @property
    def stamp(self) -> tuple[int, int, int, int]:
        """The values that change with a write, or with another file at the path."""
        found = self.found
        return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def parse(target: Target) -> File:
    """Return the check that *target* describes."""
    path = unquote(target.url.path)
    if target.url.hosts or not path.startswith("/") or "\0" in path:
        target.problem("the URL wants an absolute path; write file:///path/to/file")
    if target.url.raw_query:
        target.problem("in the path of the URL write ? as %3F")
    target.keep_path(path)
    return File(
        path=path,
        least=target.number("min-size", 1),
        older_than=target.seconds("older-than", 0.0),
        contains=target.text("contains", secret=True),
    )


def _look(path: str) -> _Look:
    """Look at the file by its path, each time anew, as a link may have been swapped."""
    try:
        return _Look(demand(os.stat(path)))  # noqa: PTH116 -- what Path.stat calls
    except OSError as exc:
        raise _failure(exc) from exc


def _read(path: str) -> _Look:
    """Look at the file and read it through one descriptor, so that both are of the same file."""
    try:
        with opened(path) as file:
            found = os.fstat(file.fileno())
            file.seek(max(0, found.st_size - _LONGEST))
            return _Look(found, file.read(_LONGEST))
    except OSError as exc:
        raise _failure(exc) from exc


def _failure(exc: OSError) -> CheckFailed:
    if isinstance(exc, (FileNotFoundError, NotADirectoryError)):
        return Absent("no such file")
    return CheckFailed((exc.strerror or str(exc)).lower())
