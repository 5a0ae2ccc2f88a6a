"""Processes that get a hundredth of a CPU."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PERIOD = 100_000
"""Of which a process gets a share, in microseconds: that of the limits of containers."""
_V1 = Path("/sys/fs/cgroup/cpu")
_V2 = Path("/sys/fs/cgroup")


@contextmanager
def starved(pid: int, share: float = 0.01) -> Iterator[None]:
    """Let the process *pid* have *share* of a CPU within the block."""
    group = next((each / f"gate-{pid}" for each in (_V1, _V2) if _can_limit(each)), None)
    with _by_group(pid, share, group) if group else _by_signals(pid, share):
        yield


def _can_limit(root: Path) -> bool:
    """Whether groups of *root* limit CPU and may be made by this process."""
    probe = root / f"gate-probe-{os.getpid()}"
    try:
        probe.mkdir()
    except OSError:
        return False
    try:
        return any((probe / name).exists() for name in ("cpu.cfs_quota_us", "cpu.max"))
    finally:
        probe.rmdir()


@contextmanager
def _by_group(pid: int, share: float, group: Path) -> Iterator[None]:
    group.mkdir()
    quota = round(_PERIOD * share)
    try:
        if (group / "cpu.max").exists():
            (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for left in (group / "cgroup.procs").read_text().split():
            with suppress(OSError):
                (group.parent / "cgroup.procs").write_text(left)
        group.rmdir()


@contextmanager
def _by_signals(pid: int, share: float) -> Iterator[None]:
    """Stop it for most of each period: where the kernel's limits are not to be had."""
    is_over, period = threading.Event(), _PERIOD / 1e6

    def alternate() -> None:
        with suppress(ProcessLookupError):
            while not is_over.wait(period * share):
                os.kill(pid, signal.SIGSTOP)
                is_over.wait(period * (1 - share))
                os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=alternate)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
