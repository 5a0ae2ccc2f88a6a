from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from gate.checks import file
from tests.conftest import outcome, problems_of, run, watch_for, why_not
from tests.unhurried import Unhurried


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a file"
    path.write_text("first\nDONE\n")
    return path


def url(path: Path) -> str:
    return f"file://{path}".replace(" ", "%20")


class Between(Unhurried):
    """Lets *kind* happen between the two looks."""

    def __init__(self, kind: Callable[[], None]) -> None:
        super().__init__()
        self._happening = kind

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        if delay == file.BETWEEN_LOOKS:
            self._happening()
        return super().call_later(delay, callback, *args, context=context)


def why_not_when(kind: Callable[[], None], line: str) -> str:
    """Return why the file of *line* is not ready when that happens between the looks."""
    with asyncio.Runner(loop_factory=partial(Between, kind)) as runner:
        return runner.run(why_not(line))


def test_a_whole_file_is_ready(path: Path) -> None:
    assert run(why_not(url(path))) == ""


def test_two_looks_are_a_tenth_of_a_second_apart(path: Path) -> None:
    result = run(outcome(url(path)))

    assert result.finished - result.started >= file.BETWEEN_LOOKS


def test_no_such_file_is_what_until_down_waits_for(tmp_path: Path) -> None:
    line = url(tmp_path / "none")

    assert run(why_not(line)) == "no such file"
    assert run(outcome(f"{line} until=down")).ok


def test_a_path_through_a_file_is_no_such_file(path: Path) -> None:
    assert run(why_not(f"{url(path)}/none")) == "no such file"


def test_a_link_to_nothing_is_no_such_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("none")

    assert run(why_not(url(tmp_path / "link"))) == "no such file"


def test_an_empty_file_is_not_ready_unless_it_may_be_empty(path: Path) -> None:
    path.write_bytes(b"")

    assert run(why_not(url(path))) == "empty"
    assert run(why_not(f"{url(path)} min-size=0")) == ""


def test_a_file_that_is_too_small_is_not_ready(path: Path) -> None:
    assert run(why_not(f"{url(path)} min-size=12")) == "11 of at least 12 bytes"
    assert run(why_not(f"{url(path)} min-size=11")) == ""


def test_what_is_no_file_is_not_ready(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    assert run(why_not(url(tmp_path))) == "is a directory"
    assert run(why_not(url(tmp_path / "fifo"))) == "is not a regular file"


@pytest.mark.parametrize("contains", ["", " contains=DONE"])
def test_a_file_that_grows_between_the_looks_is_still_being_written(
    path: Path, contains: str
) -> None:
    def grow() -> None:
        path.write_text(path.read_text() + "more")

    assert why_not_when(grow, url(path) + contains) == "still being written"


def test_a_file_that_is_rewritten_at_the_same_length_is_still_being_written(path: Path) -> None:
    def rewrite() -> None:
        path.write_bytes(path.read_bytes())

    os.utime(path, (1e9, 1e9))
    assert why_not_when(rewrite, url(path)) == "still being written"


def swap(volume: Path, name: str) -> None:
    """Point the `..data` link of a projected volume elsewhere, as the kubelet does."""
    (volume / "..tmp").symlink_to(name)
    (volume / "..tmp").rename(volume / "..data")


def test_a_projected_volume_is_ready_and_its_swap_is_a_write(tmp_path: Path) -> None:
    for name in ("..1", "..2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text("value")
        os.utime(tmp_path / name / "key", (1e9, 1e9))
    swap(tmp_path, "..1")
    (tmp_path / "key").symlink_to("..data/key")
    line = f"{url(tmp_path / 'key')} contains=value"

    assert run(why_not(line)) == ""
    assert why_not_when(lambda: swap(tmp_path, "..2"), line) == "still being written"
    assert run(why_not(line)) == ""


def test_the_wanted_text_is_looked_for_and_never_told(path: Path) -> None:
    assert run(why_not(f"{url(path)} contains=DONE")) == ""
    assert run(why_not(f"{url(path)} contains=hunter2")) == "does not contain the wanted text"


def test_the_end_of_a_long_file_is_searched(path: Path) -> None:
    path.write_bytes(b"BEGIN" + b"x" * 1024 * 1024 + b"END")

    assert run(why_not(f"{url(path)} contains=END")) == ""
    assert run(why_not(f"{url(path)} contains=BEGIN")) == "does not contain the wanted text"


def test_a_file_changed_lately_is_not_old_enough(path: Path) -> None:
    line = f"{url(path)} older-than=5s"

    assert run(why_not(line)) == "changed less than 5s ago"

    earlier = time.time() - 6
    os.utime(path, (earlier, earlier))
    assert run(why_not(line)) == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights and take them back")
def test_a_file_is_not_opened_but_for_its_content() -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder, "key")
        path.write_text("DONE")
        path.chmod(0o600)
        os.seteuid(65532)
        try:
            assert run(why_not(url(path))) == ""
            assert run(why_not(f"{url(path)} contains=DONE")) == "permission denied"
        finally:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("file://data/x", "the URL wants an absolute path; write file:///path/to/file"),
        ("file:data", "the URL wants an absolute path; write file:///path/to/file"),
        ("file:///a%00b", "the URL wants an absolute path; write file:///path/to/file"),
        ("file:///a?b", "in the path of the URL write ? as %3F"),
    ],
)
def test_what_is_wrong_is_a_problem(line: str, problem: str) -> None:
    assert problems_of(f"data {line}") == [problem]


@pytest.mark.parametrize(
    "happening",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text("more than before\n"),
        lambda path: path.with_name("new").rename(path),
        lambda path: path.with_name("none").write_text("now there is\n"),
    ],
)
def test_what_becomes_of_the_file_is_worth_another_attempt(
    path: Path, happening: Callable[[Path], object]
) -> None:
    path.with_name("new").write_text(path.read_text())

    async def main() -> list[bool]:
        watched = [path, path.with_name("none")]
        checks = [watch_for(url(each)).check for each in watched]
        told = [asyncio.ensure_future(check.changed()) for check in checks]  # type: ignore[attr-defined]
        await asyncio.sleep(0.3)
        assert not any(each.done() for each in told)
        happening(path)
        await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED, timeout=30)
        done = [each.done() for each in told]
        for each in told:
            each.cancel()
        return done

    assert sum(run(main())) == 1
