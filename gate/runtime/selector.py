"""The selector of the loop: it looks now and then while it waits, and wakes the loop for news only.

That a port begins to listen is an event like any other, but no file descriptor tells of it:
somebody has to look. A timer of the loop would take asyncio through a whole turn for each look.
Here a look in vain costs no more than itself, and a few lines of Python: what sleeps for 50 ms
finds the caches of the processor cold, and pays for each line.
"""

from __future__ import annotations

import math
import select
import selectors
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class LookingSelector(selectors.DefaultSelector):
    """Waits for file descriptors, and meanwhile looks where it has been told how."""

    def __init__(self) -> None:
        super().__init__()
        # A file descriptor itself, which tells whether any of those it stands for is ready.
        self._any = select.poll()
        self._any.register(self.fileno(), select.POLLIN)
        self.look: Callable[[float], bool] | None = None
        """Called with the time at times, however busy the loop is; true wakes the loop."""
        self.every = 0.0
        """Seconds between two looks; counts from the last one."""
        self._looked = -math.inf

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; perhaps nothing, after news or *timeout* seconds."""
        look = self.look
        if look is None:
            return super().select(timeout)
        now = time.monotonic()
        end = math.inf if timeout is None else now + timeout
        while True:
            until = min(self._looked + self.every, end)
            is_ready = self._any.poll((until - now) * 1000 if until > now else 0)
            now = time.monotonic()
            is_over = now >= end
            if now >= self._looked + self.every:
                self._looked = now
                is_over |= look(now)
            if is_ready:
                return super().select(0)
            if is_over:
                return []
