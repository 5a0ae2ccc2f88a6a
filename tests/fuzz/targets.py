"""Everything of gate that reads what others have written, each as a function of bytes.

A target returns whatever the bytes are, or raises: that is a fault of gate. The checks get the
bytes as all that the other side ever says; nothing is sent, and no time passes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, partial
from typing import Any

from gate import checks, config
from gate.checks import SCHEMES
from gate.checks.http import health_document
from gate.checks.wire.http2_frames import GracefulEnd
from gate.config import app_url
from gate.core import durations, url
from gate.core.errors import CheckFailed, GateError
from gate.core.model import Result
from gate.inject.plan import InjectOptions
from gate.inject.run import inject
from gate.lint.run import lint
from gate.pods import shell
from gate.runtime.runner import DependencyCheck, make_attempt
from gate.serve import request_head
from tests.fuzz.readers import READERS
from tests.virtual import VirtualLoop

Target = Callable[[bytes], None]

LINES = {
    "amqp": "amqp://a:password@h/a queue=a",
    "cassandra": "cassandra://a:password@h/a",
    "clickhouse": "clickhouse://h",
    "grpc": "grpc://h:1 service=a",
    "http": "http://h/ json=ready body-regex=ready",
    "http2": "http://h/ http2 json=ready",
    "http-proxy": "https://h/ proxy=http://p insecure",
    "http-redirects": "http://h/ redirects=follow",
    "k8s-deployment": "k8s:deployment/x server=http://h namespace=a",
    "k8s-custom": "k8s:widgets.example.com/v1/x condition=Ready server=http://h namespace=a",
    "k8s-pods": "k8s:pod?selector=app=a server=http://h namespace=a min=1",
    "kafka": "kafka://h topic=a",
    "kafka-plain": "kafka://a:password@h sasl=plain topic=a",
    "kafka-scram": "kafka://a:password@h sasl=scram-sha-256",
    "ldap": "ldap://h",
    "memcached": "memcached://a:password@h",
    "mongodb": "mongodb://h/a",
    "mqtt": "mqtt://a:password@h",
    "mssql": "mssql://a:password@h/a",
    "mysql": "mysql://a:password@h/a query='SELECT 1'",
    "mysql-greeting": "mysql://h",
    "nats": "nats://a:password@h",
    "openai": "openai://h model=a",
    "oracle": "oracle://h/a",
    "postgresql": "postgresql://h/a?sslmode=disable",
    "redis": "redis://a:password@h/1 role=master key=a",
    "smtp": "smtp://h",
    "spiffe": "spiffe:///run/a.sock id=spiffe://a/b",
    "ssh": "ssh://h",
    "temporal": "temporal://h:1",
    "zookeeper": "zookeeper://h",
    "zookeeper-node": "zookeeper://h/a",
}
"""Checks that read what a server says."""
CHECKS = [name for name, line in LINES.items() if line.partition(":")[0] in SCHEMES]


class FakeWriter:
    """Takes everything, and is its own transport and socket."""

    @property
    def transport(self) -> FakeWriter:
        return self

    def write(self, data: bytes) -> None: ...

    def send(self, data: bytes) -> None: ...

    def writelines(self, pieces: Iterable[bytes]) -> None: ...

    def setsockopt(self, *_: object) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str) -> None: ...

    async def drain(self) -> None: ...

    async def wait_closed(self) -> None: ...

    async def start_tls(self, *_: object, **__: object) -> None: ...


class _Said:
    """What the other side says to whoever connects."""

    def __init__(self) -> None:
        self.data = b""
        self.left = b""
        """What has not been read by the connection that was made last."""

    async def dial(self, *_: object, **__: object) -> FakeWriter:
        self.left = self.data
        return FakeWriter()

    async def wrap(self, *_: object, **__: object) -> tuple[asyncio.StreamReader, FakeWriter]:
        reader = asyncio.StreamReader()
        reader.feed_data(self.left)
        reader.feed_eof()
        return reader, FakeWriter()


SAID = _Said()


class _Loop(VirtualLoop):
    """Reads from the bare socket too what is said."""

    async def sock_recv(self, _: object, count: int) -> bytes:
        found, SAID.left = SAID.left[:count], SAID.left[count:]
        return found


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return _Loop()


@cache
def _check(name: str) -> DependencyCheck:
    """Return the check of that line."""
    (read,) = config.read({"GATE_DEPENDENCIES": f"x {LINES[name]}"}).dependencies
    check = checks.load(read.target)
    assert check is not None, read.target.problems
    return DependencyCheck(read.dependency_with_secrets, check)


def connect_to_nothing(replace: Callable[[Any, str, Any], None]) -> None:
    """Have checks talk to what is said, by *replace* (`setattr`, or a test's own)."""
    for name in CHECKS:
        _check(name)
    ways = {"dial": SAID.dial, "dial_unix": SAID.dial, "wrap": SAID.wrap}
    for name, module in list(sys.modules.items()):
        if name.startswith("gate.checks.") and name != "gate.checks.wire.dial":
            for way in {*ways} & {*vars(module)}:
                replace(module, way, ways[way])


def attempt_at(name: str, data: bytes) -> None:
    """Make an attempt at a server that says *data*."""
    check = _check(name)
    SAID.data = data
    result: Result = _loop().run_until_complete(make_attempt(check))
    assert not result.reason.startswith("the check is broken"), result.reason
    assert not result.reason.endswith("no answer within 3s"), "it hangs after the end"


def configuration(data: bytes) -> None:
    """Read dependencies, and the options of every check."""
    read = config.read({"GATE_DEPENDENCIES": text_of(data)})
    for wanted in read.dependencies:
        checks.load(wanted.target)


def settings(data: bytes) -> None:
    """Read every setting from what is between NULs."""
    names = ("LISTEN", "TIMEOUT", "INTERVAL", "STATE_FILE", "ON_TIMEOUT", "LOG_LEVEL", "FROM_ENV")
    values = text_of(data).split("\0")
    config.read({f"GATE_{name}": value for name, value in zip(names, values, strict=False)})


def variable(data: bytes) -> None:
    """Translate what an app's variable holds."""
    name, _, value = text_of(data).partition("=")
    with suppress(app_url.NoDependency):
        app_url.translate(name, value)
    app_url.guess(text_of(data).split("="))
    app_url.pairs(text_of(data).split("="))


def any_url(data: bytes) -> None:
    """Read a URL."""
    with suppress(ValueError):
        str(url.parse(text_of(data)))


def duration(data: bytes) -> None:
    """Read a duration."""
    with suppress(ValueError):
        durations.show(durations.parse(text_of(data)))


def manifest(data: bytes) -> None:
    """Lint a file: no rule fails, whatever is in it."""
    report = lint([("x.yaml", data.decode(errors="replace"))])
    broken = [each for each in report.findings if "failed" in each.text and "bug" in each.text]
    assert broken == []


def injected(data: bytes) -> None:
    """Put gate into a file."""
    with suppress(GateError):
        inject([("x.yaml", data.decode(errors="replace"))], InjectOptions(image="gate:1"))


def script(data: bytes) -> None:
    """Read a shell's script."""
    shell.read(["sh", "-c", text_of(data)])


def request(data: bytes) -> None:
    """Read the head of a request, as the small responder does."""
    with suppress(request_head.BadRequestError):
        request_head.hold(request_head.parse(data)[2])


def frames(data: bytes) -> None:
    """Read HTTP/2 frames, in two pieces."""
    end = GracefulEnd()
    with suppress(CheckFailed):
        end.without(data[: len(data) // 2])
        end.without(data[len(data) // 2 :])


def health(data: bytes) -> None:
    """Read a health document."""
    health_document.down(data)


def text_of(data: bytes) -> str:
    """Return *data* as text, as the environment has it."""
    return data.decode(errors="surrogateescape")


TARGETS: dict[str, Target] = {
    "configuration": configuration,
    "settings": settings,
    "variable": variable,
    "url": any_url,
    "duration": duration,
    "manifest": manifest,
    "inject": injected,
    "script": script,
    "request-head": request,
    "http2-frames": frames,
    "health-document": health,
    **READERS,
    **{name: partial(attempt_at, name) for name in CHECKS},
}
"""Names to targets."""


def use_all() -> None:
    """Import what the targets import late, and connect to nothing from now on."""
    connect_to_nothing(setattr)
    for target in TARGETS.values():
        target(b"")
