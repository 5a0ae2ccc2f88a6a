from __future__ import annotations

import asyncio
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.checks.servers.daemon import PATIENCE, until
from tests.conftest import outcome, problems_of, run, why_late, why_not


def line(command: str, options: str = "") -> str:
    return f"{shlex.quote(f'exec:{command}')} {options}"


def sh(script: str, options: str = "") -> str:
    return line(script, f"shell {options}")


def alive(file: Path) -> bool:
    """Whether the process whose number stands in *file* runs, be it as a zombie."""
    try:
        os.kill(int(file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (line("true"), ""),
        ("exec:true", ""),
        (line("false"), "exit code 1"),
        (line("sh -c 'exit 3'"), "exit code 3"),
        (line("sh -c 'exit 3'", "code=3"), ""),
        (line("sh -c 'exit 3'", "code=0,3"), ""),
        (line("true", "code=3"), "exit code 0"),
        (sh("echo no >&2; echo; exit 3"), "exit code 3: no"),
        (sh("echo first; printf last; exit 3"), "exit code 3: last"),
        (sh("kill -KILL $$"), "killed by SIGKILL"),
        (sh("echo so; kill -SEGV $$"), "killed by SIGSEGV: so"),
        (sh("kill -35 $$"), "killed by signal 35"),
        (line("no-such-command x"), "command not found: no-such-command"),
        (line("/etc/passwd"), "permission denied: /etc/passwd"),
        (sh("no-such-command"), "exit code 127: /bin/sh: 1: no-such-command: not found"),
        (line("test -z '$HOME'"), "exit code 1"),
        (sh("test -z '$HOME'"), "exit code 1"),
        (line("test '' = ''"), ""),
    ],
)
def test_how_the_command_ends_is_what_counts(written: str, reason: str) -> None:
    assert run(why_not(written)) == reason


def test_a_file_that_is_no_program_is_told(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(b"\0\0")
    path.chmod(0o755)

    assert run(why_not(line(str(path)))) == f"exec format error: {path}"


@pytest.mark.parametrize("written", [line("false"), line("true", "code=3")])
def test_another_exit_code_is_what_until_down_waits_for(written: str) -> None:
    assert run(outcome(f"{written} until=down")).ok


@pytest.mark.parametrize(
    "written", [line("no-such-command"), sh("no-such-command"), sh("kill $$"), line("true")]
)
def test_no_answer_is_no_absence(written: str) -> None:
    assert not run(outcome(f"{written} until=down")).ok


def test_the_command_has_our_environment() -> None:
    assert run(why_not(sh(f'test "$PATH" = {shlex.quote(os.environ["PATH"])}'))) == ""


def test_the_command_has_no_input() -> None:
    ours, (reader, writer) = os.dup(0), os.pipe()
    os.write(writer, b"line\n")
    os.dup2(reader, 0)
    try:
        assert run(why_not(sh("! read line"))) == ""
    finally:
        os.dup2(ours, 0)
        for each in (ours, reader, writer):
            os.close(each)


def test_a_flood_of_output_is_read_and_not_kept() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    reason = run(why_not(sh("yes | head -c 50000000; echo; echo end; exit 1")))

    assert reason == "exit code 1: end"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024


def test_a_last_line_without_end_is_cut() -> None:
    reason = run(why_not(sh("head -c 100000 /dev/zero | tr '\\0' x; exit 1")))

    assert reason.startswith("exit code 1: xxxx")
    assert len(reason) == 300


def test_a_command_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    files = [tmp_path / "child", tmp_path / "parent"]
    script = f"sleep 60 & echo $! >{files[0]}; echo $$ >{files[1]}; wait"

    reason = run(why_late(sh(script), lambda _: all(map(is_written, files))))

    assert reason == "running /bin/sh: no answer within 1m"
    for file in files:
        gone_soon(file)


def is_written(file: Path) -> bool:
    """Whether the shell has not only made *file* but written to it."""
    return file.exists() and file.read_text().endswith("\n")


def gone_soon(file: Path) -> None:
    """The thread reaps it a moment after the kill; the child of another is init's to reap."""
    until(lambda: not alive(file))


def test_a_command_that_is_stopped_is_killed(tmp_path: Path) -> None:
    async def main() -> None:
        attempt = asyncio.ensure_future(why_not(sh(f"echo $$ >{tmp_path}/pid; sleep 60")))
        while not is_written(tmp_path / "pid"):  # noqa: ASYNC110 -- what a shell writes
            await asyncio.sleep(0.01)
        attempt.cancel()
        await asyncio.wait([attempt])

    run(main())

    gone_soon(tmp_path / "pid")


def test_what_a_command_leaves_behind_neither_lives_nor_delays(tmp_path: Path) -> None:
    result = run(outcome(sh(f"sleep 60 & echo $! >{tmp_path}/child", "timeout=30s")))

    assert result.ok
    gone_soon(tmp_path / "child")


@pytest.mark.skipif(not shutil.which("setsid"), reason="needs setsid")
def test_a_daemon_that_holds_the_output_open_delays_nothing(tmp_path: Path) -> None:
    file = tmp_path / "daemon"
    daemon = f"setsid sh -c 'echo $$ >{file}; exec sleep 60' &"
    script = f"{daemon} while ! test -s {file}; do sleep 0.01; done; exit 4"

    reason = run(why_not(sh(script, "timeout=30s")))

    os.kill(int(file.read_text()), signal.SIGKILL)
    assert reason == "exit code 4"


def test_an_exit_code_that_another_took_is_no_success() -> None:
    """As where SIGCHLD is ignored, or somebody in the process reaps every child."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert run(why_not(line("true"))) == "its exit code went to another process"
    finally:
        signal.signal(signal.SIGCHLD, before)


def zombies() -> set[str]:
    """Return the ended children of ours that nobody has reaped."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, parent = status.read_text().rpartition(")")[2].split()[:2]
            if state == "Z" and parent == str(os.getpid()):
                found.add(status.parent.name)
    return found


def test_many_attempts_leave_nothing_open_and_no_zombie() -> None:
    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async def main() -> tuple[int, int]:
        before = files()
        for _ in range(20):
            await why_not(line("false"))
        await asyncio.gather(*(why_not(sh("sleep 60", "timeout=100ms")) for _ in range(10)))
        return before, files()

    before, after = run(main())

    assert after == before
    for thread in threading.enumerate():
        if thread.name == "aside":
            thread.join(PATIENCE)
    assert not zombies()


AS_PID_1 = """
import os
from contextlib import suppress
from pathlib import Path
from tests.checks.servers.daemon import until
from tests.conftest import run, why_late, why_not
assert os.getpid() == 1
def others():
    names = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            names += (process / "comm").read_text().split() if process.name != "1" else []
    return names
many = "'exec:(sleep 60 & sleep 60) & sleep 60' shell"
reasons = [
    run(why_not("'exec:sleep 60 & exit 0' shell timeout=30s")),
    run(why_late(many, lambda _: others().count("sleep") == 3)),
]
until(lambda: not others())
print(reasons)
"""


def test_as_pid_1_the_orphans_are_reaped_too() -> None:
    command = [shutil.which("unshare") or "", "--pid", "--fork", "--mount-proc"]
    if not command[0] or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("needs the right to make a process namespace")

    done = subprocess.run(
        [*command, sys.executable, "-c", AS_PID_1],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )

    assert (done.stdout, done.stderr) == (
        "['', 'running /bin/sh: no answer within 1m']\n",
        "",
    )


EXITS = """
import asyncio
from tests.conftest import run, why_not
async def main():
    attempt = asyncio.ensure_future(why_not("'exec:sleep 60'"))
    await asyncio.sleep(0.1)
    print("leaves")
run(main())
"""


def test_a_running_command_does_not_delay_the_exit() -> None:
    started = time.monotonic()

    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", EXITS],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )

    assert (done.stdout, done.stderr) == ("leaves\n", "")
    assert time.monotonic() - started < 30


WANTED = 'the URL wants a command; write "exec:COMMAND ARGS" as one word'


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("exec:", WANTED),
        ("exec://true", WANTED),
        (line("echo 'a"), "in the command a quote is opened and not closed"),
        (line("true", "code=256"), "code: an exit code is not above 255"),
    ],
)
def test_what_is_wrong_is_a_problem(written: str, problem: str) -> None:
    assert problems_of(f"it {written}") == [problem]
