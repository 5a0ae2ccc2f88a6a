from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import outcome, problems_of, run, why_not


@pytest.fixture
def server(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "app.sock"))
        server.listen(0)
        yield server


def test_a_listening_socket_is_ready(server: socket.socket) -> None:
    assert run(why_not(f"unix://{server.getsockname()}")) == ""


def test_a_socket_whose_queue_is_full_is_not(server: socket.socket) -> None:
    with socket.socket(socket.AF_UNIX) as first:
        first.connect(server.getsockname())

        reason = run(why_not(f"unix://{server.getsockname()}"))

    assert reason == "its queue of connections is full"


def test_a_socket_that_nobody_listens_on_is_refused(server: socket.socket) -> None:
    path = server.getsockname()
    server.close()

    assert run(why_not(f"unix://{path}")) == "connection refused"
    assert run(outcome(f"unix://{path} until=down")).ok


def test_no_socket_is_what_until_down_waits_for(tmp_path: Path) -> None:
    line = f"unix://{tmp_path}/none.sock"

    assert run(why_not(line)) == "no such socket"
    assert run(outcome(f"{line} until=down")).ok


def test_a_file_is_no_socket(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert run(why_not(f"unix://{tmp_path}/file")) == "connection refused"


def test_a_path_that_is_too_long_for_a_socket_is_told() -> None:
    assert run(why_not(f"unix:///{'x' * 200}")) == "af_unix path too long"


@pytest.mark.parametrize("line", ["unix://run/app.sock", "unix:///run/a%00b", "unix:app.sock"])
def test_what_is_no_absolute_path_is_a_problem(line: str) -> None:
    assert problems_of(f"app {line}") == [
        "the URL wants an absolute path; write unix:///run/app.sock"
    ]


def test_a_query_is_a_problem() -> None:
    assert problems_of("unix:///run/app.sock?timeout=1s") == [
        "the URL wants no query; write unix:///run/app.sock timeout=…"
    ]
