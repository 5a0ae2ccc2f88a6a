"""The endpoints over a real socket, with the server in this process and the board at hand."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Self

import pytest

from gate.core.latch import Latch
from gate.core.model import Dependency, Result
from gate.runtime.board import Board
from gate.serve import connections
from gate.serve.answers import Answers
from gate.serve.server import Server
from tests.conftest import run
from tests.process import PATIENCE

KUBELET = {"User-Agent": "kube-probe/1.36"}
HOUR = "hold=1h"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


def read(answer: bytes) -> Answer:
    head, _, body = answer.decode().partition("\r\n\r\n")
    line, *fields = head.split("\r\n")
    headers = dict(each.lower().split(": ", 1) for each in fields)
    return Answer(int(line.split()[1]), headers, body)


class Gate:
    """A server for db and cache, of which nothing is known yet."""

    def __init__(self) -> None:
        dependencies = [Dependency(name=name, url=f"tcp://{name}:1") for name in ("db", "cache")]
        now = asyncio.get_running_loop().time()
        self.board = Board(Latch(dependencies, now=now, confirms=False))
        self.server = Server(self.board, Answers(self.board))
        self.port = 0

    async def __aenter__(self) -> Self:
        sock = socket.create_server(("127.0.0.1", 0))
        sock.setblocking(False)
        self.port = sock.getsockname()[1]
        await self.server.start(sock)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.board.stop()
        await self.server.close()

    def record(self, *names: str, reason: str = "") -> None:
        now = self.board.now()
        for name in names:
            self.board.record(
                Result(name=name, ok=not reason, reason=reason, started=now, finished=now)
            )

    @property
    def held(self) -> int:
        assert self.server._connections is not None
        return self.server._connections._held

    async def ask(
        self, target: str, method: str = "GET", version: str = "1.1", **headers: str
    ) -> Answer:
        """Return what one request on a connection of its own is answered."""
        fields = {"Host": "x", "Connection": "close", **headers}
        lines = [f"{method} {target} HTTP/{version}", *(f"{k}: {v}" for k, v in fields.items())]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode())
            async with asyncio.timeout(PATIENCE):
                return read(await reader.read())
        finally:
            writer.close()

    async def held_until(self, target: str, happens: Callable[[], object]) -> Answer:
        """Ask *target*; have something happen once it is held, and return the answer."""
        asking = asyncio.create_task(self.ask(target))
        await self.until(lambda: self.held == 1)
        happens()
        return await asking

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not is_so():  # noqa: ASYNC110 -- nothing tells of it
                await asyncio.sleep(0)


def with_gate(act: Callable[[Gate], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with Gate() as gate:
            return await act(gate)

    return run(main())


@pytest.mark.parametrize(
    ("target", "status", "content_type", "body"),
    [
        ("/startupz", 503, "text/plain", "[-]db waiting"),
        ("/startupz?brief", 503, "text/plain", "waiting for db: no answer yet; cache"),
        ("/startupz?brief=", 503, "text/plain", "waiting for db: no answer yet; cache"),
        ("/startupz/db?brief", 503, "text/plain", "waiting for db: no answer yet\n"),
        ("/startupz/other", 404, "text/plain", "no such part; there are db cache"),
        ("/startupz/", 404, "text/plain", "no such path"),
        ("/readyz", 503, "text/plain", "[-]gate waiting"),
        ("/livez", 200, "text/plain", "ok\n"),
        ("/healthz", 200, "text/plain", "ok\n"),
        ("/status", 200, "application/json", '{"version": 1'),
        ("/metrics", 200, "text/plain", "# HELP"),
        ("/", 200, "text/html", "<!doctype html>"),
        ("/nothing", 404, "text/plain", "no such path"),
        ("/nothing/at/all", 404, "text/plain", "no such path"),
    ],
)
def test_each_path_has_its_answer(target: str, status: int, content_type: str, body: str) -> None:
    found = with_gate(lambda gate: gate.ask(target))

    assert found.status == status
    assert found.headers["content-type"] == f"{content_type}; charset=utf-8" or target == "/metrics"
    assert found.headers["content-type"].startswith(content_type)
    assert (found.headers["server"], found.headers["cache-control"]) == ("gate", "no-store")
    assert found.body.startswith(body)


def test_the_kubelet_is_known_by_its_name() -> None:
    async def act(gate: Gate) -> list[int]:
        gate.board.open("opened without checking")
        agents = ("kube-probe/1.36", "curl kube-probe/1.36", "kube-probe", "")
        asked = [await gate.ask("/startupz", **{"User-Agent": agent}) for agent in agents]
        part = await gate.ask("/startupz/db", **KUBELET)
        return [each.status for each in (*asked, part)]

    assert with_gate(act) == [300, 200, 200, 200, 300]


def test_a_scraper_gets_the_form_it_asks_for_and_the_page_its_headers() -> None:
    async def act(gate: Gate) -> tuple[Answer, Answer]:
        accept = "application/openmetrics-text; version=1.0.0"
        return await gate.ask("/metrics", Accept=accept), await gate.ask("/")

    metrics, page = with_gate(act)
    assert metrics.headers["content-type"].startswith("application/openmetrics-text")
    assert "content-security-policy" in page.headers


@pytest.mark.parametrize("target", [f"/startupz?{HOUR}", f"/startupz/db?{HOUR}"])
def test_a_held_probe_is_answered_the_moment_it_opens(target: str) -> None:
    found = with_gate(lambda gate: gate.held_until(target, lambda: gate.record("db", "cache")))

    assert found.status == 200


@pytest.mark.parametrize(
    "target", [f"/startupz?{HOUR}", f"/startupz/db?{HOUR}", f"/status?{HOUR}&seen=0"]
)
def test_whatever_is_held_is_answered_when_the_gate_stops(target: str) -> None:
    async def act(gate: Gate) -> tuple[int, int]:
        found = await gate.held_until(target, gate.board.stop)
        return found.status, gate.held

    assert with_gate(act) == (200 if "status" in target else 503, 0)


def test_a_change_of_something_else_does_not_end_a_hold() -> None:
    async def act(gate: Gate) -> list[int]:
        asking = [
            asyncio.create_task(gate.ask(target))
            for target in (f"/startupz?{HOUR}", f"/startupz/db?{HOUR}")
        ]
        await gate.until(lambda: gate.held == 2)
        gate.record("cache")
        await gate.ask("/livez")
        assert not any(each.done() for each in asking)
        gate.record("db")
        return [(await each).status for each in asking]

    assert with_gate(act) == [200, 200]


def test_status_is_held_until_something_is_new() -> None:
    async def act(gate: Gate) -> list[int]:
        first = json.loads(
            (await gate.held_until(f"/status?{HOUR}&seen=0", lambda: gate.record("db"))).body
        )
        other = json.loads((await gate.ask(f"/status?{HOUR}&seen=0")).body)
        none = json.loads((await gate.ask(f"/status?{HOUR}")).body)
        return [each["revision"] for each in (first, other, none)]

    assert with_gate(act) == [1, 1, 1]


def test_one_more_than_may_be_held_is_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_HELD", 1)

    async def act(gate: Gate) -> list[int]:
        first = asyncio.create_task(gate.ask(f"/startupz?{HOUR}"))
        await gate.until(lambda: gate.held == 1)
        second = await gate.ask(f"/startupz?{HOUR}")
        assert gate.held == 1
        gate.record("db", "cache")
        return [second.status, (await first).status]

    assert with_gate(act) == [503, 200]


@pytest.mark.parametrize("hold", ["", "?hold=", "?hold=0", "?hold=0s"])
@pytest.mark.parametrize("path", ["/startupz", "/startupz/db", "/status"])
def test_nothing_is_held_where_nothing_asks_for_it(path: str, hold: str) -> None:
    async def act(gate: Gate) -> int:
        asking = asyncio.create_task(gate.ask(path + hold))
        async with asyncio.timeout(PATIENCE):
            while not asking.done():
                assert gate.held == 0
                await asyncio.sleep(0)
        return (await asking).status

    assert with_gate(act) == (200 if path == "/status" else 503)


def test_nothing_is_held_where_nothing_is_to_be_waited_for() -> None:
    async def act(gate: Gate) -> list[int]:
        asked = [f"/startupz/other?{HOUR}", f"/startupz?{HOUR}", f"/startupz/cache?{HOUR}"]
        none = await gate.ask(asked[0])
        gate.record("db", "cache")
        return [none.status, *[(await gate.ask(target)).status for target in asked[1:]]]

    assert with_gate(act) == [404, 200, 200]


def test_a_hold_that_is_over_is_answered() -> None:
    assert with_gate(lambda gate: gate.ask("/startupz?hold=1ms")).status == 503


def test_a_connection_gives_its_place_back_with_the_answer() -> None:
    async def act(gate: Gate) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
        writer.write(b"GET /startupz?hold=1ms HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"gate is waiting\n")
        held = gate.held
        writer.close()
        return held

    assert with_gate(act) == 0


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/startupz?hold=soon", "hold: 'soon' is not a duration"),
        ("/status?hold=-1", "hold: '-1' is not a duration"),
        ("/startupz?hold=1s&hold=1s", "hold: given more than once\n"),
        ("/startupz/db?hold=&hold=1s", "hold: given more than once\n"),
    ],
)
def test_a_hold_that_is_none_is_refused_and_says_why(target: str, said: str) -> None:
    found = with_gate(lambda gate: gate.ask(target))

    assert (found.status, found.headers["server"]) == (400, "gate")
    assert found.body.startswith(said)


@pytest.mark.parametrize(("version", "status"), [("1.1", 200), ("1.0", 200), ("0.9", 400)])
def test_what_is_older_than_http_1_0_is_refused(version: str, status: int) -> None:
    found = with_gate(lambda gate: gate.ask("/livez", version=version))

    assert found.status == status
    assert status == 200 or found.body == "HTTP/1.0 or HTTP/1.1, please\n"


def test_after_a_version_that_is_refused_the_connection_is_not_kept() -> None:
    async def ask(gate: Gate) -> Answer:
        async with asyncio.timeout(connections.IDLE_SECONDS / 2):
            return await gate.ask("/livez", version="0.9", Connection="keep-alive")

    assert with_gate(ask).status == 400


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("HEAD", "/startupz", 503),
        ("HEAD", "/livez", 200),
        ("POST", "/livez", 405),
        ("POST", "/startupz/db", 405),
        ("PUT", "/nothing", 404),
        ("OPTIONS", "*", 404),
    ],
)
def test_other_methods(method: str, target: str, status: int) -> None:
    found = with_gate(lambda gate: gate.ask(target, method))

    assert found.status == status
    assert (found.body == "") == (method == "HEAD")
    assert found.headers.get("allow") == ("get, head" if status == 405 else None)
