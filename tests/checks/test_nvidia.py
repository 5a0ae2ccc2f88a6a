"""Devices that the test makes, as no machine of CI has a GPU: each is a /dev/null or no device."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gate.checks.nvidia import Nvidia
from gate.core.errors import Absent
from gate.core.model import Dependency
from gate.runtime.runner import DependencyCheck, make_attempt
from tests.conftest import problems_of, run, watch_for

NULL = os.makedev(1, 3)
NOBODYS = os.makedev(195, 255)
"""Of NVIDIA's driver, which is not loaded here."""


def why_not(folder: Path, least: int = 1) -> str:
    check = Nvidia(least=least, devices=folder, driver=folder / "version")
    watch = DependencyCheck(Dependency(name="gpu", url="nvidia:"), check)
    return str(run(make_attempt(watch)).reason)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15\n")
    return tmp_path


def add(path: Path, device: int = NULL) -> None:
    if os.geteuid() != 0:
        pytest.skip("makes devices, which takes root")
    os.mknod(path, stat.S_IFCHR | 0o600, device)


def test_it_is_ready_when_driver_and_enough_gpus_are_there(folder: Path) -> None:
    for name in ("nvidiactl", "nvidia0", "nvidia11", "nvidia-uvm"):
        add(folder / name)

    assert why_not(folder) == ""
    assert why_not(folder, 2) == ""
    assert why_not(folder, 3) == "2 of 3 GPUs"


def test_the_driver_alone_may_be_enough(folder: Path) -> None:
    assert why_not(folder, 0) == ""
    (folder / "version").unlink()
    assert why_not(folder, 0) == "driver not loaded"


def test_a_container_without_gpus_is_told(folder: Path) -> None:
    assert why_not(folder) == f"no {folder}/nvidiactl: this container is given no GPU"
    with pytest.raises(Absent):
        run(Nvidia(devices=folder, driver=folder / "version")())


def test_a_device_that_cannot_be_opened_is_told(folder: Path) -> None:
    add(folder / "nvidiactl")
    add(folder / "nvidia0", NOBODYS)

    assert why_not(folder) == f"cannot open {folder}/nvidia0: no such device or address"


def test_a_file_is_no_device(folder: Path) -> None:
    (folder / "nvidiactl").touch()

    assert why_not(folder) == f"{folder}/nvidiactl is no device"


def test_it_looks_where_linux_has_them() -> None:
    check = watch_for("nvidia: min=0").check

    assert check == Nvidia(
        least=0, devices=Path("/dev"), driver=Path("/proc/driver/nvidia/version")
    )


def test_mistakes_are_told() -> None:
    assert problems_of("nvidia://gpu") == ["the URL wants no host; write nvidia:"]
    assert problems_of("nvidia:gpu0") == ["the URL wants no path; write nvidia:"]
