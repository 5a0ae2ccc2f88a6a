"""The command after `--`, which replaces gate once all is ready."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, NoReturn

from gate.core import command_line
from gate.core.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def check(command: Sequence[str]) -> None:
    """Raise `UsageError` if *command* cannot be a command, before the wait rather than after it."""
    if not command:
        msg = "nothing stands after --; name the command to become"
    elif not command[0]:
        msg = "the command after -- is empty; is a variable in it not set?"
    elif command_line.is_url(command[0]):
        msg = "after -- stands a dependency; name the command to become there"
    else:
        return
    raise UsageError(msg)


def exec_command(command: list[str]) -> NoReturn:
    """Replace this process; raises `CommandError`."""
    # Python ignores these signals, and an ignored signal stays ignored after exec.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 -- that is the purpose
    except FileNotFoundError as exc:
        msg = f"{command[0]}: command not found"
        raise CommandError(msg, 127) from exc
    except OSError as exc:
        msg = f"{command[0]}: cannot be run: {(exc.strerror or str(exc)).lower()}"
        raise CommandError(msg, 126) from exc
