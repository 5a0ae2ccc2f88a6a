"""The files gate writes: the termination message and the mark that it has opened.

Both are for the kubelet or for the next gate in this container's place; neither is worth
failing for, so what cannot be written is told once and then let be.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gate import wording
from gate.config.settings import TERMINATION_LOG

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.model import Snapshot, Transition

MESSAGE_LIMIT = 4096
"""Bytes of a termination message that the kubelet reads (fact 8.2)."""

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_NETWORK = "/proc/self/ns/net"


def termination_path(setting: str | None) -> str | None:
    """Return where the termination message goes; None: nowhere.

    Without a *setting* it is the kubelet's default, where that is a file one may write.
    """
    if setting == "off":
        return None
    if setting is None:
        usable = os.path.isfile(TERMINATION_LOG) and os.access(TERMINATION_LOG, os.W_OK)  # noqa: PTH113 -- as os.access
        return TERMINATION_LOG if usable else None
    return setting


def write_message(path: str, text: str) -> None:
    """Put *text* into the file at *path*; raises `OSError`.

    In place, not by renaming: the file is a mount (fact 8.1).
    """
    encoded = wording.cut(text, MESSAGE_LIMIT).encode(errors="replace")
    # Emptied last, not first: ext4 flushes a file that was emptied when it is closed, which
    # takes milliseconds of a loop that others wait for.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.truncate(file, os.write(file, encoded))
    finally:
        os.close(file)


class TerminationMessage:
    """Keeps the termination message saying what is waited for: it is there after SIGKILL."""

    def __init__(self, path: str, complain: Callable[[OSError], None]) -> None:
        self._path = path
        self._complain = complain
        self._written: str | None = None
        self._is_broken = False

    def observe(self, _: Transition, snapshot: Snapshot) -> None:
        """Write what holds the gate, when that has changed; empty once it is open."""
        text = "" if snapshot.is_open else wording.brief(snapshot)
        if text == self._written or self._is_broken:
            return
        try:
            write_message(self._path, text)
        except OSError as exc:
            self._is_broken = True
            self._complain(exc)
        self._written = text


def sandbox() -> str:
    """Return what tells this pod sandbox from another: boot and network namespace (fact 1.15).

    With hostNetwork every sandbox of the node has the same network namespace. Raises `OSError`.
    """
    boot = Path(_BOOT_ID).read_text(encoding="ascii").strip()
    return f"{boot} {os.readlink(_NETWORK)}"  # noqa: PTH115 -- a text, not a path


def has_opened(path: str) -> bool:
    """Whether a gate has opened before in this sandbox; raises `OSError`.

    A mark of another sandbox, or one that cannot be understood, is none.
    """
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip() == sandbox()
    except FileNotFoundError:
        return False


def mark_opened(path: str) -> None:
    """Leave the mark for a gate that restarts in this sandbox; raises `OSError`.

    Written aside and renamed, so that a gate killed in the middle leaves no half of it.
    """
    aside = Path(f"{path}.new")
    aside.write_text(sandbox() + "\n", encoding="ascii")
    aside.replace(path)


def why_unusable(path: str) -> str:
    """Return why no mark can be kept at *path*, empty if one can."""
    folder = os.path.dirname(path)  # noqa: PTH120 -- a text
    if not os.path.isdir(folder):  # noqa: PTH112 -- a text
        return f"there is no folder {folder}; mount an emptyDir there"
    if os.path.isdir(path):  # noqa: PTH112 -- a text
        return f"{path} is a folder; name a file in it"
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        return f"the folder {folder} cannot be written; mount an emptyDir there"
    return ""
