"""`gate wait` on a terminal, a real one inside tmux, and `--output json` for scripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from operator import ne
from pathlib import Path

import pytest

from gate.core.model import Dependency, DependencyView, Phase, Snapshot, State
from gate.wait.live_table import picture
from tests.conftest import free_port, needs
from tests.process import GATE, GateProcess, listening, run_gate


def view(name: str, state: State = State.WAITING, reason: str = "refused") -> DependencyView:
    dependency = Dependency(name=name, url=f"tcp://{name}:1")
    reason = "" if state is State.READY else reason
    return DependencyView(
        dependency=dependency, state=state, reason=reason, attempts=3, since=0.0, waited=2.0
    )


def drawn(
    *views: DependencyView,
    columns: int = 80,
    lines: int = 24,
    is_over: bool = False,
    now: float = 2.0,
) -> list[str]:
    pending = tuple(one.dependency.name for one in views if one.state is State.WAITING)
    snapshot = Snapshot(
        at=now, started=0.0, phase=Phase.WAITING, revision=1, dependencies=views, pending=pending
    )
    made = picture(snapshot, columns, lines, is_over=is_over)
    return ["".join(text for text, _ in line).rstrip() for line in made]


def test_a_line_has_name_state_attempts_time_and_reason() -> None:
    assert drawn(view("db"), view("cache", State.READY)) == [
        "NAME   STATE    TRIES  TIME  REASON",
        "db     waiting  3      2s    refused",
        "cache  ready    3      2s",
        "2s, waiting for db",
    ]


def test_what_usually_causes_a_reason_stands_below_where_there_is_room() -> None:
    views = [view("db", reason="status 404"), view("cache", State.READY)]

    lines = drawn(*views, now=60.0)
    assert (
        lines[3]
        == "db: no such path there; or an Ingress that does not know the Host header (host…"
    )
    assert len(lines) == len(drawn(*views)) + 1
    assert drawn(*views, now=60.0, lines=6) == [*drawn(*views, lines=6)[:3], "1m, waiting for db"]


def test_no_line_is_as_wide_as_the_terminal_and_reasons_are_cut() -> None:
    views = [view("a-long-name-for-a-database", reason="名前解決 " * 20), view("db")]

    for columns in range(11, 100):
        lines = drawn(*views, columns=columns)
        assert max(width(line) for line in lines) < columns
    assert drawn(*views, columns=60)[1].endswith("…")


def width(line: str) -> int:
    return sum(2 if ord(char) > 0x2E80 else 1 for char in line)


def test_a_narrow_terminal_loses_the_attempts_first_and_then_the_time() -> None:
    heads = [drawn(view("db"), columns=columns)[0].split() for columns in (70, 50, 40)]

    assert [set(heads[0]) - set(head) for head in heads] == [set(), {"TRIES"}, {"TRIES", "TIME"}]


def test_a_low_terminal_shows_what_is_not_ready_and_how_many_more_there_are() -> None:
    views = [
        view(f"d{number}", State.READY if number < 7 else State.WAITING) for number in range(9)
    ]
    lines = drawn(*views, lines=7)

    assert len(lines) == 6
    assert [line.split()[0] for line in lines[1:4]] == ["d7", "d8", "d0"]
    assert "and 6 more" in lines[4]


def test_a_very_low_terminal_shows_only_what_is_not_ready_and_the_last_line() -> None:
    views = [view("db", State.READY), view("cache"), view("web"), view("mail")]

    assert [line.split()[0] for line in drawn(*views, lines=4)] == ["cache", "web", "2s,"]
    assert drawn(*views, lines=2) == ["2s, waiting for cache, web, mail"]


def test_what_is_drawn_leaves_a_line_for_the_cursor() -> None:
    views = [view(f"d{number}") for number in range(9)]

    assert all(len(drawn(*views, lines=lines)) < lines for lines in range(2, 30))


def test_what_is_given_up_shows_until_when_it_was_waited_for_and_the_end_tells_of_it() -> None:
    given_up = replace(view("db", State.GIVEN_UP), since=1.0)
    snapshot = Snapshot(
        at=9.0,
        started=0.0,
        phase=Phase.OPEN,
        revision=1,
        dependencies=(given_up,),
        opened=2.0,
        degraded="opened without db: refused",
    )
    lines = ["".join(text for text, _ in line) for line in picture(snapshot, 80, 24)]

    assert lines[1].split()[:5] == ["db", "given", "up", "3", "1s"]
    assert lines[-1] == "open after 2s, opened without db: refused"


class Terminal:
    """A shell in a terminal of its own."""

    def __init__(self, socket: Path, columns: int, lines: int, **env: str) -> None:
        self._tmux = [needs("tmux", "tmux"), "-S", str(socket), "-f", "/dev/null"]
        size = ["-x", str(columns), "-y", str(lines)]
        names = ("PATH", "HOME", *(name for name in os.environ if name.startswith("COVERAGE")))
        kept = {name: os.environ[name] for name in names if name in os.environ}
        whole = {**kept, "LANG": "C.UTF-8", "TERM": "xterm", "PS1": "$ ", **env}
        subprocess.run(
            [*self._tmux, "new-session", "-d", *size, "sh"],
            env=whole,
            cwd=Path(__file__).parents[2],
            check=True,
        )

    def type(self, text: str, *keys: str) -> None:
        self._do("send-keys", "-l", text)
        self._do("send-keys", *keys)

    def press(self, key: str) -> None:
        self._do("send-keys", key)

    def resize(self, columns: int, lines: int) -> None:
        self._do("resize-window", "-x", str(columns), "-y", str(lines))

    def shown(self, *flags: str) -> str:
        return self._do("capture-pane", "-p", *flags)

    def until(self, is_so: Callable[[str], bool], looks: int = 1) -> str:
        """Return what is shown as soon as it *is_so*, in that many *looks* in a row."""
        end = time.monotonic() + 20
        good = 0
        while True:
            good = good + 1 if is_so(shown := self.shown()) else 0
            if good == looks:
                return shown
            assert time.monotonic() < end, shown
            time.sleep(0.05)

    def _do(self, *command: str) -> str:
        done = subprocess.run(
            [*self._tmux, *command], capture_output=True, text=True, check=True, encoding="utf-8"
        )
        return done.stdout


@contextmanager
def terminal(folder: Path, columns: int = 80, lines: int = 20, **env: str) -> Iterator[Terminal]:
    needs("tmux", "tmux")
    socket = folder / "tmux"
    running = Terminal(socket, columns, lines, **env)
    try:
        yield running
    finally:
        subprocess.run(["tmux", "-S", str(socket), "kill-server"], check=False)


def wait(*dependencies: str) -> str:
    """Return a command line short enough for the screen."""
    return f"clear; {sys.executable} -m gate wait " + " ".join(f"'{one}'" for one in dependencies)


def test_on_a_terminal_there_is_a_table_that_ends_with_a_summary(tmp_path: Path) -> None:
    port = free_port()
    with terminal(tmp_path) as screen:
        screen.type(wait(f"db tcp://127.0.0.1:{port}"), "Enter")
        waiting = screen.until(lambda shown: "connection refused" in shown)
        with listening(port):
            opened = screen.until(lambda shown: "open after " in shown)
        history = screen.shown("-S", "-")

    assert "db    waiting" in waiting
    assert ", waiting for db" in waiting
    lines = opened.splitlines()
    assert lines[0].split() == ["NAME", "STATE", "TRIES", "TIME", "REASON"]
    assert lines[1].startswith("db    ready  ")
    assert lines[2].startswith("open after ")
    assert "slowest: db (" in lines[2]
    assert history.count("NAME") == 1
    assert "waiting" not in opened


def test_a_terminal_that_changes_its_size_shows_one_table(tmp_path: Path) -> None:
    with terminal(tmp_path, 100) as screen:
        command = wait(f"db tcp://127.0.0.1:{free_port()}").replace(
            "clear;", "clear; seq -w 95 99;"
        )
        screen.type(command, "Enter")
        screen.until(lambda shown: "connection refused" in shown)
        for columns, is_drawn in SIZES:
            screen.resize(columns, 20)
            screen.until(is_drawn)
            # tmux tells of one size only in a quarter of a second, so what is seen must last.
            screen.until(is_one_table, looks=10)


def test_a_terminal_of_four_lines_keeps_nothing_of_a_table_that_is_drawn_again(
    tmp_path: Path,
) -> None:
    dependencies = [f"{name} tcp://127.0.0.1:{free_port()}" for name in ("db", "cache", "web")]
    with terminal(tmp_path, 120, 4) as screen:
        screen.type(wait(*dependencies), "Enter")
        before = ""
        for _ in range(9):
            before = screen.until(partial(ne, before))
        history = screen.shown("-S", "-")

    assert history.count("NAME") == 0
    assert [history.count(text) for text in ("db  ", "cache  ", ", waiting for ")] == [1, 1, 1]


def is_one_table(shown: str) -> bool:
    """Tell whether there is just one, right below what was there before."""
    return shown.count("NAME") == 1 and "99\nNAME" in shown


SIZES: list[tuple[int, Callable[[str], bool]]] = [
    (40, lambda shown: "TIME" not in shown and "NAME" in shown),
    (18, lambda shown: "…" in shown),
    (90, lambda shown: "TRIES" in shown),
]
"""Columns, and what tells that the table was drawn for them."""


def test_ctrl_c_leaves_the_last_picture_and_a_terminal_that_works(tmp_path: Path) -> None:
    with terminal(tmp_path) as screen:
        screen.type(wait(f"db tcp://127.0.0.1:{free_port()}"), "Enter")
        screen.until(lambda shown: ", waiting for db" in shown)
        screen.press("C-c")
        screen.until(lambda shown: "waited for db" in shown)
        screen.type("echo code $?; stty -a | grep -o ' echo '", "Enter")
        shown = screen.until(lambda shown: "\n echo" in shown)
        cursor = screen._do("display-message", "-p", "#{cursor_flag} #{wrap_flag}").split()

    assert "code 130\n" in shown
    assert cursor == ["1", "1"]


def test_ctrl_z_and_fg_draw_anew_below(tmp_path: Path) -> None:
    with terminal(tmp_path) as screen:
        screen.type("set -m; " + wait(f"db tcp://127.0.0.1:{free_port()}"), "Enter")
        screen.until(lambda shown: ", waiting for db" in shown)
        screen.press("C-z")
        # What is typed before the prompt stands above it.
        screen.until(lambda shown: "Stopped" in shown and shown.rstrip()[-1] in "$#")
        screen.type("fg", "Enter")
        shown = screen.until(lambda shown: shown.count(", waiting for db") == 2)

    assert shown.count("NAME") == 2
    assert shown.index("Stopped") < shown.index(" fg\n") < shown.rindex("NAME")


@pytest.mark.parametrize(("no_colour", "coloured"), [("", True), ("1", False)])
def test_no_color_is_heeded(tmp_path: Path, no_colour: str, *, coloured: bool) -> None:
    with terminal(tmp_path, NO_COLOR=no_colour) as screen:
        screen.type(wait(f"db tcp://127.0.0.1:{free_port()}"), "Enter")
        screen.until(lambda shown: "connection refused" in shown)
        shown = screen.shown("-e")

    assert ("\x1b[33mwaiting" in shown) is coloured


def test_a_warning_of_the_log_stands_above_the_table(tmp_path: Path) -> None:
    with terminal(tmp_path, GATE_TERMINATION_LOG="/no/such/folder/log") as screen:
        screen.type(wait(f"db tcp://127.0.0.1:{free_port()}"), "Enter")
        shown = screen.until(lambda shown: "unwritable" in shown and "waiting for db" in shown)

    assert shown.count("NAME") == 1
    assert shown.index("termination_log.unwritable") < shown.index("NAME")


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"GATE_LOG_FORMAT": "console"}])
def test_who_cannot_or_will_not_have_a_table_gets_lines(
    tmp_path: Path, env: dict[str, str]
) -> None:
    with terminal(tmp_path) as screen:
        words = " ".join(f"{name}={value}" for name, value in env.items())
        command = wait(f"db tcp://127.0.0.1:{free_port()}").replace("clear; ", f"clear; {words} ")
        screen.type(command, "Enter")
        shown = screen.until(lambda shown: "dependency.waiting db" in shown)

    assert "NAME" not in shown


def test_json_is_a_line_for_each_transition_and_a_summary() -> None:
    with listening() as port:
        code, out, err = run_gate("wait", "--output", "json", f"db tcp://127.0.0.1:{port}")

    ready, opened, summary = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert (ready["event"], ready["dependency"]) == ("dependency.ready", "db")
    assert set(ready) == {"time", "after_seconds", "event", "dependency", "reason"}
    assert opened["event"] == "gate.opened"
    assert (summary["event"], summary["open"]) == ("summary", True)
    assert summary["dependencies"][0]["state"] == "ready"
    assert "gate.opened" in err


def test_json_of_a_wait_that_fails_names_what_is_pending() -> None:
    code, out, _ = run_gate(
        *("wait", "--output", "json", "--timeout", "4s"), f"db tcp://127.0.0.1:{free_port()}"
    )

    summary = json.loads(out.splitlines()[-1])
    assert code == 1
    assert (summary["event"], summary["open"], summary["pending"]) == ("summary", False, ["db"])
    assert summary["dependencies"][0]["reason"] == "connection refused"


def test_json_ends_with_a_summary_after_a_signal_too() -> None:
    with GateProcess("wait", "--output", "json", f"db tcp://127.0.0.1:{free_port()}") as gate:
        gate.until('"dependency.waiting"')
        gate.signal(signal.SIGTERM)
        code = gate.end()

    assert code == 143
    assert json.loads(gate.lines[-1])["event"] == "summary"


def test_json_of_a_disabled_gate() -> None:
    code, out, _ = run_gate("wait", "--output", "json", "db tcp://db:1", "--disabled", "INC-42")

    summary = json.loads(out)
    assert code == 0
    assert summary["degraded"] == "opened without checking: disabled: INC-42"


def test_json_of_one_attempt_each() -> None:
    code, out, _ = run_gate(
        "wait", "--once", "--output", "json", f"db tcp://127.0.0.1:{free_port()}"
    )

    assert code == 1
    assert json.loads(out)["dependencies"][0]["reason"] == "connection refused"


def test_a_reader_of_json_that_has_heard_enough_changes_nothing() -> None:
    port = free_port()
    with subprocess.Popen(
        [*GATE, "wait", "--output", "json", f"db tcp://127.0.0.1:{port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as gate:
        assert gate.stdout is not None
        assert gate.stderr is not None
        assert "dependency.waiting" in gate.stdout.readline()
        gate.stdout.close()
        with listening(port):
            code, errors = gate.wait(20), gate.stderr.read()

    assert code == 0
    assert "Traceback" not in errors
