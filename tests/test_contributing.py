"""The worked example of CONTRIBUTING.md is true: its check and its test are run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.conftest import needs

ROOT = Path(__file__).parents[1]
EXAMPLE = re.compile(r"^   ```python\n(.*?)^   ```$", re.MULTILINE | re.DOTALL)
PLUGIN = """\
from gate.checks import SCHEMES
SCHEMES["beanstalk"] = "beanstalk"
"""


def test_the_worked_example_of_a_check_passes_its_test(tmp_path: Path) -> None:
    needs("beanstalkd", "beanstalkd")
    check, test = map(textwrap.dedent, EXAMPLE.findall((ROOT / "CONTRIBUTING.md").read_text()))
    (tmp_path / "beanstalk.py").write_text(check)
    (tmp_path / "test_beanstalk.py").write_text(test)
    (tmp_path / "conftest.py").write_text(PLUGIN)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert "2 passed" in done.stdout, done.stdout
