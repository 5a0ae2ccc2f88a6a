"""Small HTTP servers and files stand in for the sidecars, which cannot be installed here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gate.checks import sidecar
from tests.conftest import free_port, outcome, problems_of, run, watch_for, why_not

READY = {
    "cloud-sql-proxy": "GET /startup",
    "dapr": "GET /v1.0/healthz/outbound",
    "envoy": "GET /ready",
    "istio": "GET /healthz/ready",
    "linkerd": "GET /ready",
    "otel-collector": "GET /",
}
"""What is asked of each."""


@asynccontextmanager
async def answering(wanted: str, status: int) -> AsyncIterator[int]:
    """Yield the port of a server that answers so to this request, and 404 to all others."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0]
        said = status if request == f"{wanted} HTTP/1.1" else 404
        writer.write(f"HTTP/1.1 {said} x\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def why_sidecar_is_not(name: str, status: int) -> str:
    async with answering(READY[name], status) as port:
        return await why_not(f"sidecar:{name} port={port}")


@pytest.mark.parametrize("name", READY)
def test_a_sidecar_is_ready_where_it_says_so(name: str) -> None:
    assert run(why_sidecar_is_not(name, 204 if name == "dapr" else 200)) == ""


@pytest.mark.parametrize("name", READY)
def test_a_sidecar_that_says_it_is_not_is_not(name: str) -> None:
    assert run(why_sidecar_is_not(name, 503)) == "status 503"


@pytest.mark.parametrize(
    ("name", "port"),
    [
        ("cloud-sql-proxy", 9090),
        ("dapr", 3500),
        ("envoy", 9901),
        ("istio", 15021),
        ("linkerd", 4191),
        ("otel-collector", 13133),
    ],
)
def test_each_has_its_port(name: str, port: int) -> None:
    """Not asked there: on a laptop the port may be another's."""
    assert sidecar._HTTP[name][0] == port
    assert f":{port}" in str(watch_for(f"sidecar:{name}").check)


def test_a_sidecar_that_is_not_there_is_refused() -> None:
    line = f"sidecar:envoy port={free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


def test_another_path_and_the_options_of_http_are_taken() -> None:
    async def main() -> str:
        async with answering("GET /health", 418) as port:
            return await why_not(f"sidecar:otel-collector port={port} path=/health status=418")

    assert run(main()) == ""


def rendered(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / name).write_text(text)
    return " ".join(f"file={folder / name}" for name in files)


def test_vault_agent_is_ready_when_its_files_are_whole(tmp_path: Path) -> None:
    files = rendered(tmp_path, db="user: app", key="…")

    assert run(why_not(f"sidecar:vault-agent {files}")) == ""


def test_vault_agent_is_not_ready_before_the_last_file_is(tmp_path: Path) -> None:
    files = rendered(tmp_path, db="user: app", key="")

    assert run(why_not(f"sidecar:vault-agent {files}")) == f"{tmp_path}/key: empty"
    assert not run(outcome(f"sidecar:vault-agent {files} until=down")).ok


def test_a_name_is_looked_for_where_vault_agent_renders() -> None:
    line = "sidecar:vault-agent file=no-such-file"

    assert run(why_not(line)) == "/vault/secrets/no-such-file: no such file"
    assert run(outcome(f"{line} until=down")).ok


def test_the_options_of_file_hold_for_each(tmp_path: Path) -> None:
    files = rendered(tmp_path, db="complete", key="complete")

    assert run(why_not(f"sidecar:vault-agent {files} contains=complete")) == ""
    assert problems_of(f"sidecar:vault-agent {files} older-then=5s") == [
        "older-then: unknown option; did you mean older-than?"
    ]


NAME_THEM = "name the files it renders: file=NAME, below /vault/secrets"
KNOWN = "cloud-sql-proxy, dapr, envoy, istio, linkerd, otel-collector, vault-agent"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("sidecar:isto", "unknown sidecar; did you mean istio?"),
        ("sidecar:nginx", f"unknown sidecar; gate knows {KNOWN}"),
        (
            "sidecar:vault-agent",
            f"vault-agent tells nowhere that it is ready; {NAME_THEM}",
        ),
        ("sidecar:envoy statsu=200", "statsu: unknown option; did you mean status?"),
        (
            "sidecar:envoy port=65536",
            "port and path: want a port up to 65535 and a path that begins with /",
        ),
        ("sidecar:envoy?port=1", "the URL wants no query; write sidecar:NAME port=…"),
        ("sidecar://envoy/ready", "the URL wants no path; write sidecar:NAME"),
        (
            "sidecar:vault-agent?file=a file=b",
            "the URL wants no query; write sidecar:vault-agent file=…",
        ),
        (
            "sidecar:envoy path=ready",
            "port and path: want a port up to 65535 and a path that begins with /",
        ),
    ],
)
def test_what_is_wrong_is_a_problem(line: str, problem: str) -> None:
    assert problems_of(f"proxy {line}") == [problem]
