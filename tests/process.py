"""gate as a real process: started, read line by line, asked over HTTP, stopped."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.canary import CANARY, look
from tests.conftest import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GATE = [sys.executable, "-m", "gate"]
PATIENCE = 20.0
"""Seconds after which something that should have happened has not."""
UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""For a gate that does not note what of it is covered: that takes CPU, most of it at the end."""


class Answer:
    """Status, headers and body of an HTTP answer."""

    def __init__(self, status: int, headers: Mapping[str, str], body: str) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class GateProcess:
    """A running `gate`, its environment nothing but what is given."""

    def __init__(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        program: Sequence[str] = GATE,
    ) -> None:
        self.port = free_port()
        self.lines: list[str] = []
        self._env = dict(env or {})
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            [*program, *arguments],
            env=environment(self.port, env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            look("the log", line)
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def until(self, text: str) -> str:
        """Return the next line that holds *text*; fails when the process ends before."""
        end = time.monotonic() + PATIENCE
        with suppress(queue.Empty):
            while (line := self._queue.get(timeout=max(0.01, end - time.monotonic()))) is not None:
                self.lines.append(line)
                if text in line:
                    return line
        message = f"no line with {text!r} in:\n" + "\n".join(self.lines)
        raise AssertionError(message)

    def event(self, name: str) -> dict[str, Any]:
        """Return the next log event called *name*."""
        found: dict[str, Any] = json.loads(self.until(f'"event": "{name}"'))
        return found

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Return gate's answer; header names are written with _ for -."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            answer = connection.getresponse()
            body = answer.read().decode()
            look(path, f"{answer.headers}{body}")
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)
        finally:
            connection.close()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        """Return the exit code, when it has ended by itself."""
        code = self._process.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        while not self._queue.empty():
            line = self._queue.get()
            if line is not None:
                self.lines.append(line)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # By SIGTERM if it heeds it, so that what it has covered is written down.
        self._process.terminate()
        try:
            self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._look_at_files()

    def _look_at_files(self) -> None:
        for setting in ("GATE_TERMINATION_LOG", "GATE_STATE_FILE"):
            path = Path(self._env.get(setting, ""))
            if path.is_file():
                look(setting, path.read_bytes())


def environment(port: int, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without any setting of the machine's, serving on *port*.

    It holds a secret of the app's, which is none of gate's business.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATE_")}
    return {**kept, "APP_PASSWORD": CANARY, "GATE_LISTEN": f":{port}", **(env or {})}


def run_gate(
    *arguments: str, env: Mapping[str, str] | None = None, stdin: str = ""
) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of a `gate` that ends by itself."""
    done = subprocess.run(
        [*GATE, *arguments],
        check=False,
        env=environment(free_port(), env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    look(f"gate {arguments[0] if arguments else ''}", done.stdout + done.stderr)
    return done.returncode, done.stdout, done.stderr


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    """Have something accept connections on a port of 127.0.0.1, and yield the port."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(64)
        yield sock.getsockname()[1]
