"""A server that answers HTTP with given bytes: for states no real server can be put into."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h11

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def status(code: int, *header: str, body: str = "") -> bytes:
    """Return an answer of *code* with a length, and *header* lines."""
    lines = "".join(f"{line}\r\n" for line in header)
    head = f"HTTP/1.1 {code} x\r\n{lines}Content-Length: {len(body.encode())}\r\n\r\n"
    return (head + body).encode()


@dataclass
class Request:
    """What a client has asked."""

    method: str = ""
    target: str = ""
    header: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Served:
    """A running server: each connection gets the next of the answers, then the last again."""

    answers: list[bytes]
    port: int = 0
    keeps_open: bool = False
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            self.requests.append(request)
            writer.write(self.answers[min(len(self.requests), len(self.answers)) - 1])
            await writer.drain()
            if self.keeps_open:
                await reader.read()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request:
    connection = h11.Connection(h11.SERVER)
    request = Request()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(4096)
            if not data:
                raise EOFError
            connection.receive_data(data)
        elif isinstance(event, h11.Request):
            request.method, request.target = event.method.decode(), event.target.decode()
            request.header = {name.decode(): value.decode() for name, value in event.headers}
        elif isinstance(event, h11.Data):
            request.body += event.data
        else:
            return request


@asynccontextmanager
async def serving(
    *answers: bytes,
    tls: ssl.SSLContext | None = None,
    keeps_open: bool = False,
    unix: Path | None = None,
) -> AsyncIterator[Served]:
    """Serve *answers* on a free port of 127.0.0.1, or on the socket *unix*."""
    served = Served(list(answers), keeps_open=keeps_open)
    if unix is not None:
        server = await asyncio.start_unix_server(served.answer, unix)
    else:
        server = await asyncio.start_server(served.answer, "127.0.0.1", 0, ssl=tls)
        served.port = server.sockets[0].getsockname()[1]
    async with server:
        yield served


@asynccontextmanager
async def listening(
    says: bytes, *, tls: ssl.SSLContext | None = None, hangs_up: bool = False
) -> AsyncIterator[int]:
    """Yield the port of a server that says its piece at once, and stays unless it *hangs_up*."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(says)
            if not hangs_up:
                await reader.read()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def tunnelling() -> AsyncIterator[tuple[int, list[str]]]:
    """Be a proxy that connects wherever it is told; yield its port and the heads it was sent."""
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heads.append(head)
        host, _, port = head.split()[1].rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(4096):
            writer.write(data)
    except OSError:
        pass
    finally:
        writer.close()
