from __future__ import annotations

import asyncio
import errno
import os
import socket

import pytest

from gate.checks.blocked import Blocked
from gate.checks.tcp import Tcp
from gate.core.errors import CheckFailed
from tests.checks.servers.policy import reasons
from tests.conftest import free_port, outcome, problems_of, run, why_not

TO = "-p tcp --dport 7001 -j"
LINE = "tcp://127.0.0.1:7001 until=blocked allowed=tcp://127.0.0.1:7002 timeout=1s"
IPV6 = "tcp://[::1]:7001 until=blocked allowed=tcp://[::1]:7002 timeout=1s"
NOT_HELD = "not held back by a policy"
CASES = {
    "no policy": ((), LINE, f"{NOT_HELD}: a connection is accepted"),
    "drops": ((f"INPUT {TO} DROP",), LINE, ""),
    "drops on the way out": ((f"OUTPUT {TO} DROP",), LINE, ""),
    "administratively prohibited": (
        (f"INPUT {TO} REJECT --reject-with icmp-admin-prohibited",),
        LINE,
        "",
    ),
    "host prohibited": ((f"INPUT {TO} REJECT --reject-with icmp-host-prohibited",), LINE, ""),
    "net prohibited": ((f"INPUT {TO} REJECT --reject-with icmp-net-prohibited",), LINE, ""),
    "host unreachable": (
        (f"INPUT {TO} REJECT --reject-with icmp-host-unreachable",),
        LINE,
        f"{NOT_HELD}: no route to host",
    ),
    "net unreachable": (
        (f"INPUT {TO} REJECT --reject-with icmp-net-unreachable",),
        LINE,
        f"{NOT_HELD}: no way from here",
    ),
    "reset": (
        (f"INPUT {TO} REJECT --reject-with tcp-reset",),
        LINE,
        f"{NOT_HELD}: connection refused",
    ),
    "port unreachable": ((f"INPUT {TO} REJECT",), LINE, f"{NOT_HELD}: connection refused"),
    "nobody may": (
        ("INPUT -p tcp -j REJECT --reject-with icmp-admin-prohibited",),
        LINE,
        "allowed: 127.0.0.1:7002: no route to host",
    ),
    "prohibited by IPv6": ((f"6 INPUT {TO} REJECT --reject-with icmp6-adm-prohibited",), IPV6, ""),
    "no route by IPv6": (
        (f"6 INPUT {TO} REJECT --reject-with icmp6-addr-unreachable",),
        IPV6,
        f"{NOT_HELD}: no route to host",
    ),
    "one of two addresses": (
        (f"INPUT {TO} REJECT --reject-with icmp-admin-prohibited",),
        LINE.replace("127.0.0.1:7001", "two:7001"),
        f"{NOT_HELD}: a connection is accepted",
    ),
    "both of two addresses": (
        (
            f"INPUT {TO} REJECT --reject-with icmp-admin-prohibited",
            f"6 INPUT {TO} REJECT --reject-with icmp6-adm-prohibited",
        ),
        LINE.replace("127.0.0.1:7001", "two:7001"),
        "",
    ),
    "no way to the second address": (
        (
            f"INPUT {TO} REJECT --reject-with icmp-admin-prohibited",
            f"6 INPUT {TO} REJECT --reject-with icmp6-no-route",
        ),
        LINE.replace("127.0.0.1:7001", "two:7001"),
        "",
    ),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("policy")
    told = reasons(folder, [(rules, line) for rules, line, _ in CASES.values()])
    return dict(zip(CASES, told, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_a_policy_is_told_from_everything_else(case: str, found: dict[str, str]) -> None:
    assert found[case] == CASES[case][2]


def test_a_kernel_that_refuses_to_connect_is_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop stands in for a kernel with such a hook, as those of some networks."""

    async def main(code: int) -> str:
        loop = asyncio.get_running_loop()

        async def refuse(sock: socket.socket, address: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(loop, "sock_connect", refuse)
        check = Blocked(host="127.0.0.1", port=1, allowed=Tcp("127.0.0.1", 1), patience=1.0)
        return await check._knock(socket.AF_INET, ("127.0.0.1", 1))

    assert [run(main(code)) for code in (errno.EPERM, errno.EACCES)] == ["", ""]
    assert run(main(errno.ECONNRESET)) == "connection reset"


def test_a_kernel_without_such_addresses_has_no_way_there() -> None:
    check = Blocked(host="::1", port=1, allowed=Tcp("::1", 1), patience=1.0)

    assert run(check._knock(99, ("::1", 1))) == "no way from here"


def test_a_port_on_which_nobody_listens_is_not_held_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        allowed = f"allowed=tcp://127.0.0.1:{server.getsockname()[1]}"
        line = f"tcp://127.0.0.1:{free_port()} until=blocked {allowed}"

        result = run(outcome(line))

    assert result.reason == f"{NOT_HELD}: connection refused"


def test_a_network_that_does_not_work_proves_nothing() -> None:
    port = free_port()
    line = f"tcp://127.0.0.1:{free_port()} until=blocked allowed=tcp://127.0.0.1:{port}"

    assert run(why_not(line)) == f"allowed: 127.0.0.1:{port}: connection refused"


def test_a_network_that_breaks_meanwhile_proves_nothing() -> None:
    class Breaking(Blocked):
        async def _knock(self, family: int, address: object) -> str:
            server.close()
            return ""

    async def main() -> None:
        await Breaking(host="127.0.0.1", port=1, allowed=Tcp("127.0.0.1", port), patience=1.0)()

    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    with server, pytest.raises(CheckFailed, match=f"allowed: 127.0.0.1:{port}: connection refused"):
        run(main())


def test_mistakes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = (
        "until=blocked: wants a target that must answer meanwhile; write allowed=tcp://host:port"
    )

    assert problems_of("tcp://db:1 until=blocked") == [missing]
    for wrong in ("db:2", "http://db:2", "tcp://db", "tcp://a:1,b:2", "tcp://db:2/x"):
        problems = problems_of(f"tcp://db:1 until=blocked allowed={wrong}")
        assert problems[0].startswith("allowed: ")
        assert problems[1:] == [missing]
    assert problems_of("tcp://db:1 allowed=tcp://db:2") == ["allowed: goes with until=blocked"]
    assert "until: blocked goes with tcp://host:port alone" in problems_of(
        "http://db until=blocked"
    )
    monkeypatch.delattr(socket, "MSG_ERRQUEUE")
    assert problems_of("tcp://db:1 until=blocked allowed=tcp://db:2") == [
        "until=blocked: hears what a policy answers on Linux alone"
    ]
