"""gate's image as a container, run by podman as the manifests in examples/ ask for."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from tests.conftest import free_port

IMAGE = "TEST_IMAGE"
"""The variable that names the image; with -lean appended, the one without extras."""
PATIENCE = 20.0
STRICT = (
    "--pull=never",
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
)

Answer = tuple[int, str]


def podman(*arguments: str, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
    """Return what a podman command wrote and how it ended."""
    return subprocess.run(
        ["podman", *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def asked(*arguments: str) -> str:
    """Return what a podman command that must work prints."""
    done = podman(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def run_gate(
    *arguments: str, options: Sequence[str] = (), image: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Return what a container that ends by itself wrote, and its exit code."""
    name = image or os.environ[IMAGE]
    return podman("run", "--rm", *STRICT, *options, name, *arguments)


@contextmanager
def image_files(image: str | None = None) -> Iterator[Path]:
    """Yield the image's root folder."""
    name = image or os.environ[IMAGE]
    try:
        yield Path(asked("image", "mount", name))
    finally:
        asked("image", "unmount", name)


class Container:
    """A container that runs until the end of the block; serves on a port of the host."""

    def __init__(
        self, *arguments: str, env: Mapping[str, str], options: Sequence[str] = ()
    ) -> None:
        self.port = free_port()
        given = {"GATE_LISTEN": f":{self.port}", **env}
        variables = [f"--env={name}={value}" for name, value in given.items()]
        image = os.environ[IMAGE]
        self._id = asked("run", "--detach", *STRICT, *variables, *options, image, *arguments)

    @property
    def pid(self) -> int:
        """The process outside of the container, where podman's own time does not count."""
        return int(asked("inspect", "--format={{.State.Pid}}", self._id))

    @property
    def log(self) -> str:
        """What gate has written so far, on both streams."""
        done = podman("logs", self._id)
        return done.stdout + done.stderr

    def until(self, text: str) -> str:
        """Return the log when *text* has come up in it."""
        end = time.monotonic() + PATIENCE
        while text not in (log := self.log):
            assert time.monotonic() < end, f"no {text!r} in:\n{log}"
            time.sleep(0.05)
        return log

    def until_it_listens(self) -> None:
        """Return when the port takes connections, which is before the heavy imports."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError(self.log)

    def ask(self, path: str) -> Answer:
        """Return status and body, asked from outside of the container."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, as an exec probe or a hook does."""
        return podman("exec", self._id, *command)

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM; return the exit code and the seconds until the process was gone."""
        pid = self.pid
        gone = os.pidfd_open(pid)
        try:
            began = time.monotonic()
            os.kill(pid, signal.SIGTERM)
            is_gone, _, _ = select.select([gone], [], [], PATIENCE)
            took = time.monotonic() - began
        finally:
            os.close(gone)
        assert is_gone
        return self.end(), took

    def end(self) -> int:
        """Return the exit code, when it has ended by itself."""
        return int(asked("wait", self._id))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        podman("rm", "--force", "--time=0", self._id)
