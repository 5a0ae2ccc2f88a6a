from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checks.servers.daemon import Daemon, until
from tests.checks.servers.fake import reason_of, reason_of_silence
from tests.checks.servers.openssh import sshd, strangers
from tests.conftest import free_port, outcome, problems_of, run, why_not

NOT_SSH = "not SSH on this port"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with sshd(tmp_path_factory.mktemp("sshd"), "MaxStartups=2:100:2") as daemon:
        yield daemon


def test_a_server_is_ready_and_sees_a_client_that_takes_leave(server: Daemon) -> None:
    assert run(why_not(f"ssh://git@127.0.0.1:{server.port}")) == ""
    until(lambda: server.logs("Received disconnect from 127.0.0.1"))
    assert "rror" not in server.log()
    assert "Bad packet" not in server.log()


def test_a_server_that_turns_clients_away_says_why(server: Daemon) -> None:
    with strangers(server.port, 2):
        assert run(why_not(f"ssh://127.0.0.1:{server.port}")) == "Exceeded MaxStartups"


def test_a_refused_connection_is_absent() -> None:
    line = f"ssh://127.0.0.1:{free_port()}"

    assert run(why_not(line)) == "connection refused"
    assert run(outcome(f"{line} until=down")).ok


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "connection closed without an answer"),
        (b"SSH-1.99-old\r\n", ""),
        (b"welcome\r\nto\r\nSSH-2.0-x\r\n", ""),
        (b"SSH-1.5-old\r\n", "speaks SSH-1.5 alone, which is outdated"),
        (b"220 mail ESMTP\r\n" * 33, NOT_SSH),
    ],
)
def test_answers_that_openssh_does_not_give_are_told(answer: bytes, why: str) -> None:
    """Each as RFC 4253, 4.2 and 5.1 write it."""
    assert run(reason_of("ssh://127.0.0.1:{port}", answer, greets=True)) == why


def test_a_server_that_hangs_is_told_with_the_stage() -> None:
    late = "identification: no answer within 50ms"

    assert run(reason_of_silence("ssh://127.0.0.1:{port}")) == late


def test_mistakes_are_told() -> None:
    assert problems_of("ssh://a,b") == ["the URL wants one host and a port; write ssh://host:port"]
