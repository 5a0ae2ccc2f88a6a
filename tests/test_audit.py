"""The audit of what is locked, against an index of the test's own."""

from __future__ import annotations

import json
import runpy
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port

Audit = Callable[..., tuple[object, str, str]]
ROOT = Path(__file__).parent.parent
LOCK = 'old==1.0 \\\n    --hash=sha256:00\nsound==2.0 ; python_version < "3.15" \\\n'
FLAW = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-1"],
    "details": "It takes\nanything.",
    "fixed_in": ["1.1", "2.0"],
    "link": "https://example.org/1",
    "withdrawn": None,
}


@contextmanager
def index(**releases: object) -> Iterator[str]:
    """An index that knows *releases* (`old_1_0`) and what is said of each; yields its URL."""
    known = {
        f"/pypi/{name.replace('_', '/', 1).replace('_', '.')}/json": releases[name]
        for name in releases
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(known.get(self.path)).encode()
            self.send_response(200 if self.path in known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture
def audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Audit:
    """Audits `LOCK` at an index, with lines that allow; returns exit code, stdout and stderr."""

    def run(url: str, *allowed: str, newest: bool = False) -> tuple[object, str, str]:
        (tmp_path / "lock").write_text(LOCK)
        (tmp_path / "allowed").write_text("\n".join(("# a comment", "", *allowed)))
        words = [f"--{name}={tmp_path / name}" for name in ("lock", "allowed")]
        monkeypatch.setattr(
            sys, "argv", ["audit", f"--index={url}", *words, *newest * ["--newest"]]
        )
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / ".ci" / "audit"), run_name="__main__")
        return end.value.code, *capsys.readouterr()

    return run


def none() -> dict[str, object]:
    return {"vulnerabilities": []}


def test_a_vulnerable_package_fails_and_is_named_with_the_release_that_mends_it(
    audit: Audit,
) -> None:
    with index(old_1_0={"vulnerabilities": [FLAW]}, sound_2_0=none()) as url:
        code, out, err = audit(url)

    assert code == 1
    assert err == (
        "old==1.0: PYSEC-2026-1 CVE-2026-1: It takes anything. Mended in 1.1, 2.0. "
        "https://example.org/1\n"
    )
    assert out == "audit: 2 of 2 locked packages looked at, 1 found\n"


def test_what_is_sound_or_withdrawn_passes(audit: Audit) -> None:
    withdrawn = {**FLAW, "withdrawn": "2026-01-01T00:00:00Z"}
    with index(old_1_0={"vulnerabilities": [withdrawn]}, sound_2_0=none()) as url:
        assert audit(url) == (
            0,
            "audit: 2 of 2 locked packages looked at, 0 found\n",
            "",
        )


def test_one_that_nothing_mends_yet_is_told_as_such(audit: Audit) -> None:
    flaw = {"id": "PYSEC-2026-2", "summary": "Bad."}
    with index(old_1_0={"vulnerabilities": [flaw]}, sound_2_0=none()) as url:
        assert audit(url)[2] == ("old==1.0: PYSEC-2026-2: Bad. Mended in no release yet.\n")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("PYSEC-2026-1  2999-12-31  not called", 0),
        ("CVE-2026-1  2999-12-31  not called", 0),
        ("PYSEC-2026-1  2020-12-31  not called", 1),
        ("PYSEC-2026-9  2999-12-31  not called", 1),
        ("PYSEC-2026-1  2999-12-31", 2),
        ("PYSEC-2026-1  2999-13-31  not called", 2),
    ],
)
def test_what_is_allowed_has_a_day_and_a_reason(audit: Audit, line: str, code: int) -> None:
    with index(old_1_0={"vulnerabilities": [FLAW]}, sound_2_0=none()) as url:
        done, _, err = audit(url, line)

    assert done == code
    assert ("allowed:3: wants ID YYYY-MM-DD REASON" in err) == (code == 2)


@pytest.mark.parametrize(
    ("releases", "why"),
    [
        ({}, "old (status 404)"),
        ({"old_1_0": {"info": {}}}, "old (no such data)"),
        ({"old_1_0": {"vulnerabilities": None}}, "old (no such data)"),
        ({"old_1_0": [1]}, "old (no such data)"),
    ],
)
def test_an_index_without_such_data_is_named_and_no_failure(
    audit: Audit, releases: dict[str, object], why: str
) -> None:
    with index(**releases) as url:
        code, out, err = audit(url)

    assert (code, err) == (0, "")
    assert out == (
        f"audit: {url} does not tell of vulnerabilities of {why}\n"
        "audit: 0 of 2 locked packages looked at, 0 found\n"
    )


def test_one_package_of_which_nothing_is_told_does_not_hide_the_others(audit: Audit) -> None:
    with index(old_1_0={"vulnerabilities": [FLAW]}) as url:
        code, out, _ = audit(url)

    assert code == 1
    assert "of sound (status 404)\naudit: 1 of 2 " in out


def test_of_a_mirror_the_newest_releases_are_asked_for_and_older_ones_named(audit: Audit) -> None:
    newer = {"info": {"version": "2.1"}, "vulnerabilities": []}
    flawed = {"info": {"version": "1.0"}, "vulnerabilities": [FLAW]}
    with index(old=flawed, sound=newer) as url:
        code, out, err = audit(url, newest=True)
    with index(old={**newer, "info": None}, sound={**newer, "info": {"version": "2.0"}}) as url:
        older = audit(url, newest=True)
    with index() as url:
        nothing = audit(url, newest=True)

    assert code == 1
    assert err.startswith("old==1.0: PYSEC-2026-1 ")
    assert "of sound (locked at an older release)\naudit: 1 of 2 " in out
    assert older[0] == 0
    assert "of old (locked at an older release)\naudit: 1 of 2 " in older[1]
    assert "of old (status 404)\naudit: 0 of 2 " in nothing[1]


def test_without_a_network_nothing_fails(audit: Audit) -> None:
    code, out, _ = audit(f"http://127.0.0.1:{free_port()}")

    assert code == 0
    assert "connection refused" in out
