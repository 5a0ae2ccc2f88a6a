"""unix:///path -- a connection to the socket is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from gate.checks.wire.dial import dial_unix

if TYPE_CHECKING:
    from gate.core.target import Target


@dataclass(frozen=True, slots=True)
class Unix:
    """Opens a connection to a unix socket and closes it."""

    path: str

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless a connection is accepted."""
        (await dial_unix(self.path)).close()


def parse(target: Target) -> Unix:
    """Return the check that *target* describes."""
    path = unquote(target.url.path)
    if target.url.hosts or not path.startswith("/") or "\0" in path:
        target.problem("the URL wants an absolute path; write unix:///run/app.sock")
    target.wants_only("unix:///run/app.sock", is_path_read=True)
    target.keep_path(path)
    return Unix(path)
