"""Reading regular files; a FIFO in their place or a hanging mount delays nothing else."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from gate.core import attempt
from gate.core.errors import CheckFailed
from gate.runtime.threads import run_in_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


async def reading(what: str, call: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401 -- any call
    """Return `call(*args)`, made in a thread; in the meantime the stage is to read *what*."""
    doing = attempt.current_stage()
    attempt.enter_stage(f"reading {what}")
    found = await run_in_thread(call, *args)
    attempt.enter_stage(doing)
    return found


def opened(path: str) -> BinaryIO:
    """Return the regular file at *path*; raises `CheckFailed` if it is none, and `OSError`.

    For a thread: it may hang.
    """
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 -- for the caller to close
    try:
        demand(os.fstat(file.fileno()))
    except BaseException:
        file.close()
        raise
    return file


def demand(found: os.stat_result) -> os.stat_result:
    """Return *found*; raises `CheckFailed` unless it is of a regular file."""
    if stat.S_ISDIR(found.st_mode):
        msg = "is a directory"
        raise CheckFailed(msg)
    if not stat.S_ISREG(found.st_mode):
        msg = "is not a regular file"
        raise CheckFailed(msg)
    return found


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
