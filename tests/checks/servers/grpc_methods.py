"""A real gRPC server (grpcio) with methods in bytes, for services of which there is no package."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

Method = Callable[[bytes, Any], Any]


@contextmanager
def grpc_methods(
    address: str,
    *,
    unary: Mapping[str, Method] | None = None,
    streams: Mapping[str, Method] | None = None,
    serving: Mapping[str, bool] | None = None,
) -> Iterator[int]:
    """Yield the port; the methods are by path, *serving* what the health service says."""
    handlers = {
        path: grpc.unary_unary_rpc_method_handler(method) for path, method in (unary or {}).items()
    } | {
        path: grpc.unary_stream_rpc_method_handler(method)
        for path, method in (streams or {}).items()
    }

    class Paths(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, call: Any) -> Any:
            return handlers.get(call.method)

    server = grpc.server(ThreadPoolExecutor(max_workers=2), handlers=(Paths(),))
    states = health.HealthServicer()
    for name, is_serving in (serving or {}).items():
        words = health_pb2.HealthCheckResponse
        states.set(name, words.SERVING if is_serving else words.NOT_SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(states, server)
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()
