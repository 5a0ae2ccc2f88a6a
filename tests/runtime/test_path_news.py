"""Real files, and the kernel's word about them; the time without it is virtual."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gate.runtime import path_events, path_news
from gate.runtime.path_news import PathNews
from tests.conftest import run
from tests.process import PATIENCE
from tests.runtime.test_path_events import make_volume


def write_on(file: Path) -> None:
    with file.open("a") as opened:
        opened.write("more")
        opened.flush()
        # Still open: a log, for example.
        os.fsync(opened.fileno())


def swap(file: Path) -> None:
    make_volume(file.parent, "new")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file in a volume as the kubelet makes it."""
    make_volume(tmp_path, "old")
    link = tmp_path / "file"
    link.symlink_to("..data/file")
    return link


async def told_of(path: Path, happening: Callable[[], object]) -> None:
    """Return when a wait for *path* has ended by *happening*; raises `TimeoutError`."""
    news = PathNews(str(path))
    try:
        await news.listen()
        happening()
        async with asyncio.timeout(PATIENCE):
            await news.wait()
    finally:
        news.close()


@pytest.mark.parametrize("happening", [write_on, swap, Path.unlink])
def test_what_happens_to_a_file_ends_a_wait(
    file: Path, happening: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_news, "TOLD", 2 * PATIENCE)

    run(told_of(file, lambda: happening(file)))


def test_a_folder_on_the_way_is_told_of_and_then_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_news, "TOLD", 2 * PATIENCE)
    folder = tmp_path / "later"

    async def main() -> None:
        news = PathNews(str(folder / "file"))
        try:
            await news.listen()
            async with asyncio.timeout(PATIENCE):
                folder.mkdir()
                await news.wait()
                (folder / "file").write_text("now")
                await news.wait()
        finally:
            news.close()

    run(main())


def test_what_others_write_beside_it_ends_no_wait(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_news, "TOLD", 2 * PATIENCE)
    read: list[bytes] = []
    reading = path_events.PathEvents.read

    def noted(events: path_events.PathEvents) -> bytes:
        read.append(reading(events))
        return read[-1]

    monkeypatch.setattr(path_events.PathEvents, "read", noted)

    async def main() -> bool:
        news = PathNews(str(file))
        try:
            await news.listen()
            waiting = asyncio.create_task(news.wait())
            for count in (1, 2):
                (file.parent / "other").write_text("x")
                async with asyncio.timeout(PATIENCE):
                    while len(read) < count:  # noqa: ASYNC110 -- nothing tells of it
                        await asyncio.sleep(0.01)
            was_over = waiting.done()
            write_on(file)
            async with asyncio.timeout(PATIENCE):
                await waiting
            return was_over
        finally:
            news.close()

    assert run(main()) is False


@pytest.mark.parametrize("error", [OSError, ImportError])
def test_where_the_kernel_does_not_tell_time_ends_a_wait_sooner(
    file: Path, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Any) -> None:
        raise error

    monkeypatch.setattr(path_events, "PathEvents", refused)
    monkeypatch.setattr(path_news, "TOLD", 2 * PATIENCE)
    monkeypatch.setattr(path_news, "UNTOLD", 0.01)

    run(told_of(file, lambda: None))


def test_what_other_hosts_write_is_looked_for_now_and_then(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_news, "TOLD", 0.01)
    monkeypatch.setattr(path_news, "UNTOLD", 2 * PATIENCE)

    run(told_of(file, lambda: None))


def test_news_ends_one_wait_and_no_other(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_news, "TOLD", 2 * PATIENCE)

    async def main() -> bool:
        news = PathNews(str(file))
        await news.listen()
        write_on(file)
        async with asyncio.timeout(PATIENCE):
            await news.wait()
        another = asyncio.create_task(news.wait())
        for _ in range(5):
            await asyncio.sleep(0)
        was_over = another.done()
        another.cancel()
        news.close()
        return was_over

    assert run(main()) is False


@pytest.mark.parametrize("of_others", [0, 1])
def test_after_the_end_nobody_listens(
    file: Path,
    of_others: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(path_news, "GATHERING", 2 * PATIENCE)

    async def main() -> bool:
        news = PathNews(str(file))
        await news.listen()
        assert news._events
        if of_others:
            news._read(news._events)
        news.close()
        assert not news._again or news._again.cancelled()
        return asyncio.get_running_loop().remove_reader(news._events.descriptor)

    assert run(main()) is False


async def counted(act: Callable[[], Awaitable[None]]) -> int:
    """Return how many descriptors there are after *act*."""
    await act()
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- what tells, in one call


def test_nothing_is_left_open(file: Path) -> None:
    async def main() -> None:
        for _ in range(3):
            await told_of(file, lambda: write_on(file))
        # Closed while others' events are left to gather.
        news = PathNews(str(file))
        await news.listen()
        (file.parent / "other").write_text("x")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        news.close()

    # The first makes what stays: the loop's own.
    counts = [run(counted(main)) for _ in range(2)]

    assert counts[0] == counts[1]
