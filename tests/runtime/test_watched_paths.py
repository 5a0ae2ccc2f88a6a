"""With real directories; looks are taken by hand, or counted."""

from __future__ import annotations

import asyncio
import errno
import resource
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gate.core import backoff
from gate.runtime import path_events, watched_paths
from gate.runtime.watched_paths import DEAF, THICK, WatchedPaths
from tests import conftest
from tests.conftest import open_files


class Told:
    """Paths, how often the kernel has told of them, and how often each was looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = self.looks = 0
        self.paths = WatchedPaths(asyncio.get_running_loop(), self._told)
        self._identity = watched_paths._identity
        monkeypatch.setattr(watched_paths, "_identity", self._look)

    def ask(self, *paths: Path) -> None:
        """Follow *paths*, and let the kernel tell."""
        for path in paths:
            self.paths.at(str(path))
        self.paths.ask()
        self.paths.look()
        self.looks = 0

    def _told(self) -> None:
        self.times += 1
        self.paths.look()

    def _look(self, path: str) -> Any:
        self.looks += 1
        return self._identity(path)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Told], Awaitable[Any]]], Any]:
    async def whole(main: Callable[[Told], Awaitable[Any]]) -> Any:
        told = Told(monkeypatch)
        async with asyncio.timeout(30):
            with closing(told.paths):
                return await main(told)

    return lambda main: conftest.run(whole(main))


async def turn() -> None:
    """Let the loop take what has happened."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_look_sees_what_has_changed_since_the_last_one(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "sock"

    async def main(told: Told) -> list[bool]:
        found = [told.paths.at(str(path)) is None, told.paths.look()]
        path.touch()
        found += [told.paths.look(), told.paths.look(), told.paths.at(str(path)) is None]
        path.unlink()
        return [*found, told.paths.look()]

    assert run(main) == [True, False, True, False, False, True]


def test_the_kernel_tells_once_it_is_asked(run: Any, tmp_path: Path) -> None:
    async def main(told: Told) -> list[object]:
        told.paths.at(str(tmp_path / "sock"))
        (tmp_path / "sock").touch()
        await turn()
        before = told.times, told.paths.is_asked, told.paths.are_told_of
        told.ask()
        (tmp_path / "sock").unlink()
        await turn()
        return [before, told.times >= 1, told.paths.is_asked, told.paths.are_told_of]

    assert run(main) == [(0, False, False), True, True, True]


def test_between_events_there_is_one_look_a_second(run: Any, tmp_path: Path) -> None:
    async def main(told: Told) -> list[int]:
        told.ask(tmp_path / "sock", tmp_path / "other")
        told.paths.look()
        found = [told.looks]
        asyncio.get_running_loop().skip(backoff.LOOK_WHERE_TOLD)  # type: ignore[attr-defined]
        told.paths.look()
        found.append(told.looks)
        (tmp_path / "nobody-s").touch()
        told.paths.look()
        found.append(told.looks)
        (tmp_path / "sock").touch()
        assert told.paths.look()
        return [*found, told.looks]

    assert run(main) == [0, 2, 2, 4]


def test_a_path_that_is_new_is_looked_at_until_it_is_watched(run: Any, tmp_path: Path) -> None:
    async def main(told: Told) -> list[object]:
        told.ask(tmp_path / "sock")
        told.paths.at(str(tmp_path / "new"))
        found: list[object] = [told.paths.are_told_of]
        told.paths.look()
        return [*found, told.paths.are_told_of, told.looks]

    assert run(main) == [False, True, 3]


def test_what_cannot_be_watched_is_looked_at_each_time(run: Any, tmp_path: Path) -> None:
    async def main(told: Told) -> tuple[bool, int]:
        told.ask(tmp_path / "sock", Path("/proc/self/root/sock"))
        for _ in range(3):
            told.paths.look()
        return told.paths.are_told_of, told.looks

    assert run(main) == (False, 6)


async def write_much(told: Told, folder: Path) -> None:
    for number in range(2 * THICK):
        (folder / str(number)).touch()
        await turn()


def test_events_that_come_thick_are_not_heard_for_a_while(run: Any, tmp_path: Path) -> None:
    async def main(told: Told) -> list[object]:
        loop: Any = asyncio.get_running_loop()
        told.ask(tmp_path / "sock")
        await write_much(told, tmp_path)
        found: list[object] = [told.times]
        for seconds in (0.0, DEAF / 2, DEAF / 2):
            loop.skip(seconds)
            told.paths.hear()
            assert not told.paths.are_told_of
            await turn()
            found.append(told.paths.are_told_of)
        await write_much(told, tmp_path)
        return [*found, told.times]

    # That nothing is watched any more is an event too.
    assert run(main) == [THICK, False, False, True, 2 * THICK + 1]


def test_where_events_came_thick_nothing_is_watched_and_each_look_tells(
    run: Any, tmp_path: Path
) -> None:
    async def main(told: Told) -> list[object]:
        told.ask(tmp_path / "sock")
        await write_much(told, tmp_path)
        assert told.paths._events
        told.paths._events.read()
        told.looks = 0
        (tmp_path / "sock").touch()
        is_told = bool(told.paths._events.read())
        return [is_told, told.paths.look(), told.paths.look(), told.looks]

    assert run(main) == [False, True, False, 2]


def test_some_events_each_second_are_not_too_many(run: Any, tmp_path: Path) -> None:
    async def main(told: Told) -> tuple[int, bool]:
        loop: Any = asyncio.get_running_loop()
        told.ask(tmp_path / "sock")
        for number in range(2 * THICK):
            (tmp_path / str(number)).touch()
            await turn()
            if number % (THICK - 1) == 0:
                loop.skip(backoff.LOOK_WHERE_TOLD)
            told.paths.look()
        return told.times, told.paths.are_told_of

    assert run(main) == (2 * THICK, True)


def test_who_is_to_be_woken_by_nothing_is_not(run: Any, tmp_path: Path) -> None:
    async def main(told: Told) -> list[int]:
        told.ask(tmp_path / "sock")
        told.paths.ignore()
        (tmp_path / "sock").touch()
        await turn()
        found = [told.times]
        told.paths.hear()
        await turn()
        return [*found, min(told.times, 1)]

    assert run(main) == [0, 1]


def test_nothing_is_left_when_looking_ends(run: Any, tmp_path: Path) -> None:
    async def main(told: Told) -> tuple[int, bool]:
        before = open_files()
        told.ask(tmp_path / "sock")
        assert open_files() == before + 1
        assert told.paths._events
        descriptor = told.paths._events.descriptor
        told.paths.close()
        is_waited_for = asyncio.get_running_loop().remove_reader(descriptor)
        return open_files() - before, is_waited_for

    assert run(main) == (0, False)


def no_ctypes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gate.runtime.path_events", None)


def no_descriptor(_: pytest.MonkeyPatch) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))


def no_function(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> int:
        raise OSError(errno.ENOSYS, "function not implemented")

    monkeypatch.setattr(path_events, "call", unknown)


@pytest.mark.parametrize("take_away", [no_ctypes, no_descriptor, no_function])
def test_where_the_kernel_does_not_tell_each_look_tells(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, take_away: Any
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def main(told: Told) -> list[object]:
        take_away(monkeypatch)
        try:
            told.ask(tmp_path / "sock")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        (tmp_path / "sock").touch()
        return [told.paths.is_asked, told.paths.are_told_of, told.paths.look(), told.looks]

    assert run(main) == [True, False, True, 1]
