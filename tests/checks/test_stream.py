from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from gate.checks.wire.stream import Endpoint
from gate.checks.wire.tls_options import Tls
from tests.conftest import run


def test_a_final_dot_is_not_part_of_the_name_in_the_certificate(
    server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        writer.close()

    async def main() -> bytes:
        async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server_tls) as server:
            port = server.sockets[0].getsockname()[1]
            endpoint = Endpoint(host="localhost.", port=port, tls=Tls(ca=str(ca_file)))
            async with endpoint.open() as talk:
                return await talk.line()

    assert run(main()) == b"hello"


def test_nor_is_it_where_tls_begins_in_the_middle(
    server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    async def turn_to_tls(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"now TLS\n")
        await writer.start_tls(server_tls)
        writer.write(b"hello\n")
        writer.close()

    async def main() -> bytes:
        async with await asyncio.start_server(turn_to_tls, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with Endpoint(host="localhost.", port=port).open() as talk:
                await talk.line()
                await talk.start_tls(Tls(ca=str(ca_file)), "localhost.")
                return await talk.line()

    assert run(main()) == b"hello"
