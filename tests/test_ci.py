"""What the scripts and the locks in .ci promise."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("words", "ci", "code"),
    [
        ([], "", 1),  # make image-test
        (["--if-possible"], "", 0),  # make test, on a laptop
        (["--if-possible"], "true", 1),
    ],
)
def test_an_image_that_cannot_be_tested_here_is_no_success_where_its_test_was_wanted(
    words: list[str], ci: str, code: int, tmp_path: Path
) -> None:
    for tool in ("bash", "dirname", "id"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))

    done = subprocess.run(
        [ROOT / "tests" / "image" / "run", *words],
        check=False,
        env={"PATH": str(tmp_path), "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == code
    assert "the image is not tested: no buildah here" in done.stderr


def locked(name: str) -> dict[str, str]:
    text = (ROOT / ".ci" / name).read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_what_is_shipped_is_what_is_tested() -> None:
    assert locked("requirements.txt").items() <= locked("requirements-dev.txt").items()


def test_every_extra_can_go_into_the_image() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [each for extra in project["optional-dependencies"].values() for each in extra]
    names = {re.split(r"[^\w.-]", text)[0].replace(".", "-") for text in texts} - {"podgate"}

    assert names <= set(locked("requirements.txt"))


def test_where_there_is_no_other_python_none_is_tested_and_that_is_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "other-pythons"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert done.stderr == "no other Python is tested: there is none here\n"


def test_a_failure_on_another_python_is_one_of_the_run(tmp_path: Path) -> None:
    other = next(minor for minor in range(12, 16) if minor != sys.version_info.minor)
    stand_in = tmp_path / f"python3.{other}"
    # Says that it is that Python, and fails the tests.
    stand_in.write_text('#!/bin/sh\n[ "$1" = -c ] || { echo "1 failed"; exit 1; }\n')
    stand_in.chmod(0o755)

    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "other-pythons"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "1 failed\n\n")
