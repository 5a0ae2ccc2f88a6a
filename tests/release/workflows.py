"""What the workflows in `.github` have to keep to; what GitHub would say is not known here."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Fields = dict[str, Any]

FOLDER = Path(__file__).parents[2] / ".github" / "workflows"
_PINNED = re.compile(r"^\s*(?:- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
_OURS = re.compile(r"^\s*uses: \./\.github/workflows/[\w-]+\.yml$")
_SECRET = re.compile(r"\bsecrets\.(\w+)")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
PUBLISHERS = ("docker/login-action", "pypa/gh-action-pypi-publish", "sigstore/cosign-installer")
"""Actions that stand at the beginning of something that others can see."""
ON_A_TAG = "github.ref_type == 'tag'"


def problems() -> list[str]:
    """Return what is wrong with the workflows, each with its file."""
    return [
        f"{path.name}: {text}"
        for path in sorted(FOLDER.glob("*.yml"))
        for text in problems_of(path.read_text())
    ]


def problems_of(text: str) -> Iterator[str]:
    """Yield what is wrong with the workflow *text*."""
    try:
        workflow = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        yield f"no YAML: {exc}"
        return
    yield from _of_lines(text)
    if workflow.get("permissions") != {}:
        yield "wants `permissions: {}` at the top, and each job its own"
    for name, job in workflow["jobs"].items():
        needed = job.get("needs", [])
        for other in [needed] if isinstance(needed, str) else needed:
            if other not in workflow["jobs"]:
                yield f"job {name}: needs {other}, which is no job"
        yield from (f"job {name}: {each}" for each in _of_job(job))


def _of_lines(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if " uses:" in line and not (_PINNED.match(line) or _OURS.match(line)):
            yield f"line {number}: an action is pinned as NAME@HASH # vX.Y.Z"
        for secret in _SECRET.findall(line):
            if secret != "GITHUB_TOKEN":
                yield f"line {number}: secret {secret}; there is none but GITHUB_TOKEN"


def _of_job(job: Fields) -> Iterator[str]:
    if "permissions" not in job:
        yield "has no permissions of its own"
    if "uses" not in job and "timeout-minutes" not in job:
        yield "has no timeout-minutes"
    for step in job.get("steps", []):
        action = step.get("uses", "").partition("@")[0]
        if (
            action == "actions/checkout"
            and step.get("with", {}).get("persist-credentials") is not False
        ):
            yield "checks out with credentials that stay"
        if action in PUBLISHERS and ON_A_TAG not in (step.get("if"), job.get("if")):
            yield f"{action} wants `if: {ON_A_TAG}`"
        yield from _of_script(step.get("run", ""))


def _of_script(script: str) -> Iterator[str]:
    if _EXPRESSION.search(script):
        yield "an expression in a script; hand it over by `env`"
    done = subprocess.run(
        ["bash", "-n"], input=script, check=False, capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        yield f"a script that is none: {done.stderr.strip()}"
