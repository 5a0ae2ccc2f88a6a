from __future__ import annotations

from pathlib import Path

import pytest

from gate.config.settings import TERMINATION_LOG
from gate.report import termination_message


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


@pytest.mark.parametrize(("setting", "path"), [("off", None), ("/x/y", "/x/y")])
def test_where_the_message_goes(setting: str, path: str | None) -> None:
    assert termination_message.termination_path(setting) == path


def test_without_a_container_there_is_no_message() -> None:
    if Path(TERMINATION_LOG).exists():
        pytest.skip("this is a container with a termination log")

    assert termination_message.termination_path(None) is None
