"""The signals that end gate: the loop heeds them; a thread leaves where the loop cannot.

A check of another package may block the loop, against the contract: it sleeps, computes, or looks a
name up by a library of its own. The pod would then take its whole grace period to end. A signal is
noted by the interpreter in a pipe at once, even where Python code cannot run, and a thread reads
that. Only a library in C that never lets go of the interpreter's lock holds up the thread, too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TURN, TURNS = 0.015, 7
"""The loop has so many turns of so many seconds to heed a signal: gate ends within 200 ms.

Turns are counted, not the time: a process that gets little CPU gets few of them.
"""
MORE_TURNS = 66
"""Once it has heeded it, to end in good order: a check may refuse to be cancelled."""


def settle(exit_code: asyncio.Future[int], code: int) -> None:
    """Settle *exit_code* with *code*, unless something else came first."""
    if not exit_code.done():
        exit_code.set_result(code)


@contextmanager
def exit_code_on_signal(
    codes: Mapping[signal.Signals, int], tell: Callable[[str], object]
) -> Iterator[asyncio.Future[int]]:
    """Yield a future that the signals of *codes* settle with their exit codes.

    Where the loop does not heed one, the process leaves with that code all the same. *tell* is
    called before, with what the loop is busy with, from another thread.
    """
    loop = asyncio.get_running_loop()
    exit_code: asyncio.Future[int] = loop.create_future()
    handlers = {number: signal.getsignal(number) for number in codes}
    guard = _Guard(exit_code, {int(number): code for number, code in codes.items()}, tell)
    is_guarded = guard.begin()
    for number, code in codes.items():
        if is_guarded:
            signal.signal(number, lambda *_, code=code: _settle_soon(exit_code, code))
            signal.siginterrupt(number, False)
        else:
            # Not always: it imports `inspect`, which is half a megabyte.
            loop.add_signal_handler(number, settle, exit_code, code)
    try:
        yield exit_code
    finally:
        guard.end()
        for number, handler in handlers.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def _settle_soon(exit_code: asyncio.Future[int], code: int) -> None:
    exit_code.get_loop().call_soon_threadsafe(settle, exit_code, code)


class _Guard(threading.Thread):
    """Sees to it that a signal ends the process, whatever the loop does."""

    def __init__(
        self,
        exit_code: asyncio.Future[int],
        codes: Mapping[int, int],
        tell: Callable[[str], object],
    ) -> None:
        super().__init__(name="signals", daemon=True)
        self._exit_code = exit_code
        self._codes = codes
        self._tell = tell
        self._is_over = threading.Event()
        self._read, self._pipe = socket.socketpair()
        self._pipe.setblocking(False)
        self._before = -1

    def begin(self) -> bool:
        """Take the interpreter's pipe over; return whether a thread was to be had for that."""
        try:
            self.start()
        except RuntimeError:
            return False
        self._before = signal.set_wakeup_fd(self._pipe.fileno(), warn_on_full_buffer=False)
        return True

    def end(self) -> None:
        """Give it back: the loop has come to its end by itself."""
        self._is_over.set()
        if self.ident:
            signal.set_wakeup_fd(self._before)
        self._pipe.close()
        if self.ident:
            self.join()
        self._read.close()

    def run(self) -> None:
        """Read what signals come; runs in the thread."""
        # Signals are for the main thread: one that came here just before an exec would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, self._codes)
        while number := self._read.recv(1):
            with suppress(RuntimeError):  # It has been closed.
                # It may sleep, and handlers run in its thread once it is awake.
                self._exit_code.get_loop().call_soon_threadsafe(lambda: None)
            if (code := self._codes.get(number[0])) is not None:
                self._leave(code)

    def _leave(self, code: int) -> None:
        """Leave with *code*, unless the loop comes to its end in time."""
        interval = sys.getswitchinterval()
        # Where the loop computes, this thread would wait as long as that again and again.
        sys.setswitchinterval(interval / 10)
        is_heeded = any(self._is_over.wait(TURN) or self._exit_code.done() for _ in range(TURNS))
        if is_heeded and any(self._is_over.wait(TURN) for _ in range(MORE_TURNS)):
            sys.setswitchinterval(interval)
            return
        self._tell(_where())
        os._exit(code)


def _where() -> str:
    """Return the place at which the main thread is."""
    ident = threading.main_thread().ident
    frame = sys._current_frames().get(ident or 0)  # noqa: SLF001 -- documented under this name
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""
