"""Something done in a fork, which may hang, spin or die of it."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

LIVES, NOTICED, FAULT = 0, 1, 3
PATIENCE = 30.0
"""Seconds that one mutant may take: one that takes longer is noticed."""


def undisturbed(process: int | str = "self") -> float:
    """Return a time that stands still while *process* waits for a processor.

    Where others keep the machine busy, no test is slow by it and no mutant is late.
    """
    _, waited, _ = Path(f"/proc/{process}/schedstat").read_text().split()
    return time.monotonic() - int(waited) / 1e9


def forked(run: Callable[[], int], *, patience: float) -> int:
    """Return what *run* returns in a fork with a process group of its own, `NOTICED` if it dies.

    After *patience* seconds it is ended.
    """
    child = os.fork()
    if child == 0:
        _be_the_fork(run)
    watch, begun = os.pidfd_open(child), undisturbed(child)
    try:
        turn = min(1.0, patience)
        while not select.select([watch], [], [], turn)[0]:
            if undisturbed(child) - begun > patience:
                break
    finally:
        os.close(watch)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == FAULT:
        msg = "the fork itself has failed"
        raise RuntimeError(msg)
    return LIVES if code == LIVES else NOTICED


def _be_the_fork(run: Callable[[], int]) -> NoReturn:
    code = FAULT
    try:
        os.setsid()
        code = run()
    except BaseException:  # noqa: BLE001 -- whatever it is, nothing of the parent's goes on here
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        os._exit(code)


def silent() -> None:
    """Let nothing that this process writes be seen any more."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (1, 2):
        os.dup2(null, fd)
