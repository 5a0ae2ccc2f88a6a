"""The event loop: name lookups that hang delay nothing, not even the exit.

asyncio looks names up in a pool of a few threads. One name whose server is silent keeps a
thread for half a minute; a handful of them stop every other lookup, and the process waits
for the threads when it exits (peers 5.1, measured). Here a lookup has a daemon thread of
its own. All that looks up names through the loop, drivers included, gets this.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

_Key = tuple[Any, ...]


class Loop(asyncio.SelectorEventLoop):
    """A selector loop with one daemon thread for each name lookup under way."""

    def __init__(self) -> None:
        super().__init__()
        self._lookups: dict[_Key, asyncio.Future[Any]] = {}

    async def getaddrinfo(
        self,
        host: Any,  # noqa: ANN401 -- as the base class has it
        port: Any,  # noqa: ANN401 -- as the base class has it
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 -- as the base class has it
        proto: int = 0,
        flags: int = 0,
    ) -> Any:  # noqa: ANN401 -- as the base class has it
        """Look *host* up; callers of the same lookup share the one that is under way.

        A caller that gives up leaves the lookup to the next attempt: at most one thread
        hangs on a name, however often it is tried. Raises `socket.gaierror`.
        """
        key = (host, port, family, type, proto, flags)
        if key not in self._lookups:
            self._lookups[key] = future = self.create_future()
            # Whoever waited may have given up: an error nobody hears of is fine.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            future.add_done_callback(lambda _: self._lookups.pop(key))
            threading.Thread(
                target=self._look_up, args=(future, key), name=f"lookup {host}", daemon=True
            ).start()
        return await asyncio.shield(self._lookups[key])

    def _look_up(self, future: asyncio.Future[Any], key: _Key) -> None:
        """Run in the thread."""
        found: Any = None
        error: OSError | UnicodeError | None = None
        try:
            found = socket.getaddrinfo(*key)
        except (OSError, UnicodeError) as exc:
            error = exc
        if not self.is_closed():
            # A lookup that outlives its loop has nobody to tell.
            try:
                self.call_soon_threadsafe(_settle, future, found, error)
            except RuntimeError:
                return


def _settle(future: asyncio.Future[Any], found: Any, error: Exception | None) -> None:  # noqa: ANN401 -- as getaddrinfo has it
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(found)
