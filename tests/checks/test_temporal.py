"""A gRPC server that answers as Temporal's API says: no registry has the server.

`DescribeNamespaceRequest` has the namespace in field 1; one that is unknown is NOT_FOUND.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import trustme

from gate.checks.temporal import SERVICE
from tests.checks.servers.grpc import grpc_server
from tests.checks.servers.grpc_methods import grpc_methods
from tests.conftest import free_port, outcome, problems_of, run, why_not


def describe(request: bytes, context: Any) -> bytes:
    if request == b"\x0a\x05hangs":
        context.abort(grpc.StatusCode.UNAVAILABLE, "shard status unknown")
    if request != b"\x0a\x07default":
        context.abort(grpc.StatusCode.NOT_FOUND, "Namespace other is not found.")
    return b""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    methods = {f"/{SERVICE}/DescribeNamespace": describe}
    with grpc_methods("127.0.0.1:0", unary=methods, serving={SERVICE: True}) as port:
        yield port


def test_a_frontend_that_serves_is_ready(port: int) -> None:
    assert run(why_not(f"temporal://127.0.0.1:{port}")) == ""


def test_a_namespace_that_is_wanted_must_be_there(port: int) -> None:
    line = f"temporal://127.0.0.1:{port}"

    assert run(why_not(f"{line} namespace=default")) == ""
    assert run(why_not(f"{line} namespace=other")) == "namespace not found: other"
    assert run(outcome(f"{line} namespace=other until=down")).ok
    assert run(why_not(f"{line} namespace=hangs")) == "UNAVAILABLE: shard status unknown"


def test_a_frontend_that_does_not_serve_says_so() -> None:
    with grpc_methods("127.0.0.1:0", serving={SERVICE: False, "": True}) as port:
        assert run(why_not(f"temporal://127.0.0.1:{port}")) == "NOT_SERVING"


def test_tls_is_spoken_where_wanted(authority: trustme.CA) -> None:
    with grpc_server(authority=authority) as port:
        for option in ("tls insecure", "insecure"):
            why = run(why_not(f"temporal://localhost:{port} {option}"))
            assert why == f"service unknown: {SERVICE}"


def test_a_refused_connection_is_absent() -> None:
    line = f"temporal://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_mistakes_are_told() -> None:
    assert problems_of("temporal://a/default") == [
        "the URL wants no path; write temporal://host:port"
    ]
