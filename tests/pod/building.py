"""Small pods and a scripted server for tests of the player."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Fields = dict[str, Any]
_PACE = {"periodSeconds": 0.05, "timeoutSeconds": 30}
Answer = bytes | Callable[[str], Awaitable[bytes]]

FOREVER = "exec sleep 1000"
PATIENCE = 60
"""Seconds after which something that should have happened has not."""


def pod(*containers: Fields, **spec: Any) -> Fields:
    """Return a Pod; containers made by `main` go to `containers`, all others before them."""
    mains = [each for each in containers if each["kind"] == "main"]
    inits = [each for each in containers if each["kind"] != "main"]
    sections = {"initContainers": _bare(inits), "containers": _bare(mains)}
    return {"kind": "Pod", "metadata": {"name": "demo"}, "spec": {**sections, **spec}}


def _bare(containers: list[Fields]) -> list[Fields]:
    return [{key: each[key] for key in each if key != "kind"} for each in containers]


def main(name: str, script: str = FOREVER, /, **fields: Any) -> Fields:
    """Return a main container that runs a shell script."""
    return {"kind": "main", "name": name, "command": ["sh", "-c", script], **fields}


def init(name: str, script: str, **fields: Any) -> Fields:
    """Return a regular init container that runs a shell script."""
    return {"kind": "init", "name": name, "command": ["sh", "-c", script], **fields}


def sidecar(name: str, script: str = FOREVER, /, **fields: Any) -> Fields:
    """Return a native sidecar that runs a shell script."""
    return {**init(name, script, **fields), "restartPolicy": "Always"}


def python(code: str) -> list[str]:
    """Return a command that runs Python code."""
    return [sys.executable, "-c", code]


def http(port: int | str, path: str = "/", **fields: Any) -> Fields:
    """Return an httpGet probe that is sent often and waits long for its answer."""
    return {"httpGet": {"port": port, "path": path}, **_PACE, **fields}


def command(script: str, **fields: Any) -> Fields:
    """Return an exec probe that runs a shell script, often, and waits long for its end."""
    return {"exec": {"command": ["sh", "-c", script]}, **_PACE, **fields}


def reply(status: int, body: str = "", *headers: str) -> bytes:
    """Return an HTTP answer with an exact Content-Length."""
    head = [f"HTTP/1.1 {status} Any", f"Content-Length: {len(body)}", *headers, "", body]
    return "\r\n".join(head).encode()


class Lifeline:
    """A fifo that processes hold open: it ends when the last of them is gone."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    async def begun(self) -> None:
        """Wait until something was written."""
        loop, is_written = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._reading, is_written.set)
        try:
            async with asyncio.timeout(PATIENCE):
                await is_written.wait()
        finally:
            loop.remove_reader(self._reading)

    async def end(self) -> bytes:
        """Wait until nobody has it open any more; return what was written."""
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(self._reading, "rb", 0)
        )
        try:
            async with asyncio.timeout(PATIENCE):
                return await reader.read()
        finally:
            transport.close()


@dataclass(slots=True)
class Server:
    """Stands for what a container serves; the test decides each answer."""

    answer: Answer
    port: int = 0
    requests: list[str] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    keeps_open: bool = False
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [request.split(" ")[1] for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        self.tasks.add(_this_task())
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(request)
            answer = self.answer
            writer.write(answer if isinstance(answer, bytes) else await answer(request))
            if self.keeps_open:
                await reader.read()
            writer.close()
            await writer.wait_closed()
        except (OSError, EOFError):
            return
        finally:
            self.open -= 1
            writer.transport.abort()
            self.tasks.discard(_this_task())


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


@asynccontextmanager
async def serving(answer: Answer, host: str = "127.0.0.2") -> AsyncIterator[Server]:
    """Serve *answer* on a free port."""
    server = Server(answer)
    listener = await asyncio.start_server(server.serve, host, 0)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield server
        await _end(server.tasks)


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    """End held requests: the listener would wait for them, and the loop must not outlive them."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
