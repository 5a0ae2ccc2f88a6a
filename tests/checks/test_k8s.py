"""What is asked of the API server, and what its answers mean."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.checks.servers.kubernetes import Kubernetes
from tests.checks.servers.raw_http import serving, status
from tests.conftest import free_port, outcome, run, why_not

LABELS: Any = {"labels": {"app": "db"}}
READY: Any = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
RUNNING: Any = {"status": {"startTime": "2026-11-22T10:00:00Z", "active": 1}}


def of(server: Kubernetes, what: str, options: str = "namespace=prod") -> str:
    return f"k8s:{what} server={server.url} {options}"


def test_a_cluster_wide_resource_is_asked_for_without_a_namespace() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            server.put("nodes", "n1", **READY)
            return await why_not(of(server, "nodes/v1/n1", "cluster condition=Ready"))

    assert run(main()) == ""


def test_what_is_not_there_is_named() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            return await why_not(of(server, "job/migrate"))

    assert run(main()) == "no job migrate in namespace prod"


def test_no_selected_pod_says_so() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            return await why_not(of(server, "pods?selector=app=db"))

    assert run(main()) == "no pods in namespace prod match the selector"


def test_what_is_gone_is_what_until_down_waits_for() -> None:
    async def main() -> tuple[str, bool]:
        async with Kubernetes() as server:
            server.put("jobs", "migrate", **RUNNING)
            there = await why_not(of(server, "job/migrate", "namespace=prod until=down"))
            server.delete("jobs", "migrate")
            gone = await outcome(of(server, "job/migrate", "namespace=prod until=down"))
            return there, gone.ok

    assert run(main()) == ("job running: 1 active", True)


def test_an_api_server_that_is_not_there_is_no_absent_object() -> None:
    line = f"k8s:job/migrate server=http://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "API server: connection refused"
    assert not run(outcome(f"{line} until=down")).ok


def test_a_resource_the_server_does_not_have_is_no_absent_object() -> None:
    async def main() -> tuple[str, bool]:
        async with Kubernetes() as server:
            line = of(server, "widgets.shop.io/v1/w", "namespace=prod condition=Ready")
            return await why_not(line), (await outcome(f"{line} until=down")).ok

    text = "the API server has no widgets (shop.io/v1) in namespaces; "
    assert run(main()) == (f"{text}for what is cluster-wide add the option cluster", False)


def test_a_missing_right_names_verb_resource_namespace_and_account() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            server.denied |= {("list", "jobs"), ("get", "jobs")}
            return await why_not(of(server, "job/migrate"))

    assert run(main()) == (
        "may not get jobs in namespace prod: RBAC lacks verb get on resource jobs (batch) "
        "for system:serviceaccount:prod:app"
    )


def test_a_refusal_of_the_server_is_told_with_its_text() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            server.failure = (429, "too many requests, please try again later")
            return await why_not(of(server, "job/migrate"))

    assert run(main()) == "API server: status 429: too many requests, please try again later"


@pytest.mark.parametrize(
    "body",
    [
        "hello",
        '{"metadata": "x", "items": []}',
        '{"metadata": {}, "items": {"a": 1}}',
        '{"metadata": {}, "items": ["db"]}',
        '{"metadata": {}, "items": [{"kind": "Job"}]}',
    ],
)
def test_something_else_on_the_port_is_no_list(body: str) -> None:
    async def main() -> str:
        async with serving(status(200, body=body)) as served:
            return await why_not(f"k8s:job/x server={served.url}")

    assert run(main()) == "API server: the answer is not a list of objects"


def test_a_long_list_is_read_page_by_page() -> None:
    async def main() -> tuple[str, int, int]:
        async with Kubernetes() as server:
            server.page_limit = 10
            for number in range(25):
                server.put("pods", f"db-{number}", metadata=LABELS, **READY)
            line = of(server, "pod?selector=app=db", "namespace=prod min=25")
            return await why_not(line), server.count("list"), server.connections

    assert run(main()) == ("", 3, 1)


def test_a_server_that_closes_after_each_answer_is_connected_to_anew() -> None:
    page = b'{"metadata": {"resourceVersion": "1", "continue": "x"}, "items": []}'
    pages = [page, page.replace(b"continue", b"other")]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if pages:
            await reader.readuntil(b"\r\n\r\n")
            body = pages.pop(0)
            head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d" % len(body)
            writer.write(head + b"\r\n\r\n" + body)
        writer.close()

    async def main() -> str:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await why_not(f"k8s:job/x server=http://127.0.0.1:{port} namespace=prod")

    assert run(main()) == "no job x in namespace prod"
