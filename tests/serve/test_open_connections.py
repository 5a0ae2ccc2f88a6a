"""Which connections are spared and which give way, without a socket."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from gate.serve.connections import MOST, MOST_HELD, Connections, accept, most
from tests.conftest import run
from tests.process import PATIENCE
from tests.virtual import now, play

HEAD = b"GET / HTTP/1.1\r\n\r\n"


class Line(asyncio.Transport):
    """A connection that notes what becomes of it."""

    def __init__(self, number: int) -> None:
        super().__init__({"socket": self})
        self.number = number
        self.told: list[str] = []

    def fileno(self) -> int:
        return self.number

    def abort(self) -> None:
        self.told.append("aborted")

    def pause_reading(self) -> None:
        self.told.append("paused")

    def resume_reading(self) -> None:
        self.told.append("resumed")


class Inner(asyncio.Protocol):
    """The server's own protocol, which notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append(transport)

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> bool | None:
        self.told.append("eof")
        return True

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(exc)


class Crowd:
    """Connections with a limit, and what the server's own protocol is told."""

    def __init__(self, limit: int) -> None:
        self.all = Connections(asyncio.Protocol, limit)
        self.protocols: list[Any] = []
        self.lines: list[Line] = []

    def join(self, count: int = 1, data: bytes = b"") -> None:
        for _ in range(count):
            line, protocol = Line(len(self.lines)), self.all()
            self.lines.append(line)
            self.protocols.append(protocol)
            protocol.connection_made(line)
            if data:
                protocol.data_received(data)

    def hold(self, number: int, *, is_held: bool = True) -> bool:
        return self.all.hold(self.lines[number], is_held=is_held)

    def leave(self, number: int) -> None:
        self.protocols[number].connection_lost(None)

    @property
    def aborted(self) -> list[int]:
        return [line.number for line in self.lines if "aborted" in line.told]


@contextmanager
def crowd(limit: int, count: int, data: bytes = b"") -> Iterator[Crowd]:
    """So many connections, on a loop of virtual time that does not run."""
    found: list[Crowd] = []

    async def main() -> None:
        found.append(Crowd(limit))
        found[0].join(count, data)

    play(main())
    yield found[0]


@pytest.mark.parametrize(("limit", "held"), [(4, 2), (5, 2), (1000, MOST_HELD)])
def test_half_of_the_connections_may_be_held_and_no_more_than_a_hundred(
    limit: int, held: int
) -> None:
    with crowd(limit, limit) as each:
        assert [each.hold(number) for number in range(held + 1)] == [True] * held + [False]


@pytest.mark.parametrize(
    ("descriptors", "limit"),
    [(resource.RLIM_INFINITY, MOST), (4096, MOST), (1000, 500), (40, 20), (20, 16)],
)
def test_half_of_the_descriptors_are_for_connections(
    descriptors: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))

    assert most() == limit


def test_a_place_is_free_after_the_answer_and_when_its_connection_has_gone() -> None:
    with crowd(4, 4) as each:
        assert each.hold(0)
        assert each.hold(1)
        assert each.hold(0, is_held=False)
        assert each.hold(2)
        assert not each.hold(3)
        each.leave(1)
        assert each.hold(3)
        each.leave(0)
        assert not each.hold(0)


def test_who_is_unknown_is_not_held_and_takes_no_place() -> None:
    with crowd(2, 2) as each:
        assert not each.all.hold(None, is_held=True)
        assert not each.all.hold(Line(9), is_held=True)
        assert each.hold(0)


def test_one_too_many_ends_the_one_that_is_silent_longest_and_not_held() -> None:
    async def main() -> list[int]:
        each = Crowd(3)
        each.join(3)
        each.hold(0)
        each.protocols[1].data_received(b"G")
        each.join()
        assert each.aborted == [2]
        each.join()
        return each.aborted

    assert play(main()) == [1, 2]


def test_a_full_house_of_held_ones_ends_nobody() -> None:
    async def main() -> list[int]:
        each = Crowd(2)
        each.join(2)
        each.all._most_held = 2
        each.hold(0)
        each.hold(1)
        each.join()
        return each.aborted

    assert play(main()) == [2]


def test_who_gave_way_and_says_something_still_is_forgotten() -> None:
    async def main() -> None:
        each = Crowd(1)
        each.join(2)
        assert each.aborted == [0]
        each.protocols[0].data_received(HEAD)
        each.leave(0)
        assert not each.hold(0)
        await each.all.drain()

    play(main())


def test_the_server_s_own_protocol_is_told_everything() -> None:
    async def main() -> list[object]:
        inner, line, error = Inner(), Line(0), OSError()
        protocol: Any = Connections(lambda: inner, 8)()
        protocol.connection_made(line)
        protocol.data_received(HEAD)
        protocol.pause_writing()
        protocol.resume_writing()
        assert protocol.eof_received() is True
        protocol.connection_lost(error)
        assert inner.told == [line, HEAD, "pause", "resume", "eof", error]
        await asyncio.sleep(60.0)
        return [*line.told]

    assert play(main()) == []


def test_one_that_left_before_its_head_came_is_not_ended_later() -> None:
    async def main() -> list[int]:
        each = Crowd(8)
        each.join()
        each.leave(0)
        await asyncio.sleep(60.0)
        return each.aborted

    assert play(main()) == []


def test_connections_wait_in_the_kernel_while_nobody_accepts() -> None:
    async def main() -> int:
        sock = socket.create_server(("127.0.0.1", 0))
        sock.setblocking(False)
        server = await accept(sock, Connections(asyncio.Protocol, 8))
        with ExitStack() as stack:
            for _ in range(200):
                client = socket.create_connection(sock.getsockname(), timeout=PATIENCE)
                stack.enter_context(client)
            server.close()
        return 200

    assert run(main()) == 200


def test_draining_waits_for_those_that_ask_and_for_16_seconds_at_most() -> None:
    async def main(leaves: float) -> float:
        each = Crowd(8)
        each.join(1, HEAD)
        each.join(1, b"GET")
        began, before = now(), each.all.is_closing
        asyncio.get_running_loop().call_later(leaves, each.leave, 0)
        await each.all.drain()
        assert (before, each.all.is_closing) == (False, True)
        return now() - began

    assert play(main(3.0)) == pytest.approx(3.0)
    assert play(main(60.0)) == pytest.approx(16.0)


def test_finishing_returns_those_without_a_request_and_what_they_have_sent() -> None:
    async def main() -> list[tuple[int, bytes]]:
        each = Crowd(8)
        each.join(1, b"GET")
        each.join(1, HEAD)
        each.join(1)
        began = now()
        waiting = await each.all.finish()
        assert [line.told for line in each.lines] == [["paused"], [], ["paused"]]
        assert now() - began == pytest.approx(2.0)
        await asyncio.sleep(60.0)
        assert each.aborted == []
        return waiting

    assert play(main()) == [(0, b"GET"), (2, b"")]


def test_those_that_were_set_aside_are_served_again() -> None:
    async def main() -> list[list[str]]:
        each = Crowd(8)
        await each.all.drain()
        each.join(1, b"GET")
        each.join(1, HEAD)
        await each.all.finish()
        each.all.go_on()
        assert not each.all.is_closing
        await asyncio.sleep(9.9)
        assert each.aborted == []
        await asyncio.sleep(0.2)
        return [line.told for line in each.lines]

    assert play(main()) == [["paused", "resumed", "aborted"], []]


@pytest.mark.parametrize(
    ("data", "aborted"),
    [
        (b"", [0]),
        (b"GET / HTTP/1.1\r\n", [0]),
        (HEAD, []),
        (b"x" * 64 * 1024, [0]),
        (b"x" * (64 * 1024 + 1), []),
    ],
)
def test_a_head_has_ten_seconds_to_arrive_and_an_overlong_one_is_the_parser_s(
    data: bytes, aborted: list[int]
) -> None:
    async def main() -> list[int]:
        each = Crowd(8)
        each.join(1, data)
        await asyncio.sleep(9.9)
        assert each.aborted == []
        await asyncio.sleep(0.2)
        return each.aborted

    assert play(main()) == aborted
