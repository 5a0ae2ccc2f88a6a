"""The mark that gate has opened: what counts, and what in its place does no harm."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gate.serve import state_file
from tests.conftest import free_port, nobody
from tests.process import GateProcess, listening, run_gate


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


def make(kind: str, path: Path) -> None:
    """Put something else than a mark at *path*."""
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        (path.parent / "elsewhere").write_text(state_file.sandbox())
        path.symlink_to(path.parent / "elsewhere")
    else:
        path.write_bytes({"torn": b"\xff", "foreign": b"another sandbox\n", "empty": b""}[kind])


@pytest.mark.parametrize("kind", ["fifo", "link", "torn", "foreign", "empty"])
def test_what_is_no_mark_neither_opens_nor_hangs_gate(tmp_path: Path, kind: str) -> None:
    path, port = tmp_path / "opened", free_port()
    make(kind, path)
    settings = {"GATE_STATE_FILE": str(path), "GATE_DEPENDENCIES": f"tcp://127.0.0.1:{port}"}

    with GateProcess("serve", env=settings) as gate:
        gate.until("dependency.waiting")
        before = gate.ask("/startupz").status
        with listening(port):
            gate.until("gate.opened")

    assert before == 503
    assert state_file.has_opened(str(path))
    assert (tmp_path / "elsewhere").exists() == (kind == "link")


def test_a_link_is_replaced_and_never_written_through(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "opened"
    victim.write_text("untouched")
    for name in (path, tmp_path / "opened.new"):
        name.symlink_to(victim)

    state_file.mark_opened(str(path))

    assert victim.read_text() == "untouched"
    assert not path.is_symlink()


def test_forget_removes_the_mark_and_is_content_without_one(tmp_path: Path) -> None:
    path = tmp_path / "opened"
    state_file.mark_opened(str(path))
    settings = {"GATE_STATE_FILE": str(path), "GATE_DEPENDENCIES": "not even readable"}

    first, second = (run_gate("forget", env=settings) for _ in range(2))

    assert (first, second) == ((0, "", ""), (0, "", ""))
    assert not path.exists()
    assert run_gate("forget", "--state-file", str(path)) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "settings", "code", "text"),
    [
        ([], {}, 2, "forget: no file is named; set GATE_STATE_FILE, or write --state-file"),
        (["--state-file", "opened"], {}, 2, "--state-file: 'opened' is not an absolute path"),
        ([], {"GATE_STATE_FILE": "/proc"}, 1, "GATE_STATE_FILE: /proc: is a directory"),
        (["/run/x"], {}, 2, "unknown argument number 2"),
    ],
)
def test_forget_says_what_is_wrong(
    words: list[str], settings: dict[str, str], code: int, text: str
) -> None:
    found = run_gate("forget", *words, env=settings)

    assert found[0] == code
    assert text in found[2]
