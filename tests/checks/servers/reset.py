"""What a real server seldom does: to hear something, and reset the connection."""

from __future__ import annotations

import asyncio
import socket
import struct

from tests.conftest import why_not

_RESET = struct.pack("ii", 1, 0)


async def reason_of_reset(line: str, *, greeting: bytes = b"", hears: int = 1) -> str:
    """Return why *line*, `{port}` in it, is not ready: the server greets, hears, resets.

    It hears as many times as *hears* says, and answers `N` to all but the last.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        for number in range(hears):
            await reader.read(4096)
            writer.write(b"N" if number < hears - 1 else b"")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
        return await why_not(line.format(port=listener.sockets[0].getsockname()[1]))
