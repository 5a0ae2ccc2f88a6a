"""Attempts in a network of their own: with a resolv.conf, a hosts file and a dnsmasq on port 53.

Run as `python -m tests.checks.servers.namespace FOLDER LINE…`; prints why each is not ready.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.checks.servers.dns import dnsmasq
from tests.conftest import run, why_not_in_full

_ENTER = (
    "ip link set lo up && mount --bind $1/resolv.conf /etc/resolv.conf && "
    'mount --bind $1/hosts /etc/hosts && shift && exec "$@"'
)


def reasons(folder: Path, resolv_conf: str, hosts: str, lines: Sequence[str]) -> list[str]:
    """Return why each of *lines* is not ready where these files are those of /etc."""
    (folder / "resolv.conf").write_text(resolv_conf)
    (folder / "hosts").write_text(hosts)
    enter = [shutil.which("unshare") or "", "-mn", "sh", "-c", _ENTER, "sh", str(folder)]
    if not enter[0] or subprocess.run([*enter, "true"], check=False).returncode:
        pytest.skip("needs the right to make a network and a mount namespace")
    done = subprocess.run(
        [*enter, sys.executable, "-m", __name__, str(folder), *lines],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    with dnsmasq(Path(sys.argv[1]), 53):
        print(json.dumps([run(why_not_in_full(line)) for line in sys.argv[2:]]))  # noqa: T201 -- its output
