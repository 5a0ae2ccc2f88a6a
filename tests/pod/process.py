"""Local processes that stand for containers, exec probes and exec hooks.

Each gets a session of its own, so that all it started can be killed with it, as the kernel does
with a container's process namespace. (What calls setsid itself escapes; only a real namespace
would hold it.)
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_DRAIN_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Everything needed to start a process."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a command ended; stdout comes first, then stderr (fact 4.1)."""

    exit_code: int
    output: bytes


class Process:
    """A container's main process; `wait` must be running for its output to be read."""

    def __init__(
        self,
        child: asyncio.subprocess.Process,
        output: "_Output",
        on_line: Callable[[str], None],
    ) -> None:
        self._child = child
        self._output = output
        self._on_line = on_line

    @classmethod
    async def spawn(cls, launch: Launch, on_line: Callable[[str], None]) -> "Process":
        """Start *launch*; OSError if that cannot be done."""
        # The pipe is our own: with asyncio's, wait() lasts until a grandchild closes it too.
        read_end, write_end = os.pipe()
        try:
            output = await _Output.open(read_end)
            try:
                child = await _start(launch, stdout=write_end, stderr=write_end)
            except BaseException:
                output.transport.close()
                raise
        finally:
            os.close(write_end)
        return cls(child, output, on_line)

    async def wait(self) -> int:
        """Read the output until the process ends; return its code as a container runtime does."""
        pump = asyncio.create_task(self._pump())
        try:
            code = await self._child.wait()
            self.kill()
            await asyncio.wait([pump], timeout=_DRAIN_SECONDS)
        finally:
            pump.cancel()
            self._output.transport.close()
        return _container_code(code)

    def terminate(self) -> None:
        """Send SIGTERM to the main process only, as a runtime does."""
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the process and everything it started."""
        _kill_group(self._child.pid)

    async def _pump(self) -> None:
        rest = b""
        while chunk := await self._output.reader.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._on_line(line.decode(errors="replace"))
        if rest:
            self._on_line(rest.decode(errors="replace"))


@dataclass(frozen=True, slots=True)
class _Output:
    """The reading end of a pipe."""

    reader: asyncio.StreamReader
    transport: asyncio.BaseTransport

    @classmethod
    async def open(cls, read_end: int) -> "_Output":
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0)
        )
        return cls(reader, transport)


async def run(launch: Launch, limit: float | None, container_ended: asyncio.Event) -> Completed:
    """Run a command to its end; TimeoutError if that takes too long, OSError if it cannot start.

    It is killed when its container has ended, as it lives in that one's process namespace.
    """
    child = await _start(launch, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    watch = asyncio.create_task(_kill_after(container_ended, child.pid))
    try:
        async with asyncio.timeout(limit):
            out, err = await child.communicate()
    finally:
        watch.cancel()
        _kill_group(child.pid)
        # Reaps it, and lets go of the pipes, also after a timeout or a cancellation.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await child.communicate()
    return Completed(exit_code=_container_code(child.returncode or 0), output=out + err)


async def _kill_after(event: asyncio.Event, pid: int) -> None:
    await event.wait()
    _kill_group(pid)


async def _start(launch: Launch, *, stdout: int, stderr: int) -> asyncio.subprocess.Process:
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *launch.argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=launch.env,
            cwd=launch.cwd,
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # asyncio may hang when it is cancelled in the midst of this: let it have an end first.
        with contextlib.suppress(OSError):
            child = await starting
            _kill_group(child.pid)
            await child.wait()
        raise


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _container_code(code: int) -> int:
    return 128 - code if code < 0 else code
