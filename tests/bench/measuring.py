"""How the bench measures: processes run in turn, and the operating system's own account of each."""

from __future__ import annotations

import compileall
import http.client
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.conftest import free_port
from tests.stand_ins import get

ROOT = Path(__file__).parents[2]
IMAGE_FILES = os.environ.get("BENCH_IMAGE_FILES", "")
"""The root folder of an unpacked image of gate, whose gate and Python are measured then."""
ROUNDS = 15
_LEAN = ROOT / ".venv" / "bench"
_LOCK = ROOT / ".ci" / "requirements.txt"
_LAUNCHER = """\
#!{python} -IS
import sys
sys.path += [{root!r}, {packages!r}]
from gate.__main__ import run
run()
"""
PACKAGES = _LEAN / "packages"
_HERE = str(Path(sys.base_prefix, "bin", "python3"))
PYTHON = ["chroot", IMAGE_FILES, "python3"] if IMAGE_FILES else [_HERE]
"""The interpreter itself: a virtual environment costs CPU at the start, and the image has none."""
GATE = ["chroot", IMAGE_FILES, "gate"] if IMAGE_FILES else [str(_LEAN / "gate")]
"""gate as the image has it: what is locked and nothing else, compiled, without `site`."""
_PATH = ["/opt/gate/app", "/opt/gate/packages"] if IMAGE_FILES else [str(ROOT), str(PACKAGES)]


def prepare() -> None:
    """Install what the image holds, where that is not done; and the way in."""
    if IMAGE_FILES:
        return
    stamp = _LEAN / "lock"
    if not stamp.exists() or stamp.read_bytes() != _LOCK.read_bytes():
        shutil.rmtree(_LEAN, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        pip += ["--require-hashes", "--no-deps", "--target", str(PACKAGES), "-r", str(_LOCK)]
        subprocess.run(pip, check=True)
        shutil.copy(_LOCK, stamp)
    launcher = _LEAN / "gate"
    launcher.write_text(_LAUNCHER.format(python=_HERE, root=str(ROOT), packages=str(PACKAGES)))
    launcher.chmod(0o755)
    compileall.compile_dir(ROOT / "gate", quiet=1)


def with_packages(statement: str) -> list[str]:
    """Return the command that runs *statement* in Python with the image's packages."""
    return [*PYTHON, "-IS", "-c", f"import sys; sys.path += {_PATH}\n{statement}"]


def cpu_of(command: list[str], env: dict[str, str] | None = None) -> float:
    """Return the CPU seconds that *command* used, user and system; it must succeed."""
    pid = spawned(command, env)
    _, status, usage = os.wait4(pid, 0)
    if status:
        msg = f"{command} failed"
        raise RuntimeError(msg)
    return usage.ru_utime + usage.ru_stime


def spawned(command: list[str], env: dict[str, str] | None = None) -> int:
    """Start *command* silently, in a process group of its own; return its PID."""
    silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    program = shutil.which(command[0]) or command[0]
    everything = {**os.environ, **(env or {})}
    return os.posix_spawn(program, command, everything, file_actions=silent, setpgroup=0)


def side_by_side(*runs: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """Return the median of each of *runs*, taken in turn; one round first is not counted."""
    figures = [[run() for run in runs] for _ in range(rounds + 1)][1:]
    return [statistics.median(column) for column in zip(*figures, strict=True)]


@contextmanager
def serving(dependencies: str, *arguments: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run a gate and yield its port and process."""
    port = free_port()
    env = {**os.environ, "GATE_DEPENDENCIES": dependencies, "GATE_LISTEN": f":{port}"}
    with subprocess.Popen(
        [*GATE, "serve", *arguments], env=env, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until_it_answers(port)
            yield port, process
        finally:
            process.terminate()


def until_it_answers(port: int) -> None:
    """Return once gate, or another server with the path /livez, answers on *port*."""
    while True:
        with suppress(OSError, http.client.HTTPException):
            get(port, "/livez")
            return


def held(port: int) -> http.client.HTTPConnection:
    """Ask the gate on *port* to answer when it opens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/startupz?hold=30s")
    return connection


def cpu_until_now(pid: int) -> float:
    """Return the CPU seconds of all threads of a running process, and of its ended children.

    The former to the nanosecond, the latter to a hundredth of a second.
    """
    tasks = Path(f"/proc/{pid}/task").iterdir()
    own = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return own + (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def cpu_until_it_answers(command: list[str], variable: str, env: dict[str, str]) -> float:
    """Return the CPU seconds of a server until its first answer; *variable* names its port."""
    port = free_port()
    pid = spawned(command, {**env, variable: str(port)})
    until_it_answers(port)
    used = cpu_until_now(pid)
    end(pid)
    return used


def end(pid: int) -> None:
    """End what was `spawned`."""
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def share_of_a_core(pid: int, seconds: float) -> float:
    """Return the CPU that the process *pid* uses in *seconds* from now, as a share of a core."""
    before, began = cpu_until_now(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_until_now(pid) - before) / (time.monotonic() - began)


def memory(pid: int) -> tuple[float, float]:
    """Return resident and own (anonymous) memory of *pid* and its children, in MB."""
    resident = own = 0.0
    for each in (pid, *_children(pid)):
        with suppress(OSError):
            fields = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()[1:]
            found = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in fields}
            resident += found["Rss"]
            own += found["Anonymous"]
    return resident, own


def _children(pid: int) -> list[int]:
    direct = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, direct) for each in (child, *_children(child))]


def instructions(
    command: list[str], env: dict[str, str] | None = None, *, port: int = 0
) -> float | None:
    """Return the millions of instructions of *command*; None without valgrind, or in an image.

    What serves on *port* is told to end as soon as it answers.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None or IMAGE_FILES:
        return None
    counted = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
    everything = {**os.environ, **(env or {})}
    with subprocess.Popen(counted, env=everything, stderr=subprocess.PIPE, text=True) as process:
        if port:
            until_it_answers(port)
            process.terminate()
        _, told = process.communicate()
    line = next(line for line in told.splitlines() if "Collected" in line)
    return int(line.split()[-1]) / 1e6


def quantile(figures: list[float], share: float) -> float:
    """Return the figure below which *share* of *figures* is."""
    return sorted(figures)[min(len(figures) - 1, int(share * len(figures)))]
