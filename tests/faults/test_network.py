"""Names, addresses, handshakes and descriptors that come and go, or do not come at all."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gate.core.model import Result
from gate.runtime.runner import make_attempt
from tests.checks.servers.mute import mute
from tests.checks.test_dial import AGAIN, NO_NAME, Book, run_with
from tests.conftest import free_port, open_files, outcome, run, watch_for, why_not
from tests.faults.test_byte_patterns import NAMES, line_of
from tests.process import listening

Names = dict[str, list[str] | OSError | threading.Event]
TLS_LINES = [
    "https://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/ http2",
    "tls://127.0.0.1:{port}",
    "rediss://127.0.0.1:{port}",
    "amqps://127.0.0.1:{port}",
    "mqtts://127.0.0.1:{port}",
    "grpcs://127.0.0.1:{port}",
    "kafka+ssl://127.0.0.1:{port}",
    "kafka+ssl://a:password@127.0.0.1:{port} sasl=scram-sha-256",
    "mongodb://127.0.0.1:{port} tls",
    "mongodb://a:password@127.0.0.1:{port} tls",
    "k8s:job/x server=https://127.0.0.1:{port} namespace=a",
    "https://db.example.com/ proxy=https://127.0.0.1:{port}",
]


async def attempts(names: Names, line: str, *later: Names) -> list[str]:
    """Return why *line* is not ready, at first and each time *names* were replaced by *later*."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Book)
    reasons = []
    for known in (names, *later):
        loop.names = known
        reasons.append(await why_not(line))
    return reasons


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (NO_NAME, "name not found: db"),
        (AGAIN, "name lookup failed: db: temporary failure in name resolution"),
    ],
)
def test_a_name_that_comes_late_is_found_by_the_next_attempt(missing: OSError, reason: str) -> None:
    with listening() as port:
        there: Names = {"db": ["127.0.0.1"]}
        found = run_with({}, attempts({"db": missing}, f"tcp://db:{port}", there))

    assert found == [reason, ""]


def test_an_address_that_changes_is_looked_up_at_each_attempt() -> None:
    with listening() as port:
        known: list[Names] = [{"db": [f"127.0.0.{last}"]} for last in (1, 2, 1)]
        found = run_with({}, attempts(known[0], f"tcp://db:{port}", *known[1:]))

    assert found == ["", "connection refused", ""]


def test_the_one_of_a_thousand_addresses_that_works_is_found() -> None:
    refusing = [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(999)]
    before = open_files()
    with listening() as port:
        ready = run_with({"db": [*refusing, "127.0.0.1"]}, why_not(f"tcp://db:{port}"))
        absent = run_with({"db": refusing[:9]}, outcome(f"tcp://db:{port} until=down"))

    assert (ready, absent.ok) == ("", True)
    assert open_files() == before


def test_a_name_with_ipv6_alone_is_ready_and_an_address_of_the_other_kind_is_not() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        line = f"tcp://db:{server.getsockname()[1]}"

        assert run_with({"db": ["::1"]}, why_not(line)) == ""
        assert run_with({"db": ["127.0.0.1"]}, why_not(line)) == "connection refused"


async def all_hung(port: int) -> list[Result]:
    lines = [f"x {line.format(port=port)} insecure timeout=300ms" for line in TLS_LINES]
    return list(await asyncio.gather(*map(outcome, lines)))


def test_a_peer_that_falls_silent_after_the_handshake_leaves_nothing_open(
    server_tls: ssl.SSLContext,
) -> None:
    run(why_not("mongodb://a:password@127.0.0.1:1 tls insecure"))  # loads the drivers
    run(why_not("kafka+ssl://a:password@127.0.0.1:1 sasl=scram-sha-256 insecure"))
    before = open_files()
    with mute(server_tls) as port:
        results = run(all_hung(port))

    assert [one.ok for one in results] == [line.startswith("tls") for line in TLS_LINES]
    assert open_files() == before


def test_a_peer_that_is_silent_in_the_handshake_leaves_nothing_open() -> None:
    before = open_files()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        results = run(all_hung(server.getsockname()[1]))

    assert {one.ok for one in results} == {False}
    assert open_files() == before


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Have the kernel refuse every further descriptor."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("name", NAMES)
def test_without_a_descriptor_to_be_had_a_check_says_so(name: str) -> None:
    async def main() -> str:
        watch = watch_for(line_of(name, free_port()))
        with no_descriptor_left():
            return (await make_attempt(watch)).reason

    assert "too many open files" in run(main())
