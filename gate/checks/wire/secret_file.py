"""Passwords and tokens in files: read at each attempt, because they rotate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.checks.wire.regular_file import opened, reading
from gate.core import attempt
from gate.core.errors import CheckFailed

if TYPE_CHECKING:
    from gate.core.target import Target

_LONGEST = 64 * 1024


async def read(path: str, option: str, *, is_secret: bool = True) -> str:
    """Return the text in the file at *path*, without the line break at its end.

    Raises `CheckFailed` naming *option* if it cannot be read: a mounted Secret may come late, or be
    empty at first. The text is registered as a secret of the attempt, unless it is none.
    """
    try:
        content: bytes = await reading(option, _content, path)
        text = content.decode().rstrip("\r\n")
    except CheckFailed as exc:
        msg = f"{option}: {path} {exc}"
        raise CheckFailed(msg) from exc
    except (OSError, UnicodeDecodeError) as exc:
        why = (exc.strerror or "").lower() if isinstance(exc, OSError) else "not UTF-8 text"
        msg = f"{option}: cannot read {path}: {why}"
        raise CheckFailed(msg) from exc
    if not text or len(content) > _LONGEST:
        msg = f"{option}: {path} is {'longer than 64 KiB' if text else 'empty'}"
        raise CheckFailed(msg)
    if is_secret:
        attempt.keep_secret(text)
    return text


def _content(path: str) -> bytes:
    with opened(path) as file:
        return file.read(_LONGEST + 1)


def path_option(target: Target, key: str) -> str:
    """Return the absolute path that the option *key* names, empty where it is not given."""
    path = target.text(key)
    if path and (not path.startswith("/") or "\0" in path):
        target.problem(f"{key}: wants an absolute path")
    target.keep_path(path)
    return path
