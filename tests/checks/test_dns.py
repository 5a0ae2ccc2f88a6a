from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from tests.checks.servers.dns import dnsmasq, odd_server, truncated, with_code
from tests.checks.servers.namespace import reasons
from tests.conftest import free_port, outcome, problems_of, run, why_not


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with dnsmasq(tmp_path_factory.mktemp("dnsmasq"), free_port()) as daemon:
        yield f"127.0.0.1:{daemon.port}"


@pytest.mark.parametrize(
    "line",
    [
        "dns://db.test",
        "dns://DB.test. expect=10.0.0.1",
        "dns://db.test min=2 expect=10.0.0.1,fd00:0::1",
        "dns://db.test type=A expect=10.0.0.1",
        "dns://db.test type=aaaa expect=fd00::1",
        "dns://four.test",
        "dns://two.test min=2 expect=10.0.1.2 expect=10.0.1.1",
        "dns://_pg._tcp.db.test type=SRV expect=db.test:5432",
        "dns://_pg._tcp.db.test type=SRV expect=db.test.",
        "dns://mail.test type=MX expect=mx.test",
        "dns://alias.test type=CNAME expect=db.test",
        "dns://alias.test expect=10.0.0.1",
        "dns://zone.test type=NS expect=ns.test",
        "dns://note.test type=TXT expect='hello, world'",
        "dns://10.0.0.1 type=PTR expect=db.test",
        "dns://1.0.0.10.in-addr.arpa type=PTR expect=db.test",
    ],
)
def test_answers_as_wanted_are_ready(server: str, line: str) -> None:
    assert run(why_not(f"{line} server={server}")) == ""


def test_a_long_answer_is_asked_for_again_over_tcp(server: str) -> None:
    assert run(why_not(f"dns://long.test type=TXT min=10 server={server}")) == ""


def test_a_server_may_be_a_name(server: str) -> None:
    port = server.rpartition(":")[2]

    assert run(why_not(f"dns://db.test server=localhost:{port}")) == ""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("dns://nobody.test", "name not found: nobody.test"),
        ("dns://nobody.test type=SRV", "name not found: nobody.test"),
        ("dns://db.test type=SRV", "no answer of type SRV"),
        ("dns://long.test", "no answer of type A or AAAA"),
        ("dns://four.test min=2", "1 of at least 2 addresses"),
        ("dns://_pg._tcp.db.test type=SRV min=2", "1 of at least 2 answers"),
        ("dns://four.test expect=10.0.0.1", "expected 10.0.0.1, found 10.0.0.4"),
        (
            "dns://_pg._tcp.db.test type=SRV expect=db.test:1",
            "expected db.test:1, found db.test:5432",
        ),
        ("dns://db.elsewhere", "refused"),
    ],
)
def test_other_answers_say_why_not(server: str, line: str, reason: str) -> None:
    assert run(why_not(f"{line} server={server}")) == reason


def test_a_name_that_does_not_exist_is_what_until_down_waits_for(server: str) -> None:
    assert run(outcome(f"dns://nobody.test until=down server={server}")).ok


def test_that_the_server_does_not_exist_says_nothing_of_the_name() -> None:
    result = run(outcome("dns://db.test server=nobody.invalid until=down"))

    assert result.reason == "server: name not found: nobody.invalid"


@pytest.mark.parametrize("line", ["dns://db.test type=SRV", "dns://db.elsewhere"])
def test_no_record_or_no_answer_is_not(server: str, line: str) -> None:
    assert not run(outcome(f"{line} until=down server={server}")).ok


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (with_code(dns.rcode.SERVFAIL), "server failure (SERVFAIL)"),
        (with_code(dns.rcode.NOTIMP), "server failure (NOTIMP)"),
        (
            with_code(dns.rcode.YXDOMAIN),
            "name lookup failed: the dns query name is too long after dname substitution.",
        ),
        (truncated, "server 127.0.0.1: connection refused"),
    ],
)
def test_a_faulty_server_is_told(
    answer: Callable[[dns.message.Message], bytes], reason: str
) -> None:
    """By a small server of the test: dnsmasq cannot be brought to answer so."""

    async def main() -> str:
        async with odd_server(answer) as port:
            return await why_not(f"dns://db.test server=127.0.0.1:{port}")

    assert run(main()) == reason


def test_an_answer_that_ends_in_the_middle_is_told() -> None:
    """Over TCP, to which a small server of the test sends us."""

    async def main() -> str:
        async with (
            odd_server(truncated) as port,
            await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port),
        ):
            return await why_not(f"dns://db.test server=127.0.0.1:{port}")

    assert run(main()) == "server 127.0.0.1: bad answer"


def test_a_type_that_is_none_is_a_problem() -> None:
    (problem,) = problems_of("db dns://db type=SVR")

    assert problem.startswith("type: 'SVR' is not ")


def test_a_silent_server_is_told() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{sock.getsockname()[1]}"

        reason = run(why_not(f"dns://db.test timeout=200ms server={server}"))

    assert reason == f"server {server}: no answer within 200ms"


RESOLV_CONF = "search none.test test\nnameserver 127.0.0.1\noptions ndots:2\n"
HOSTS = "127.0.0.1 localhost\n10.9.9.9 in-hosts.test\n"
AS_THE_APP_SEES_IT = {
    "dns://db": "",
    "dns://db min=2": "",
    "dns://db.test": "",
    "dns://db.test.": "",
    "dns://db.": (
        "name lookup failed: db.: temporary failure in name resolution (server 127.0.0.1)"
    ),
    "dns://nobody.test.": "name not found: nobody.test. (server 127.0.0.1)",
    "dns://four expect=10.0.0.4": "",
    "dns://four type=A": "",
    "dns://four type=AAAA": (
        "name not found: four (search none.test test, ndots 2, server 127.0.0.1)"
    ),
    "dns://two min=3": "2 of at least 3 addresses",
    "dns://two expect=10.0.1.9": "expected 10.0.1.9, found 10.0.1.1, 10.0.1.2",
    "dns://in-hosts.test expect=10.9.9.9": "",
    "dns://nobody.test. until=down": "",
    "dns://db until=down": "still there",
    "dns://_pg._tcp.db type=SRV expect=db.test:5432": "",
    "dns://_pg._tcp.db.test. type=SRV": "",
    "dns://order.test type=TXT expect='searched for'": "",
    "dns://order.test. type=TXT expect='as written'": "",
    "dns://nobody type=SRV": "refused",
    "dns://db type=SRV": "no answer of type SRV",
    "dns://db server=127.0.0.1": "refused",
    "tcp://db:1": "network unreachable",
}


@pytest.fixture(scope="module")
def as_the_app_sees_it(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("namespace")
    lines = list(AS_THE_APP_SEES_IT)
    return dict(zip(lines, reasons(folder, RESOLV_CONF, HOSTS, lines), strict=True))


@pytest.mark.parametrize("line", AS_THE_APP_SEES_IT)
def test_a_name_is_seen_as_the_app_sees_it(line: str, as_the_app_sees_it: dict[str, str]) -> None:
    """With a search list, a hosts file and a server of a network of its own."""
    assert as_the_app_sees_it[line] == AS_THE_APP_SEES_IT[line]


def test_a_resolv_conf_without_a_server_is_told(tmp_path: Path) -> None:
    lines = ["dns://db type=SRV"]

    assert reasons(tmp_path, "search test\n", HOSTS, lines) == [
        "/etc/resolv.conf names no usable server"
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("dns://db:53", "the URL wants one name and nothing else; write dns://name"),
        ("dns://a,b", "the URL wants one name and nothing else; write dns://name"),
        ("dns://db/x", "the URL wants one name and nothing else; write dns://name"),
        (
            "dns://db server=10.0.0.1:x",
            "server: '10.0.0.1:x' is not a server; write HOST or HOST:PORT",
        ),
        (
            "dns://db?type=SRV&other=hunter2",
            "the URL wants no query; write dns://name type=…",
        ),
        ("dns://a..b type=SRV", "the URL's host is not a name that DNS can hold"),
    ],
)
def test_what_is_wrong_is_a_problem(line: str, problem: str) -> None:
    assert problems_of(f"db {line}") == [problem]


WITHOUT_DNSPYTHON = """
import sys
sys.modules["dns"] = None
from tests.conftest import problems_of
print(problems_of("db dns://db"), problems_of("db dns://db type=SRV"))
"""


def test_only_other_types_and_servers_need_dnspython() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DNSPYTHON],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ,
        check=False,
    )

    assert done.stdout == "[] [\"dns: needs the package dns; pip install 'podgate[dns]'\"]\n"
