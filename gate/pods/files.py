"""The files of manifests that a command is given, and the version of the cluster."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from gate.core.errors import UsageError

if TYPE_CHECKING:
    from typing import BinaryIO

_LATEST_KNOWN = 99


def read(name: str, stdin: BinaryIO) -> tuple[str, str]:
    """Return the name to show and the text of a file, `-` for *stdin*; raises `UsageError`."""
    try:
        if name != "-":
            return name, Path(name).read_bytes().decode()
        text = stdin.read().decode()
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        msg = f"{name}:{line}: not a text in UTF-8"
        raise UsageError(msg) from exc
    except (OSError, ValueError) as exc:
        reason = (getattr(exc, "strerror", None) or str(exc)).lower()
        hint = "; name the files in it" if getattr(exc, "errno", 0) == errno.EISDIR else ""
        msg = f"{name}: {reason}{hint}"
        raise UsageError(msg) from exc
    if not text.strip():
        msg = "nothing came on standard input; did the command before the pipe fail?"
        raise UsageError(msg)
    return "stdin", text


def version(text: str | None) -> tuple[int, int] | None:
    """Return major and minor of `1.29`, `v1.29.3`, `1.29+`; raises `UsageError`."""
    if text is None:
        return None
    major, _, minor = text.removeprefix("v").partition(".")
    minor = minor.partition(".")[0].removesuffix("+")
    if major != "1" or not minor.isascii() or not minor.isdigit() or int(minor) > _LATEST_KNOWN:
        msg = f"--kubernetes-version {text}: want a version such as 1.29"
        raise UsageError(msg)
    return int(major), int(minor)
