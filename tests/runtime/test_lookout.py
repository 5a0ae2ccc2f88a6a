from __future__ import annotations

import asyncio
import math
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gate.core import backoff
from gate.core.latch import Latch
from gate.runtime import lookout
from gate.runtime.board import Board
from gate.runtime.lookout import Lookout, Watch
from gate.runtime.runner import run_checks
from gate.runtime.watched_paths import DEAF, THICK
from tests import conftest
from tests.conftest import free_port, open_files, watch_for
from tests.unhurried import Unhurried

LONG = 3600.0
LOCAL = "127.0.0.1"


def run(main: Callable[[Lookout], Awaitable[Any]]) -> Any:
    """Run *main*; what would last for an hour is a failure after seconds."""

    async def whole() -> Any:
        async with asyncio.timeout(30), Lookout() as out:
            return await main(out)

    return conftest.run(whole())


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise PermissionError

    monkeypatch.setattr(lookout, "Lookups", refused)


@pytest.fixture
def unix(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    with socket.socket(socket.AF_UNIX) as sock:
        yield sock, str(tmp_path / "sock")


def test_a_port_that_begins_to_listen_ends_the_pause() -> None:
    place = (LOCAL, free_port())

    async def main(out: Lookout) -> tuple[bool, bool]:
        watch = Watch(out)
        watch.note({place: False})
        before = watch.sees_nothing
        pause = asyncio.ensure_future(watch.pause(LONG))
        await asyncio.sleep(0.2)
        assert not pause.done()
        with socket.create_server(place):
            await pause
        return before, watch.sees_nothing

    assert run(main) == (True, False)


def test_what_listened_before_the_first_look_is_news_where_the_attempt_was_refused() -> None:
    async def main(out: Lookout) -> bool:
        watch = Watch(out)
        with socket.create_server((LOCAL, 0)) as server:
            place = server.getsockname()
            watch.note({place: False})
            await watch.pause(LONG)
            # Refused by one that listens: knocking goes on, but without haste.
            watch.note({place: False})
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(watch.pause(LONG), 0.2)
            return watch.sees_nothing

    assert run(main) is False


def test_a_server_that_goes_ends_the_pause_and_so_does_the_next_one() -> None:
    async def main(out: Lookout) -> list[bool]:
        watch = Watch(out)
        with socket.create_server((LOCAL, 0)) as server:
            place = server.getsockname()
            watch.note({place: True})
            pause = asyncio.ensure_future(watch.pause(LONG))
            await asyncio.sleep(0.2)
            assert not pause.done()
        await pause
        watch.note({place: False})
        gone = watch.sees_nothing
        with socket.create_server(place):
            await watch.pause(LONG)
        return [gone, watch.sees_nothing]

    assert run(main) == [True, False]


def test_one_that_looks_takes_no_news_from_another() -> None:
    place = (LOCAL, free_port())

    async def main(out: Lookout) -> None:
        watch, other = Watch(out), Watch(out)
        watch.note({place: False})
        pause = asyncio.ensure_future(watch.pause(LONG))
        await asyncio.sleep(0)
        with socket.create_server(place):
            other.note({place: True})
            await pause

    run(main)


def test_a_socket_that_appears_at_a_path_ends_the_pause(unix: tuple[socket.socket, str]) -> None:
    sock, path = unix

    async def main(out: Lookout) -> tuple[bool, bool]:
        watch = Watch(out)
        watch.note({(path, 0): False})
        before = watch.sees_nothing
        pause = asyncio.ensure_future(watch.pause(LONG))
        await asyncio.sleep(0.2)
        assert not pause.done()
        sock.bind(path)
        await pause
        return before, watch.sees_nothing

    assert run(main) == (True, False)


def test_another_socket_at_the_path_ends_the_pause(unix: tuple[socket.socket, str]) -> None:
    sock, path = unix

    async def main(out: Lookout) -> None:
        sock.bind(f"{path}.new")
        with socket.socket(socket.AF_UNIX) as old:
            old.bind(path)
            watch = Watch(out)
            watch.note({(path, 0): True})
            pause = asyncio.ensure_future(watch.pause(LONG))
            await asyncio.sleep(0.2)
            assert not pause.done()
            os.rename(f"{path}.new", path)  # noqa: PTH104 -- Path is for what may block
            await pause

    run(main)


@pytest.fixture
def only_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no look tell of a path once the kernel does."""
    monkeypatch.setattr(backoff, "LOOK_WHERE_TOLD", LONG)


async def told_of(out: Lookout, path: str, *, is_there: bool) -> asyncio.Task[None]:
    """Return a pause after an attempt at *path*, which the kernel tells of by now."""
    watch = Watch(out)
    watch.note({(path, 0): is_there})
    pause = asyncio.ensure_future(watch.pause(LONG))
    while out._loop.selector.every < LONG:
        # Nothing has changed for so long.
        out._changed -= backoff.ASK
        await asyncio.sleep(0.01)
    assert not pause.done()
    return pause


@pytest.mark.usefixtures("only_events")
def test_a_socket_that_goes_or_comes_ends_the_pause_when_the_kernel_tells(
    unix: tuple[socket.socket, str],
) -> None:
    sock, path = unix
    sock.bind(path)

    async def main(out: Lookout) -> None:
        pause = await told_of(out, path, is_there=True)
        os.unlink(path)  # noqa: PTH108 -- Path is for what may block
        await pause
        pause = await told_of(out, path, is_there=False)
        with socket.socket(socket.AF_UNIX) as new:
            new.bind(path)
            await pause

    run(main)


@pytest.mark.usefixtures("only_events")
def test_a_socket_whose_directories_are_made_with_it_ends_the_pause(tmp_path: Path) -> None:
    path = tmp_path / "run" / "app" / "sock"

    async def main(out: Lookout) -> None:
        pause = await told_of(out, str(path), is_there=False)
        for parent in (path.parent.parent, path.parent):
            await asyncio.sleep(0.01)
            os.mkdir(parent)  # noqa: PTH102 -- Path is for what may block
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(path))
            await pause

    run(main)


@pytest.mark.usefixtures("only_events")
def test_a_path_that_is_waited_for_later_is_told_of_too(unix: tuple[socket.socket, str]) -> None:
    sock, path = unix

    async def main(out: Lookout) -> None:
        first = await told_of(out, "/nowhere", is_there=False)
        pause = await told_of(out, path, is_there=False)
        sock.bind(path)
        await pause
        # The other one still waits.
        assert out._paths._is_heard
        first.cancel()

    run(main)


@pytest.mark.usefixtures("only_events")
def test_the_kernel_wakes_who_waits_and_nobody_else(tmp_path: Path) -> None:
    path = str(tmp_path / "sock")

    async def main(out: Lookout) -> list[bool]:
        pause = await told_of(out, path, is_there=False)
        pause.cancel()
        await asyncio.gather(pause, return_exceptions=True)
        found = [out._paths._is_heard]
        again = Watch(out)
        again.note({(path, 0): False})
        pause = asyncio.ensure_future(again.pause(LONG))
        await asyncio.sleep(0)
        found.append(out._paths._is_heard)
        pause.cancel()
        return found

    assert run(main) == [False, True]


@pytest.mark.usefixtures("only_events")
def test_where_others_write_much_looks_are_frequent_until_that_is_over(tmp_path: Path) -> None:
    async def main(out: Lookout) -> float:
        pause = await told_of(out, str(tmp_path / "sock"), is_there=False)
        for number in range(THICK):
            os.mkdir(tmp_path / str(number))  # noqa: PTH102 -- Path is for what may block
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        every = out._loop.selector.every
        assert not out._paths.are_told_of
        out._paths._deaf_until -= DEAF
        while out._loop.selector.every < LONG:  # noqa: ASYNC110 -- a look wakes nobody
            await asyncio.sleep(0.01)
        pause.cancel()
        return every

    assert run(main) <= backoff.LONGEST_LOOK


def test_nothing_is_left_open_when_looking_ends() -> None:
    async def whole() -> int:
        before = open_files()
        async with Lookout() as out:
            out._paths.ask()
        return open_files() - before

    assert conftest.run(whole()) == 0


@pytest.mark.usefixtures("only_events")
def test_where_a_port_is_waited_for_too_looks_keep_their_pace(tmp_path: Path) -> None:
    async def main(out: Lookout) -> list[float]:
        port = Watch(out)
        pause = await told_of(out, str(tmp_path / "sock"), is_there=False)
        port.note({(LOCAL, free_port()): False})
        await port.pause(0.2)
        with_it = out._loop.selector.every
        await asyncio.sleep(0.2)
        pause.cancel()
        return [with_it, out._loop.selector.every]

    with_it, without = run(main)
    assert with_it <= backoff.LONGEST_LOOK
    assert without == LONG


def test_the_kernel_is_not_asked_for_ports_nor_in_the_first_second(tmp_path: Path) -> None:
    async def main(out: Lookout) -> list[bool]:
        path, port = Watch(out), Watch(out)
        path.note({(str(tmp_path / "sock"), 0): False})
        await path.pause(0.2)
        found = [out._paths.is_asked]
        out._changed -= backoff.ASK
        port.note({(LOCAL, free_port()): False})
        await port.pause(0.2)
        out._changed -= backoff.ASK
        await port.pause(0.2)
        return [*found, out._paths.is_asked]

    assert run(main) == [False, False]


def test_refusals_count_from_what_has_appeared(unix: tuple[socket.socket, str]) -> None:
    sock, path = unix

    async def main(out: Lookout) -> list[float]:
        watch = Watch(out)
        found = []
        for is_there in (False, False, False, True):
            watch.note({(path, 0): is_there})
            found.append(watch.refusals)
            pause = asyncio.ensure_future(watch.pause(0.2))
            if len(found) == 1:
                sock.bind(path)
            await pause
        return found

    assert run(main) == [math.inf, 1, 2, math.inf]


@pytest.mark.parametrize("places", [{}, {(LOCAL, 1): False}, {("/nowhere", 0): False}])
def test_without_news_a_pause_has_its_full_length(places: dict[Any, bool]) -> None:
    async def main(out: Lookout) -> float:
        loop = asyncio.get_running_loop()
        watch = Watch(out)
        watch.note(places)
        began = loop.time()
        await watch.pause(0.3)
        # News that comes in the moment in which time is up changes nothing.
        watch.end_pause()
        return loop.time() - began

    assert run(main) >= 0.3


@pytest.mark.usefixtures("blind")
def test_where_the_kernel_does_not_tell_pauses_are_as_elsewhere() -> None:
    async def main(out: Lookout) -> list[bool]:
        ports, paths = Watch(out), Watch(out)
        ports.note({(LOCAL, 1): False})
        paths.note({("/nowhere", 0): False})
        await ports.pause(0.1)
        ports.note({(LOCAL, 1): True, (LOCAL, 2): False})
        await ports.pause(0.1)
        return [ports.sees_nothing, paths.sees_nothing]

    assert run(main) == [False, True]


def test_a_kernel_that_stops_telling_is_asked_no_more() -> None:
    place = (LOCAL, free_port())

    async def main(out: Lookout) -> list[bool]:
        watch = Watch(out)
        watch.note({place: False})
        seen = [watch.sees_nothing]
        assert out._sockets is not None
        out._sockets.close()
        await watch.pause(0.3)
        watch.note({place: False})
        await watch.pause(0.1)
        return [*seen, watch.sees_nothing]

    assert run(main) == [True, False]


def test_who_waits_for_nothing_is_woken_by_nothing() -> None:
    async def main(out: Lookout) -> object:
        watch = Watch(out)
        watch.note({(LOCAL, 1): False})
        pause = asyncio.ensure_future(watch.pause(LONG))
        await asyncio.sleep(0)
        pause.cancel()
        await asyncio.gather(pause, return_exceptions=True)
        return out._loop.selector.look

    assert run(main) is None


def test_looks_are_frequent_again_once_something_has_changed() -> None:
    place = (LOCAL, free_port())

    async def main(out: Lookout) -> list[float]:
        watch = Watch(out)
        watch.note({place: False})
        # The first look is news, whatever it sees.
        await watch.pause(0.2)
        out._changed -= 60.0
        await watch.pause(0.2)
        found = [out._loop.selector.every]
        pause = asyncio.ensure_future(watch.pause(LONG))
        with socket.create_server(place):
            await pause
        return [*found, out._loop.selector.every]

    assert run(main) == [0.1, 0.05]


def test_those_that_answer_without_being_ready_are_counted() -> None:
    async def main(out: Lookout) -> list[int]:
        watches = [Watch(out) for _ in range(3)]
        counts = []
        for places in ({(LOCAL, 1): True}, {(LOCAL, 1): False}, {}):
            for watch in watches:
                watch.note(places)
            counts.append(watches[0].crowd)
        return counts

    assert run(main) == [3, 0, 0]


def test_a_port_that_does_not_listen_is_tried_once_and_when_it_does() -> None:
    port = free_port()
    check = watch_for(f"db tcp://localhost:{port}")

    async def main(_: Lookout) -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Unhurried)
        board = Board(Latch([check.dependency], now=loop.time()))
        running = asyncio.ensure_future(run_checks([check], board))
        while not board.snapshot().dependencies[0].attempts:  # noqa: ASYNC110 -- a result wakes nobody
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert board.snapshot().dependencies[0].reason == "connection refused"
        with closing(socket.create_server((LOCAL, port))):
            await running
        return board.snapshot().dependencies[0].attempts

    assert run(main) == 2
