"""Blocking calls in daemon threads: one that hangs delays nothing, not even the exit."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

_Call = tuple[Any, ...]
_Calls = dict[_Call, "asyncio.Future[Any]"]

_under_way: WeakKeyDictionary[asyncio.AbstractEventLoop, _Calls] = WeakKeyDictionary()


async def run_in_thread(call: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401 -- any call
    """Return `call(*args)`, made in a daemon thread; raises what it raises.

    Callers of the same call with the same arguments share the one that is under way. A caller that
    gives up leaves it to the next attempt, so at most one thread hangs for each call, however often
    it is tried.
    """
    loop = asyncio.get_running_loop()
    calls = _under_way.setdefault(loop, {})
    key = (call, *args)
    future = calls.get(key)
    if future is None:
        future = loop.create_future()
        # Shared with others only once the thread runs: where no thread can be started, this raises.
        _Thread(loop, future, key).start()
        calls[key] = future
        # The caller may have given up, so an error that nobody retrieves is fine.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        future.add_done_callback(lambda _: calls.pop(key))
    await asyncio.wait([future])
    return future.result()


class _Thread(threading.Thread):
    def __init__(
        self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], key: _Call
    ) -> None:
        super().__init__(name="aside", daemon=True)
        self._loop = loop
        self._future = future
        self._key = key

    def run(self) -> None:
        # Signals are for the main thread: one that came here just before an exec would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        found: Any = None
        error: Exception | SystemExit | None = None
        call, *args = self._key
        try:
            found = call(*args)
        except (Exception, SystemExit) as exc:  # noqa: BLE001 -- raised again where it was asked for
            error = exc
        # A call that outlives its loop has nobody to report to.
        if not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(_settle, self._future, found, error)
            except RuntimeError:
                return


def _settle(future: asyncio.Future[Any], found: Any, error: Exception | SystemExit | None) -> None:  # noqa: ANN401 -- any result
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(found)
