"""What a real server cannot be made to say: one fixed answer, then the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gate.core.model import Result
from tests.conftest import outcome, why_not


async def outcome_of(
    line: str, answer: bytes, *, greets: bool = False, stays: bool = False
) -> Result:
    """Return the result of *line*, `{port}` in it, against a server that says *answer*.

    It waits for a word from the client first, unless it *greets*, and hangs up then, unless
    it *stays*.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not greets:
            await reader.read(4096)
        writer.write(answer)
        with suppress(OSError):
            await writer.drain()
        while stays and await reader.read(4096):
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        return await outcome(line.format(port=server.sockets[0].getsockname()[1]))


async def reason_of(line: str, answer: bytes, **server: bool) -> str:
    """Return why *line* is not ready, as `outcome_of` does."""
    return (await outcome_of(line, answer, **server)).reason


async def reason_of_turns(line: str, *answers: bytes) -> str:
    """Return why *line* is not ready: each connection in turn has one of *answers*, the end."""
    left = iter(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(next(left))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        return await why_not(line.format(port=server.sockets[0].getsockname()[1]))


async def result_of_dialogue(
    line: str, answers: Mapping[bytes, bytes], *, last: bytes = b"", **more: Any
) -> Result:
    """Return the result of *line* against a server that has the *answers* to whole requests.

    It hangs up after the request *last*, and at any that it does not know.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await reader.read(4096)) in answers:
            writer.write(answers[request])
            if request == last:
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, **more)
    async with server:
        return await outcome(line.format(port=server.sockets[0].getsockname()[1]))


async def reason_of_silence(line: str) -> str:
    """Return why *line* is not ready where a server accepts connections and says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return (await outcome(f"{line.format(port=port)} timeout=50ms")).reason
