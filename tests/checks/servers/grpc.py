"""A real gRPC server (grpcio) with the standard health service, on a free port of localhost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import trustme
from grpc_health.v1 import health, health_pb2_grpc


@contextmanager
def grpc_server(
    servicer: Any = None, *, authority: trustme.CA | None = None, address: str = "127.0.0.1:0"
) -> Iterator[int]:
    """Yield the port; *servicer* is a `HealthServicer`, False for a server without one."""
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    if servicer is not False:
        health_pb2_grpc.add_HealthServicer_to_server(servicer or health.HealthServicer(), server)
    if authority is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, _credentials(authority))
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


def _credentials(authority: trustme.CA) -> grpc.ServerCredentials:
    issued = authority.issue_cert("localhost", "127.0.0.1")
    chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    return grpc.ssl_server_credentials([(issued.private_key_pem.bytes(), chain)])
