"""With real directories: events are there as soon as the call that causes them returns."""

from __future__ import annotations

import errno
import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gate.runtime import path_events
from gate.runtime.path_events import PathEvents
from tests.conftest import nobody, open_files


@pytest.fixture
def events() -> Iterator[PathEvents]:
    with closing(PathEvents()) as made:
        yield made


def is_told(events: PathEvents) -> bool:
    """Return whether *events* that concern the paths have come."""
    return events.concern_paths(events.read())


def make_volume(folder: Path, version: str) -> None:
    """Make or change a volume as the kubelet does: by one rename of a link."""
    (folder / f"..{version}").mkdir()
    (folder / f"..{version}" / "file").write_text(version)
    (folder / "..tmp").symlink_to(f"..{version}")
    (folder / "..tmp").rename(folder / "..data")


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


def replace(path: Path) -> None:
    path.with_name("new").write_text("")
    path.with_name("new").rename(path)


@pytest.mark.parametrize(
    "change",
    [bind, Path.touch, Path.mkdir, lambda path: path.symlink_to("nowhere")],
    ids=["socket", "file", "directory", "link"],
)
def test_what_appears_at_a_path_is_told(
    events: PathEvents, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "app"
    assert events.watch([str(path)])
    before = is_told(events)
    change(path)

    assert (before, is_told(events), is_told(events)) == (False, True, False)


@pytest.mark.parametrize(
    "change",
    [Path.unlink, lambda path: path.chmod(0o600), replace, lambda path: path.rename(f"{path}.old")],
    ids=["removed", "rights", "replaced", "renamed"],
)
def test_what_happens_to_what_is_there_is_told(
    events: PathEvents, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "app"
    path.touch()
    events.watch([str(path)])
    change(path)

    assert is_told(events)


def test_each_missing_parent_is_told_of_and_then_the_file(
    events: PathEvents, tmp_path: Path
) -> None:
    path = tmp_path / "run" / "app" / "sock"
    told = []
    for make in (path.parent.parent.mkdir, path.parent.mkdir, path.touch):
        assert events.watch([str(path)])
        make()
        told.append(is_told(events))

    assert told == [True, True, True]


def test_a_parent_that_is_replaced_is_told_of_and_then_what_is_in_the_new_one(
    events: PathEvents, tmp_path: Path
) -> None:
    path = tmp_path / "run" / "sock"
    path.parent.mkdir()
    events.watch([str(path)])
    path.parent.rename(tmp_path / "old")
    path.parent.mkdir()
    replaced = is_told(events)
    events.watch([str(path)])
    (tmp_path / "old" / "sock").touch()
    in_the_old_one = is_told(events)
    path.touch()

    assert (replaced, in_the_old_one, is_told(events)) == (True, False, True)


def test_a_link_that_is_swapped_is_told_of(events: PathEvents, tmp_path: Path) -> None:
    """The way leads over two links: file -> ..data/file, and ..data -> ..VERSION."""
    make_volume(tmp_path, "1")
    (tmp_path / "file").symlink_to("..data/file")
    told = []
    for version in ("2", "3"):
        events.watch([str(tmp_path / "file")])
        make_volume(tmp_path, version)
        told.append(is_told(events))

    assert told == [True, True]


@pytest.mark.parametrize("target", ["{0}/there", "../link/./../there"])
def test_what_is_where_a_link_leads_is_told_of(
    events: PathEvents, tmp_path: Path, target: str
) -> None:
    for name in ("link", "there"):
        (tmp_path / name).mkdir()
    (tmp_path / "link" / "way").symlink_to(target.format(tmp_path))
    events.watch([str(tmp_path / "link" / "way" / "sock")])
    (tmp_path / "there" / "sock").touch()

    assert is_told(events)


def test_links_that_lead_in_a_circle_end(events: PathEvents, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    assert events.watch([str(tmp_path / "one")])
    (tmp_path / "two").unlink()

    assert is_told(events)


def test_a_file_where_a_directory_is_wanted_is_told_of(events: PathEvents, tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    assert events.watch([str(tmp_path / "run" / "sock")])
    (tmp_path / "run").unlink()

    assert is_told(events)


def test_what_others_do_beside_it_concerns_nobody(events: PathEvents, tmp_path: Path) -> None:
    events.watch([str(tmp_path / "sock")])
    (tmp_path / "other").touch()
    (tmp_path / f"sock.{tmp_path.parts[1]}").touch()
    told = events.read()

    assert told
    assert not events.concern_paths(told)


def test_what_happens_to_others_than_the_last_paths_concerns_nobody(
    events: PathEvents, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        events.watch([str(tmp_path / name)])
    (tmp_path / "one").touch()

    assert not is_told(events)


def test_events_that_were_lost_concern_all(events: PathEvents, tmp_path: Path) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    events.watch([str(tmp_path / "sock")])
    first, second = tmp_path / "first", tmp_path / "second"
    first.touch()
    # No two that follow each other are alike, as those would become one.
    for _ in range(most // 4 + 1):
        first.rename(second)
        second.rename(first)

    told = []
    while found := events.read():
        told.append(events.concern_paths(found))

    assert told[-1]
    assert not any(told[:-1])


def test_a_directory_that_cannot_be_read_cannot_be_watched(events: PathEvents) -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        Path(folder, "shut").mkdir(mode=0o311)
        with nobody():
            are_watched = events.watch([f"{folder}/shut/sock", f"{folder}/sock"])
        Path(folder, "sock").touch()

        assert not are_watched
        assert is_told(events)


def test_what_proc_shows_is_not_told_of(events: PathEvents) -> None:
    assert not events.watch([f"/proc/{os.getpid()}/root/run/sock"])


@pytest.mark.parametrize(("code", "is_watched"), [(errno.ENOSPC, False), (errno.ENOENT, True)])
def test_beyond_the_limit_nothing_is_watched_but_what_has_gone_needs_no_watch(
    events: PathEvents, monkeypatch: pytest.MonkeyPatch, code: int, *, is_watched: bool
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(path_events, "call", refuse)

    assert events.watch(["/run/sock"]) is is_watched


def test_what_is_no_longer_on_the_way_is_no_longer_watched(
    events: PathEvents, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    link = tmp_path / "link"
    for name in ("one", "two", "one"):
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        events.watch([str(link / "sock")])
    events.read()
    (tmp_path / "two" / "sock").touch()

    assert events.read() == b""


def test_it_leaves_no_descriptor_behind_and_none_to_other_programs() -> None:
    before = open_files()
    with closing(PathEvents()) as events:
        during, is_inherited = open_files(), os.get_inheritable(events.descriptor)

    assert (during - before, open_files() - before, is_inherited) == (1, 0, False)


def test_without_a_descriptor_there_are_no_events() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            PathEvents()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
