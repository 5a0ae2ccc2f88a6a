"""Every check against peers that speak another protocol, none at all, or without end.

All attempts are made once, side by side; each test looks at those of one scheme.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gate.checks import SCHEMES
from gate.checks.wire.tls_options import FAREWELL
from gate.core.model import Result
from gate.runtime.loop import Loop
from gate.runtime.runner import LONGEST_REASON
from tests.conftest import open_files, outcome, problems_of, run, why_not
from tests.faults.hostile import PATTERNS, hostile

TIMEOUT = 0.25
LINES = {
    "kafka": "kafka://127.0.0.1:{port} topic=a",
    "k8s": "k8s:job/x server=http://127.0.0.1:{port} namespace=a token-file={token}",
    "oracle": "oracle://127.0.0.1:{port}/shop",
    "s3": "s3://bucket/key endpoint=http://127.0.0.1:{port}",
    "sidecar": "sidecar:envoy port={port}",
    "http (json)": "http://127.0.0.1:{port}/ json=ready",
    "http (body-regex)": "http://127.0.0.1:{port}/ body-regex=^ready$",
    "http (redirects)": "http://127.0.0.1:{port}/ redirects=follow",
    "http (http2)": "http://127.0.0.1:{port}/ http2",
    "http (proxy)": "https://db.example.com/ proxy=http://127.0.0.1:{port}",
    "postgresql (login)": "postgresql://a:password@127.0.0.1:{port}/a",
    "mysql (login)": "mysql://a:password@127.0.0.1:{port}/a",
    "mongodb (login)": "mongodb://a:password@127.0.0.1:{port}/a",
    "amqp (login)": "amqp://a:password@127.0.0.1:{port}/a queue=a",
    "redis (login)": "redis://a:password@127.0.0.1:{port}/1 role=master key=a",
    "kafka (SCRAM)": "kafka://a:password@127.0.0.1:{port} sasl=scram-sha-256",
    "nats (login)": "nats://a:password@127.0.0.1:{port}",
    "mqtt (login)": "mqtt://a:password@127.0.0.1:{port}",
    "memcached (login)": "memcached://a:password@127.0.0.1:{port}",
}
"""Those for which `SCHEME://127.0.0.1:PORT` is not all there is to try."""
LOCAL = "x {scheme}://127.0.0.1:1"
ANY_PEER = {"tcp"}
"""Ready by the connection alone."""
MODULES = {
    module: scheme
    for scheme, module in reversed(SCHEMES.items())
    if scheme in LINES or not problems_of(LOCAL.format(scheme=scheme))
}
"""The first scheme of each, which is without TLS; what asks no server at an address is left out."""
NAMES = sorted({*LINES, *(scheme for scheme in MODULES.values() if scheme not in LINES)})
MOST_READ = 2 * 1024 * 1024
"""Bytes that a peer gets rid of at one check, what the kernel takes included."""
LONGER = {"body without end": 20 * 1024 * 1024, "gzip without end": 20 * 1024 * 1024}
"""A list of the API server may have 16 MiB."""
BY_TIME = {"postgresql notices without end"}
"""asyncpg throws them away for as long as the attempt has time."""
FLOODS = [
    ("http", "informational answers without end", "informational answers without end"),
    ("http", "head without end", "the header of the answer is too long"),
    ("http (http2)", "HTTP/2 settings without end", "the server sends HTTP/2 frames without end"),
    ("http (http2)", "HTTP/2 pings without end", "the server sends HTTP/2 frames without end"),
    ("grpc", "HTTP/2 settings without end", "the server sends HTTP/2 frames without end"),
    ("redis", "line without end", "the answer is too long"),
]

MOST_GROWN = 100 * 1024
"""KiB, with the peers, for well over a hundred attempts at a time."""


@dataclass
class Tried:
    """The attempt of one check at one pattern."""

    pattern: str
    result: Result


@dataclass
class Seen:
    """All attempts, by the name of the line; what they cost."""

    by_name: dict[str, list[Tried]]
    most_sent: dict[str, int] = field(default_factory=dict)
    left_open: int = 0
    grown: int = 0


def line_of(name: str, port: int, token: Path = Path("/nonexistent")) -> str:
    """Return the dependency that *name* stands for, at *port*."""
    return LINES.get(name, f"{name}://127.0.0.1:{{port}}").format(port=port, token=token)


async def _meet(pattern: str, token: Path, by_name: dict[str, list[Tried]]) -> int:
    """Have every check meet a peer of that *pattern*; return the most that was sent to one."""
    async with hostile(PATTERNS[pattern]) as peer:
        lines = [f"x {line_of(name, peer.port, token)} timeout={TIMEOUT}" for name in NAMES]
        # Each in a task of its own, as the context of an attempt is that of its task.
        results = await asyncio.gather(*map(outcome, lines))
        for name, result in zip(NAMES, results, strict=True):
            by_name[name].append(Tried(pattern, result))
        return max(peer.sent, default=0)


async def _meet_all(patterns: list[str], seen: Seen, token: Path) -> None:
    before = open_files()
    sent = await asyncio.gather(*(_meet(each, token, seen.by_name) for each in patterns))
    seen.most_sent.update(zip(patterns, sent, strict=True))
    await asyncio.sleep(FAREWELL)
    seen.left_open = max(seen.left_open, open_files() - before)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text("of the API server")
    found = Seen({name: [] for name in NAMES})
    run(_meet_all(["closed at once"], found, token))  # loads the drivers
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    endless = [name for name, pattern in PATTERNS.items() if pattern.endless]
    # A few at a time and by the real clock: the other lets a peer go on for as long as it likes.
    for few in (endless[:7], endless[7:]):
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(_meet_all(few, found, token))
    found.grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - size
    run(_meet_all([name for name in PATTERNS if name not in endless], found, token))
    return found


def test_there_are_enough_of_them() -> None:
    assert len(PATTERNS) >= 50


@pytest.mark.parametrize("name", NAMES)
def test_no_check_takes_a_stranger_for_ready(seen: Seen, name: str) -> None:
    scheme = name.partition(" ")[0]
    ready = [one.pattern for one in seen.by_name[name] if one.result.ok]

    assert [each for each in ready if not _may_be_ready(scheme, each)] == []


def _may_be_ready(scheme: str, pattern: str) -> bool:
    # S3 is asked for an object over HTTP, and 200 says that it is there.
    meant = "http" if scheme == "s3" else scheme
    return scheme in ANY_PEER or meant in PATTERNS[pattern].right_for


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_is_in_words(seen: Seen, name: str) -> None:
    for one in seen.by_name[name]:
        reason = one.result.reason

        assert not reason.startswith("the check is broken"), (one.pattern, reason)
        assert reason.isprintable(), one.pattern
        assert len(reason) <= LONGEST_REASON


@pytest.mark.parametrize("pattern", sorted({*PATTERNS} - BY_TIME))
def test_no_check_reads_without_end(seen: Seen, pattern: str) -> None:
    assert seen.most_sent[pattern] < LONGER.get(pattern, MOST_READ)


@pytest.mark.parametrize(("name", "pattern", "reason"), FLOODS)
def test_what_floods_a_check_is_told(name: str, pattern: str, reason: str) -> None:
    async def main() -> str:
        async with hostile(PATTERNS[pattern]) as peer:
            return await why_not(line_of(name, peer.port))

    assert run(main()) == reason


def test_they_leave_nothing_open_and_memory_as_it_was(seen: Seen) -> None:
    assert seen.left_open <= 0
    assert seen.grown < MOST_GROWN
