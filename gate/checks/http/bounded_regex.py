"""A regular expression that cannot stop gate, whatever it is matched against.

Python's `re` holds the interpreter's lock while it matches, so neither a thread nor a timeout of
the loop bounds it. A pattern that can take long is matched in a process of its own, which is killed
when its time is up. That costs about 20 ms of CPU for an attempt; a pattern without a repetition is
matched in place.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.core import attempt, durations
from gate.core.errors import CheckFailed
from gate.runtime import orphans
from gate.runtime.threads import run_in_thread

if TYPE_CHECKING:
    import re

_REPETITIONS = frozenset("*+{")
_FORKS = frozenset("?|")
_MOST_FORKS = 8
"""Of a pattern that is matched in place: each one may double the work."""
_MATCHES, _DIFFERS = 0, 3
_PROGRAM = f"""
import re, resource, sys
data = sys.stdin.buffer.read()
seconds, length = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
pattern = data[8 : 8 + length].decode("utf-8", "surrogateescape")
text = data[8 + length :].decode("utf-8", "replace")
sys.exit({_MATCHES} if re.search(pattern, text) else {_DIFFERS})
"""
"""Limits its own CPU too, so that it ends even where gate itself is killed meanwhile."""


@dataclass(frozen=True, slots=True)
class BoundedRegex:
    """Searches for `pattern` for at most `seconds`."""

    pattern: re.Pattern[str]
    seconds: float = 1.5

    async def is_in(self, body: bytes) -> bool:
        """Whether *body* holds it; raises `CheckFailed` where that takes too long."""
        if is_fast(self.pattern.pattern):
            return self.pattern.search(body.decode(errors="replace")) is not None
        attempt.enter_stage("body-regex")
        process = _start()
        try:
            code: int | None = await run_in_thread(_end, process, self._task(body), self.seconds)
        finally:
            # The thread that waits for its end reaps it.
            with suppress(ProcessLookupError):
                process.kill()
        if code not in {_MATCHES, _DIFFERS}:
            limit = durations.show(self.seconds)
            msg = f"body: body-regex takes longer than {limit} on this answer; make it simpler"
            raise CheckFailed(msg)
        return code == _MATCHES

    def _task(self, body: bytes) -> bytes:
        pattern = self.pattern.pattern.encode(errors="surrogateescape")
        numbers = (int(self.seconds) + 1, len(pattern))
        return b"".join(number.to_bytes(4, "big") for number in numbers) + pattern + body


def is_fast(pattern: str) -> bool:
    """Whether *pattern* cannot take long: nothing in it repeats, and few parts are optional."""
    forks = sum(char in _FORKS for char in pattern)
    return _REPETITIONS.isdisjoint(pattern) and forks <= _MOST_FORKS


def _start() -> subprocess.Popen[bytes]:
    """Start the process; that takes some milliseconds, as with any fork."""
    return subprocess.Popen(  # noqa: S603 -- gate's own interpreter
        [sys.executable, "-I", "-S", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _end(process: subprocess.Popen[bytes], task: bytes, seconds: float) -> int | None:
    """Hand over *task*, wait for the end and return the exit code; None: it took too long."""
    with orphans.own(process.pid), process:
        try:
            process.communicate(task, timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return None
        return process.returncode
