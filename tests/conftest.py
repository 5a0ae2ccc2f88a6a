"""What tests share: a line of configuration to a result, free ports, certificates."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from gate import checks, config
from gate.errors import ConfigError
from gate.loop import Loop
from gate.model import Result
from gate.runner import Watch, attempt

Run = Callable[[Awaitable[Any]], Any]


def watch_for(line: str) -> Watch:
    """Return dependency and check of one line of `GATE_DEPENDENCIES`; raises `ConfigError`."""
    read = config.read({"GATE_DEPENDENCIES": line})
    problems = list(read.problems)
    made = [(wanted, checks.load(wanted.target)) for wanted in read.wanted]
    problems += [problem for wanted, _ in made for problem in wanted.target.problems]
    if problems:
        raise ConfigError(problems)
    ((wanted, check),) = made
    assert check is not None
    return Watch(wanted.dependency_with_secrets, check)


async def outcome(line: str) -> Result:
    """Return the result of one attempt at the dependency that *line* writes."""
    return await attempt(watch_for(line))


async def why_not(line: str) -> str:
    """Return why the dependency of *line* is not ready, empty if it is."""
    return (await outcome(line)).reason


def problems_of(line: str) -> list[str]:
    """Return the texts of what is wrong with *line*."""
    try:
        watch_for(line)
    except ConfigError as exc:
        return [problem.text for problem in exc.problems]
    return []


def run(main: Awaitable[Any]) -> Any:
    """Run *main* on gate's own loop, in real time."""

    async def whole() -> Any:
        return await main

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(whole())


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port on which nothing listens just now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])


def needs(program: str, package: str) -> str:
    """Return the path of *program*; skip on a laptop without it, fail in CI."""
    found = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = f"{program} is not installed (Debian package {package})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def nobody() -> Iterator[None]:
    """Be an ordinary user for a while, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """TLS for a server called localhost, 127.0.0.1 and ::1."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    return context
