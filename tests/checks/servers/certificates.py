"""Certificates with a fault, and servers that present them."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import SHUT_WR, create_server, socket

import trustme

from tests.checks.servers.daemon import PATIENCE


def context(
    authority: trustme.CA, *names: str, days: float = 30, clients: trustme.CA | None = None
) -> ssl.SSLContext:
    """Return TLS for a server of *names*, valid for *days*; *clients* makes it ask for theirs."""
    expiry = datetime.now(UTC) + timedelta(days=days)
    start = min(datetime.now(UTC), expiry) - timedelta(days=1)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_before=start, not_after=expiry).configure_cert(made)
    if clients is not None:
        clients.configure_trust(made)
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def write_client(authority: trustme.CA, folder: Path) -> tuple[Path, Path]:
    """Write a client's certificate and key; return their paths."""
    made = authority.issue_cert("client@example.com")
    cert, key = folder / "client.pem", folder / "client.key"
    made.cert_chain_pems[0].write_to_path(str(cert))
    made.private_key_pem.write_to_path(str(key))
    return cert, key


@asynccontextmanager
async def handshaking(tls: ssl.SSLContext) -> AsyncIterator[tuple[int, list[str]]]:
    """Serve handshakes; yield the port and how each connection ended, as the server sees it."""
    ends: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            ends.append("end" if await reader.read() == b"" else "data")
        except OSError as exc:
            ends.append(type(exc).__name__)
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], ends


@contextmanager
def blocking(tls: ssl.SSLContext, answer: bytes) -> Iterator[int]:
    """Serve one connection in a thread: unlike asyncio, it sends alerts like other servers."""
    listening = create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve_one, args=(listening, tls, answer))
    thread.start()
    with listening:
        yield listening.getsockname()[1]
        thread.join(PATIENCE)


def _serve_one(listening: socket, tls: ssl.SSLContext, answer: bytes) -> None:
    sock, _ = listening.accept()
    sock.settimeout(PATIENCE)
    with tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False) as stream:
        try:
            stream.do_handshake()
            stream.recv(4096)
            stream.sendall(answer)
        except OSError:
            # The alert is sent. What the client sent is read, lest a reset overtakes it.
            stream.shutdown(SHUT_WR)
            while socket.recv(stream, 4096):
                pass


@contextmanager
def speechless(tls: ssl.SSLContext, notes: list[str]) -> Iterator[int]:
    """Serve one connection with a handshake and nothing else; note what the client does."""
    listening = create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listening.accept()
        sock.settimeout(PATIENCE)
        wrapped = tls.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
        with wrapped as stream:
            try:
                while stream.recv(4096):
                    notes.append("word")
                notes.append("farewell")
            except ssl.SSLEOFError:
                notes.append("cut")

    thread = threading.Thread(target=serve)
    thread.start()
    with listening:
        yield listening.getsockname()[1]
        thread.join(PATIENCE)
