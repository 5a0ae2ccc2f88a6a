"""The output of a command: read so that the command never blocks; only the end is kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import asyncio
    from types import TracebackType

_KEPT = 4096
_AT_ONCE = 65536
_LARGEST_PIPE = 1024 * 1024


class Output:
    """A pipe; `writer` is for the command, and stays open until the block ends.

    The end of the output is not waited for: a daemon that the command leaves behind may keep it
    open.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._reader, self.writer = os.pipe()
        self._tail = b""

    def __enter__(self) -> Self:
        os.set_blocking(self._reader, False)
        self._loop.add_reader(self._reader, self._read)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.remove_reader(self._reader)
        os.close(self._reader)
        os.close(self.writer)

    def drain(self) -> None:
        """Read what a command that has ended left in the pipe."""
        for _ in range(_LARGEST_PIPE // _AT_ONCE):
            if not self._read():
                return

    def last_line(self) -> str:
        """Return the last line that is not empty."""
        lines = self._tail.decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _read(self) -> bool:
        """Return whether there was something to read."""
        try:
            data = os.read(self._reader, _AT_ONCE)
        except BlockingIOError:
            return False
        self._tail = (self._tail + data)[-_KEPT:]
        return bool(data)
