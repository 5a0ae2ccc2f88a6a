"""What tests share: a line of configuration to a result, free ports, certificates."""

from __future__ import annotations

import asyncio
import contextvars
import errno
import os
import random
import re
import shutil
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from gate import checks, config
from gate.core import attempt
from gate.core.errors import ConfigError
from gate.core.model import Result
from gate.runtime.runner import DependencyCheck, make_attempt
from tests.canary import LOOKOUT, look
from tests.unhurried import Unhurried

LIMIT = "60s"
"""Of an attempt: a server may stand still for seconds where the machine is busy."""

_DIFFERING = re.compile(
    r" \((certificate of [^()]*|(search [^()]*, )?(ndots \d+, )?server [0-9a-f:. ]+)\)"
)
Run = Callable[[Awaitable[Any]], Any]

_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_ports = iter(random.SystemRandom().sample(range(10_000, 32_000), k=22_000))


def watch_for(line: str) -> DependencyCheck:
    """Return dependency and check of one line of `GATE_DEPENDENCIES`; raises `ConfigError`."""
    read = config.read({"GATE_DEPENDENCIES": line, "GATE_CHECK_TIMEOUT": LIMIT})
    problems = list(read.problems)
    made = [(wanted, checks.load(wanted.target)) for wanted in read.dependencies]
    problems += [problem for wanted, _ in made for problem in wanted.target.problems]
    if problems:
        raise ConfigError(problems)
    ((wanted, check),) = made
    assert check is not None
    return DependencyCheck(wanted.dependency_with_secrets, check)


async def outcome(line: str) -> Result:
    """Return the result of one attempt at the dependency that *line* writes.

    Its reason is without what is told of a certificate or a resolver: that differs by the run.
    """
    result = _looked_at(await make_attempt(watch_for(line)))
    return replace(result, reason=_DIFFERING.sub("", result.reason))


async def why_not(line: str) -> str:
    """Return why the dependency of *line* is not ready, empty if it is."""
    return (await outcome(line)).reason


async def why_not_in_full(line: str) -> str:
    """Return the same with all that is told."""
    return _looked_at(await make_attempt(watch_for(line))).reason


async def why_late(line: str, is_hung: Callable[[str], bool]) -> str:
    """Return why *line* is not ready when its time is over as soon as *is_hung*.

    That is asked again and again, and given the stage of the attempt.
    """
    loop, context = asyncio.get_running_loop(), contextvars.copy_context()
    assert isinstance(loop, Unhurried)
    watch = watch_for(line)
    attempting = asyncio.create_task(make_attempt(watch), context=context)
    while not attempting.done() and not is_hung(context.run(attempt.current_stage)):  # noqa: ASYNC110 -- what a process does
        await asyncio.sleep(0.01)
    loop.skip(watch.dependency.timeout)
    return _looked_at(await attempting).reason


def _looked_at(result: Result) -> Result:
    look("a reason", result.reason)
    return result


def problems_of(line: str) -> list[str]:
    """Return the texts of what is wrong with *line*."""
    try:
        watch_for(line)
    except ConfigError as exc:
        look("a problem", str(exc))
        return [problem.text for problem in exc.problems]
    return []


def run(main: Awaitable[Any]) -> Any:
    """Run *main* on gate's own loop, in real time but where the process is held up."""

    async def whole() -> Any:
        return await main

    with asyncio.Runner(loop_factory=Unhurried) as runner:
        return runner.run(whole())


def free_port() -> int:
    """Return a port on which nothing listens just now, another at each call.

    It is none of those that the kernel gives to whoever asks for any, as each client does.
    """
    return next(port for port in _ports if not any(_is_taken(*at, port) for at in _LOOPBACK))


def open_files() -> int:
    """Return how many descriptors this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


def _is_taken(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family) as sock:
            sock.bind((host, port))
    except OSError as exc:
        return exc.errno == errno.EADDRINUSE
    return False


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


@pytest.fixture(scope="session", autouse=True)
def canary() -> Iterator[None]:
    """Fail the session if gate has told a secret anywhere in it."""
    yield
    assert LOOKOUT.seen == []


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
