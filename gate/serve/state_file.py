"""The state file: remembers across a restart of the container that gate has opened.

The mark is bound to the sandbox of the pod: a rebooted node or a new sandbox does not inherit it.
"""

from __future__ import annotations

import os
from pathlib import Path

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_NETWORK = "/proc/self/ns/net"


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
