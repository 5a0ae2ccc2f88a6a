"""A server that shakes hands and never says another word, nor heeds a farewell."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress


@contextmanager
def mute(tls: ssl.SSLContext, *, hears: int = 0, says: bytes = b"") -> Iterator[int]:
    """Yield its port; before TLS begins it *hears* so many bytes and *says* something."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def serve() -> None:
            # Until the listener is closed.
            with suppress(OSError):
                while True:
                    sock = stack.enter_context(listener.accept()[0])
                    sock.recv(hears, socket.MSG_WAITALL)
                    sock.sendall(says)
                    stack.enter_context(tls.wrap_socket(sock, server_side=True))

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()
