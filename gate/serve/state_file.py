"""The state file: remembers across a restart of the container that gate has opened.

The mark is bound to the sandbox of the pod: a rebooted node or a new sandbox does not inherit it.
But the sandbox outlives a restart of *all* containers (`restartPolicyRules` with the action
`RestartAllContainers`), after which gate has to wait again. So a plain init container in front runs
`gate forget`: it runs anew exactly when all containers do.

The file is in a volume that other containers may write, so nothing in its place makes gate hang or
write elsewhere: a link, a FIFO or a folder is an error that is reported.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_NETWORK = "/proc/self/ns/net"
_LONGEST = 512
"""Bytes that are read: a mark is shorter."""


def sandbox() -> str:
    """Return what tells this pod sandbox from another: boot and network namespace.

    With hostNetwork every sandbox of the node has the same network namespace. Raises `OSError`.
    """
    with open(_BOOT_ID, encoding="ascii") as file:  # noqa: PTH123 -- pathlib is dear at the start
        boot = file.read().strip()
    return f"{boot} {os.readlink(_NETWORK)}"  # noqa: PTH115 -- a text, not a path


def has_opened(path: str) -> bool:
    """Whether a gate has opened before in this sandbox; raises `OSError`.

    A mark of another sandbox, or one that cannot be understood, is none.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        return os.read(file, _LONGEST).decode(errors="replace").strip() == sandbox()
    finally:
        os.close(file)


def mark_opened(path: str) -> None:
    """Leave the mark for a gate that restarts in this sandbox; raises `OSError`.

    Written aside and renamed, so that a gate killed in the middle leaves no half of it.
    """
    aside = f"{path}.new"
    with suppress(FileNotFoundError):
        os.unlink(aside)  # noqa: PTH108 -- a text
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(aside, flags, 0o644)
    try:
        os.write(file, f"{sandbox()}\n".encode())
    finally:
        os.close(file)
    os.replace(aside, path)  # noqa: PTH105 -- a text


def forget(path: str) -> None:
    """Remove the mark, if there is one; raises `OSError`."""
    for name in (path, f"{path}.new"):
        with suppress(FileNotFoundError):
            os.unlink(name)  # noqa: PTH108 -- a text


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
