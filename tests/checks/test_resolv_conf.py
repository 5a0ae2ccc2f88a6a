from __future__ import annotations

from pathlib import Path

import pytest

from gate.checks.wire.resolv_conf import asked_for

SEARCH = ("prod.svc.cluster.local", "svc.cluster.local", "cluster.local")
POD = f"""\
# Written by the kubelet.
search {" ".join(SEARCH)}
nameserver 10.96.0.10
options ndots:5 edns0
"""


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        (
            POD,
            "db",
            f" (search {' '.join(SEARCH)}, ndots 5, server 10.96.0.10)",
        ),
        (POD, "db.example.com.", " (server 10.96.0.10)"),
        ("nameserver 10.0.0.1\nnameserver fd00::1\n", "db", " (server 10.0.0.1 fd00::1)"),
        ("domain a\nsearch b c\n", "db", " (search b c)"),
        ("search a b c d e\n", "db", " (search a b c d …)"),
        ("options timeout:1\n", "db", ""),
        ("search\nnameserver\n\n;nameserver 10.0.0.1\n", "db", ""),
    ],
)
def test_what_was_asked_is_told(tmp_path: Path, text: str, name: str, told: str) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text(text)

    assert asked_for(name, str(path)) == told


def test_without_the_file_nothing_is_told(tmp_path: Path) -> None:
    assert asked_for("db", str(tmp_path / "none")) == ""
