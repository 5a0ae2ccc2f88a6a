"""nvidia: -- the driver is loaded, and GPUs can be opened: `min` of them (1 unless given).

The kernel's module says its version in /proc/driver/nvidia/version, which every container sees.
/dev/nvidiactl and /dev/nvidia0 … are there only for a container that is given GPUs: gate's own
needs the runtime of NVIDIA and `NVIDIA_VISIBLE_DEVICES`, or the folder of devices. With `min=0` the
driver of the node is looked at alone. A GPU that can be opened may still be broken.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gate.checks.wire.regular_file import reading
from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from gate.core.target import Target

_GPU = re.compile(r"nvidia\d+")
_CONTROL = "nvidiactl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nvidia:
    """Opens the device of each GPU; the folders are those of every Linux."""

    least: int = 1
    devices: Path = Path("/dev")
    driver: Path = Path("/proc/driver/nvidia/version")

    async def __call__(self) -> None:
        """Raise `CheckFailed` unless the driver and *least* GPUs are there."""
        await reading("driver and devices", self._look)

    def _look(self) -> None:
        if not self.driver.exists():
            msg = "driver not loaded"
            raise Absent(msg)
        if not self.least:
            return
        _open(self.devices / _CONTROL)
        found = [path for path in self.devices.iterdir() if _GPU.fullmatch(path.name)]
        for path in found:
            _open(path)
        if len(found) < self.least:
            msg = f"{len(found)} of {self.least} GPUs"
            raise CheckFailed(msg)


def parse(target: Target) -> Nvidia:
    """Return the check that *target* describes."""
    least = target.number("min", 1)
    target.wants_only("nvidia:", is_host_read=False)
    return Nvidia(least=least)


def _open(path: Path) -> None:
    """Raise `CheckFailed` unless the device at *path* can be opened."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as exc:
        msg = f"no {path}: this container is given no GPU"
        raise Absent(msg) from exc
    except OSError as exc:
        msg = f"cannot open {path}: {(exc.strerror or str(exc)).lower()}"
        raise CheckFailed(msg) from exc
    try:
        if not stat.S_ISCHR(os.fstat(descriptor).st_mode):
            msg = f"{path} is no device"
            raise CheckFailed(msg)
    finally:
        os.close(descriptor)
