"""The termination message: what gate waits for, kept in the file that the kubelet reads.

The file is rewritten while gate waits, so that the reason is there even after SIGKILL. A file that
cannot be written is reported once and then left alone: it is not worth failing for.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gate.config.settings import TERMINATION_LOG
from gate.report import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.core.model import Snapshot, Transition

MESSAGE_LIMIT = 4096
"""Longest termination message that the kubelet reads, in bytes."""


def termination_path(setting: str | None) -> str | None:
    """Return where the termination message goes; None: nowhere.

    Without a *setting* it is the kubelet's default path, if that is a writable file.
    """
    if setting == "off":
        return None
    if setting is None:
        usable = os.path.isfile(TERMINATION_LOG) and os.access(TERMINATION_LOG, os.W_OK)  # noqa: PTH113 -- as os.access
        return TERMINATION_LOG if usable else None
    return setting


def write_message(path: str, text: str) -> None:
    """Put *text* into the file at *path*; raises `OSError`.

    It is written in place, not by renaming, because the kubelet mounts the file itself. A FIFO in
    its place is an error, not waited for.
    """
    encoded = plain_text.cut(text, MESSAGE_LIMIT).encode(errors="replace")
    # Truncated last, not first: ext4 flushes a truncated file when it is closed, which blocks the
    # loop for milliseconds.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    try:
        os.truncate(file, os.write(file, encoded))
    finally:
        os.close(file)


class TerminationMessage:
    """Keeps the termination message up to date, so that it is there even after SIGKILL."""

    def __init__(self, path: str, complain: Callable[[OSError], None]) -> None:
        self._path = path
        self._complain = complain
        self._written: str | None = None
        self._is_broken = False

    def observe(self, _: Transition, snapshot: Snapshot) -> None:
        """Write what holds the gate, if that has changed; the file is emptied at the opening."""
        text = "" if snapshot.is_open else plain_text.brief(snapshot)
        if text == self._written or self._is_broken:
            return
        try:
            write_message(self._path, text)
        except OSError as exc:
            self._is_broken = True
            self._complain(exc)
        self._written = text
