"""A cluster to ask, over real TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checks.servers.kubernetes import Kubernetes
from tests.conftest import run
from tests.status.world import TOKEN, Prepare, told, write_kubeconfig


@pytest.fixture
def ask(
    server_tls: ssl.SSLContext, ca_file: Path, tmp_path: Path
) -> Callable[..., tuple[str, int]]:
    """Return what puts a cluster up and what `gate status` says of it."""

    def asking(prepare: Prepare, *arguments: str) -> tuple[str, int]:
        async def whole() -> tuple[str, int]:
            async with Kubernetes(server_tls) as server:
                server.tokens = {TOKEN}
                prepare(server)
                cluster = {"server": server.url, "certificate-authority": str(ca_file)}
                path = write_kubeconfig(tmp_path / "config", cluster, {"token": TOKEN})
                return await told("--kubeconfig", str(path), *arguments)

        found: tuple[str, int] = run(whole())
        return found

    return asking
