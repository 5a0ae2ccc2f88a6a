"""A server of a test's own: a process with a log, ended by the test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds a server may take to come up or to end."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A server under way, with its port and what it has logged."""

    port: int
    process: subprocess.Popen[bytes]
    log_file: Path

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def logs(self, text: str) -> bool:
        return text in self.log()


@contextmanager
def started(
    command: Sequence[str], *, port: int, log_file: Path, env: Mapping[str, str] | None = None
) -> Iterator[Daemon]:
    """Start *command*, its output in *log_file*, and end it at the end."""
    with (
        log_file.open("ab") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=env) as process,
    ):
        try:
            yield Daemon(port, process, log_file)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()


@contextmanager
def running(
    command: Sequence[str], *, port: int, log_file: Path, is_up: Callable[[], bool], **more: Any
) -> Iterator[Daemon]:
    """Start *command* and wait until *is_up*."""
    with started(command, port=port, log_file=log_file, **more) as daemon:
        until(lambda: is_up() or daemon.process.poll() is not None)
        assert daemon.process.poll() is None, daemon.log()
        yield daemon


def until(is_so: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Ask *is_so* again and again until it is; fails after *seconds*."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.02)


def says(command: Sequence[str], text: str = "") -> bool:
    """Whether *command* ends well and its output holds *text*."""
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    return done.returncode == 0 and text in done.stdout.decode()
