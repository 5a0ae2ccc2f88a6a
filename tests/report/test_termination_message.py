from __future__ import annotations

from pathlib import Path

import pytest

from gate.config.settings import TERMINATION_LOG
from gate.report import termination_message
from gate.serve import state_file
from tests.conftest import nobody


def test_a_message_is_written_in_place_and_cut_at_what_the_kubelet_reads(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before")
    inode = path.stat().st_ino

    termination_message.write_message(str(path), "é" * 5000)

    assert path.stat().st_ino == inode
    assert len(path.read_bytes()) <= 4096
    assert path.read_text().endswith("é…")


def test_a_shorter_message_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    termination_message.write_message(str(path), "waiting for db, cache and queue")

    termination_message.write_message(str(path), "waiting for db")

    assert path.read_text() == "waiting for db"


def test_a_message_is_never_refused_for_its_letters(tmp_path: Path) -> None:
    path = tmp_path / "log"

    termination_message.write_message(str(path), "unknown: caf\udce9")

    assert path.read_text() == "unknown: caf?"


def test_a_mark_counts_in_this_sandbox_only(tmp_path: Path) -> None:
    path = tmp_path / "opened"
    before = state_file.has_opened(str(path))
    state_file.mark_opened(str(path))
    after = state_file.has_opened(str(path))
    path.write_text(path.read_text().replace("net:[", "net:[9"))

    assert (before, after, state_file.has_opened(str(path))) == (False, True, False)
    assert [one.name for one in tmp_path.iterdir()] == ["opened"]


def test_half_a_mark_is_none(tmp_path: Path) -> None:
    path = tmp_path / "opened"
    path.write_bytes(b"\xff\x00")

    assert not state_file.has_opened(str(path))


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("{tmp}/opened", ""),
        ("{tmp}/no/opened", "there is no folder {tmp}/no; mount an emptyDir there"),
        ("{tmp}", "{tmp} is a folder; name a file in it"),
        ("/usr/opened", "the folder /usr cannot be written; mount an emptyDir there"),
    ],
)
def test_why_a_mark_cannot_be_kept(tmp_path: Path, path: str, why: str) -> None:
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        parent.chmod(0o755)

    with nobody():
        found = state_file.why_unusable(path.format(tmp=tmp_path))

    assert found == why.format(tmp=tmp_path)


@pytest.mark.parametrize(("setting", "path"), [("off", None), ("/x/y", "/x/y")])
def test_where_the_message_goes(setting: str, path: str | None) -> None:
    assert termination_message.termination_path(setting) == path


def test_without_a_container_there_is_no_message() -> None:
    if Path(TERMINATION_LOG).exists():
        pytest.skip("this is a container with a termination log")

    assert termination_message.termination_path(None) is None
