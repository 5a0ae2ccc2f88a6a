"""Attempts in a network of their own, whose firewall is set anew for each of them.

Run as `python -m tests.checks.servers.policy CASES`; prints why each is not ready. Ports 7001 and
7002 listen on both loopback addresses, which the name `two` has.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import needs, run, why_not

PORTS = (7001, 7002)
Case = tuple[Sequence[str], str]
"""Rules as iptables has them (with a 6 in front, of IPv6), and the line of a dependency."""


_ENTER = 'ip link set lo up && mount --bind "$1" /etc/hosts && iptables -S && shift && exec "$@"'


def reasons(folder: Path, cases: Sequence[Case]) -> list[str]:
    """Return for each of *cases* why its line is not ready."""
    needs("iptables", "iptables")
    hosts = folder / "hosts"
    hosts.write_text("127.0.0.1 two\n::1 two\n")
    enter = [shutil.which("unshare") or "", "-mn", "sh", "-c", _ENTER, "sh", str(hosts)]
    if (
        not enter[0]
        or subprocess.run([*enter, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs the right to make a network namespace and to filter in it")
    done = subprocess.run(
        [*enter, sys.executable, "-m", __name__, json.dumps(cases)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def _filter(rules: Sequence[str]) -> None:
    for program in ("iptables", "ip6tables"):
        subprocess.run([program, "-F"], check=True)
    for rule in rules:
        program = "ip6tables" if rule.startswith("6 ") else "iptables"
        subprocess.run([program, "-A", *rule.removeprefix("6 ").split()], check=True)


def _reason(rules: Sequence[str], line: str) -> str:
    _filter(rules)
    return str(run(why_not(line)))


if __name__ == "__main__":
    with ExitStack() as stack:
        for port in PORTS:
            for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
                stack.enter_context(socket.create_server((host, port), family=family))
        print(json.dumps([_reason(*case) for case in json.loads(sys.argv[1])]))  # noqa: T201 -- its output
