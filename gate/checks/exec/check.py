"""exec:COMMAND ARGS -- the command exits with 0, or one of `code=N[,M]`.

Written as one word: `"exec:pg_isready -h db"`. Words are split and quoted as in a shell, but there
is none, unless `shell` asks for `/bin/sh -c`. The command has gate's environment and no input; the
reason shows the last line of its output. When it ends, when time is up or gate stops, all of its
process group is killed.

Any other exit code means "no", and is what `until=down` waits for, except 126 and 127, by which
shells say that they could not run the command.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.checks.exec.output import Output
from gate.core import attempt
from gate.core.errors import Absent, CheckFailed
from gate.core.target import whole_number
from gate.runtime import orphans
from gate.runtime.threads import run_in_thread

if TYPE_CHECKING:
    from gate.core.target import Target

_NOT_RUN = frozenset({126, 127})
_HIGHEST = 255


@dataclass(frozen=True, slots=True)
class Exec:
    """Runs a command."""

    words: tuple[str, ...]
    codes: frozenset[int] = frozenset({0})

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the command exits with one of the codes."""
        attempt.enter_stage(f"running {self.words[0]}")
        with Output(asyncio.get_running_loop()) as output:
            process = self._start(output)
            try:
                end = await run_in_thread(_end, process)
            except BaseException:
                # The thread that waits for the end reaps what is killed here.
                _kill(process.pid)
                raise
            output.drain()
        self._judge(end, output.last_line())

    def _start(self, output: Output) -> subprocess.Popen[bytes]:
        name = self.words[0]
        try:
            # Returns when the command runs: some milliseconds, as with any fork.
            return subprocess.Popen(  # noqa: S603 -- the user's own command
                self.words,
                stdin=subprocess.DEVNULL,
                stdout=output.writer,
                stderr=output.writer,
                start_new_session=True,
            )
        except FileNotFoundError as exc:
            msg = f"command not found: {name}"
            raise CheckFailed(msg) from exc
        except OSError as exc:
            msg = f"{(exc.strerror or str(exc)).lower()}: {name}"
            raise CheckFailed(msg) from exc

    def _judge(self, end: os.waitid_result | None, last_line: str) -> None:
        said = f": {last_line}" if last_line else ""
        if end is None:
            msg = "its exit code went to another process"
            raise CheckFailed(msg)
        if end.si_code != os.CLD_EXITED:
            msg = f"killed by {_signal(end.si_status)}{said}"
            raise CheckFailed(msg)
        if end.si_status not in self.codes:
            kind = CheckFailed if end.si_status in _NOT_RUN else Absent
            msg = f"exit code {end.si_status}{said}"
            raise kind(msg)


def parse(target: Target) -> Exec:
    """Return the check that *target* describes."""
    command = target.url.path if target.url.is_opaque else ""
    words = _words(target, command)
    if target.flag("shell"):
        words = ["/bin/sh", "-c", command]
    if not command.strip() or not words or "\0" in command:
        target.problem('the URL wants a command; write "exec:COMMAND ARGS" as one word')
    return Exec(tuple(words), target.read("code", _codes, frozenset({0})))


def _words(target: Target, command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        target.problem("in the command a quote is opened and not closed")
        return [command]


def _codes(text: str) -> frozenset[int]:
    codes = frozenset(whole_number(part.strip()) for part in text.split(","))
    if max(codes) > _HIGHEST:
        msg = f"an exit code is not above {_HIGHEST}"
        raise ValueError(msg)
    return codes


def _end(process: subprocess.Popen[bytes]) -> os.waitid_result | None:
    """Wait for the end and return how it came; runs in a thread.

    The process stays a zombie until its group is killed, so that its number cannot be reused
    before. As PID 1, gate inherits the orphans of the group, and reaps them too.
    """
    with orphans.own(process.pid):
        try:
            end = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            _kill(process.pid)
            with suppress(ChildProcessError):
                while True:
                    os.waitpid(-process.pid, 0)
        except ChildProcessError:
            return None
        finally:
            # Nothing is left to wait for; it only learns that.
            process.wait()
    return end


def _kill(group: int) -> None:
    # It is gone already, or what is left belongs to another user.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
