from __future__ import annotations

import os
from pathlib import Path

import pytest

from gate.checks.wire import secret_file
from gate.core import attempt
from gate.core.errors import CheckFailed
from tests.conftest import problems_of, run


def read(path: Path) -> str:
    found: str = run(secret_file.read(str(path), "password-file"))
    return found


def why_unreadable(path: Path) -> str:
    with pytest.raises(CheckFailed) as caught:
        read(path)
    return str(caught.value)


@pytest.mark.parametrize("text", ["hunter2", "hunter2\n", "hunter2\r\n"])
def test_the_line_break_at_the_end_is_no_part_of_the_secret(tmp_path: Path, text: str) -> None:
    (tmp_path / "password").write_bytes(text.encode())

    assert read(tmp_path / "password") == "hunter2"


def test_spaces_are_part_of_the_secret(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(" two words ")

    assert read(tmp_path / "password") == " two words "


def test_what_was_read_is_kept_out_of_reasons(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")

    async def main() -> tuple[str, ...]:
        attempt.begin()
        await secret_file.read(str(tmp_path / "password"), "password-file")
        return attempt.secrets()

    assert run(main()) == ("hunter2",)


def test_a_secret_that_rotates_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("old")
    read(path)
    path.write_text("new")

    assert read(path) == "new"


def test_a_secret_that_is_not_there_yet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "password"

    reason = why_unreadable(path)

    assert reason == f"password-file: cannot read {path}: no such file or directory"


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_a_secret_that_is_not_written_yet_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)

    assert why_unreadable(path) == f"password-file: {path} is empty"


def test_what_is_no_secret_is_told_without_its_content(tmp_path: Path) -> None:
    binary, long = tmp_path / "binary", tmp_path / "long"
    binary.write_bytes(b"hunter2\xff")
    long.write_bytes(b"x" * (64 * 1024 + 1))

    assert why_unreadable(binary) == f"password-file: cannot read {binary}: not UTF-8 text"
    assert why_unreadable(long) == f"password-file: {long} is longer than 64 KiB"
    assert why_unreadable(tmp_path) == f"password-file: cannot read {tmp_path}: is a directory"


def test_a_fifo_is_no_secret_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "password"
    os.mkfifo(path)

    assert why_unreadable(path) == f"password-file: {path} is not a regular file"


def test_a_relative_path_is_a_problem() -> None:
    line = "db redis://user@db password-file=secret"

    assert problems_of(line) == ["password-file: wants an absolute path"]
