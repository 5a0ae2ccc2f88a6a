"""examples/README.md: every file is listed there and used by a test, every new line works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from gate import checks, config, flags
from tests.stand_ins import EXAMPLES

TESTS = Path(__file__).parent
README = (EXAMPLES / "README.md").read_text()
PLAYED_BY = {
    "README.md": "test_guides.py",
    "ci/github-action.yaml": "test_guides.py",
    "curl-hook.yaml": "test_examples.py",
    "docker-compose.yaml": "test_examples.py",
    "exec-probe.yaml": "test_examples.py",
    "helm/gate/Chart.yaml": "test_helm.py",
    "helm/gate/templates/_gate.tpl": "test_helm.py",
    "helm/gate/values.schema.json": "test_helm.py",
    "helm/gate/values.yaml": "test_helm.py",
    "helm/shop/Chart.yaml": "test_helm.py",
    "helm/shop/templates/deployment.yaml": "test_helm.py",
    "helm/shop/values.yaml": "test_helm.py",
    "init.yaml": "test_examples.py",
    "job.yaml": "test_examples.py",
    "kustomize/base/kustomization.yaml": "test_kustomize.py",
    "kustomize/base/shop.yaml": "test_kustomize.py",
    "kustomize/base/worker.yaml": "test_kustomize.py",
    "kustomize/gate/gate.yaml": "test_kustomize.py",
    "kustomize/gate/kustomization.yaml": "test_kustomize.py",
    "kustomize/overlay/dependencies.txt": "test_kustomize.py",
    "kustomize/overlay/kustomization.yaml": "test_kustomize.py",
    "mesh.yaml": "test_examples.py",
    "monitoring/alerts.yaml": "test_metrics.py",
    "monitoring/dashboard.json": "test_metrics.py",
    "monitoring/scrape.yaml": "test_metrics.py",
    "poststart-container.yaml": "test_examples.py",
    "poststart-sidecar.yaml": "test_examples.py",
    "rbac-events.yaml": "test_reports.py",
    "rbac-k8s.yaml": "checks/test_k8s_rbac.py",
    "screenshots/opened.png": "test_guides.py",
    "screenshots/waiting.png": "test_guides.py",
    "sidecar.yaml": "test_examples.py",
    "state-file.yaml": "test_examples.py",
}
"""Every file, and the test that uses it."""
WHOLE = {
    "test_metrics.py": '"monitoring"',
    "test_helm.py": '"helm"',
    "test_kustomize.py": '"kustomize"',
}
"""Tests that take a whole folder, and how they name it."""


def files() -> list[str]:
    return sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*") if path.is_file())


def test_every_file_is_used_by_a_test() -> None:
    assert files() == sorted(PLAYED_BY)


@pytest.mark.parametrize("name", sorted(PLAYED_BY))
def test_the_test_names_the_file(name: str) -> None:
    text = (TESTS / PLAYED_BY[name]).read_text()

    assert WHOLE.get(PLAYED_BY[name], Path(name).name) in text


@pytest.mark.parametrize("name", sorted(set(PLAYED_BY) - {"README.md"}))
def test_the_guide_lists_the_file(name: str) -> None:
    assert f"[{name}]({name})" in README


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (EXAMPLES / link).is_file()] == []


@pytest.mark.parametrize("name", ["opened.png", "waiting.png"])
def test_a_screenshot_is_an_image(name: str) -> None:
    assert (EXAMPLES / "screenshots" / name).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


TABLE = README.partition("| from | old | new |\n|---|---|---|\n")[2].partition("\n\n")[0]
MOVED = re.findall(r"^\|[^|]*\| `([^`]+)` \| `([^`]+)` \|$", TABLE, re.MULTILINE)
TOOLS = (
    "wait4x",
    "dockerize",
    "wait-for-it",
    "docker-compose-wait",
    "k8s-wait-for",
    "kubernetes-entrypoint",
    "linkerd-await",
)


def read(line: str) -> config.Config:
    """Return what gate reads from a line for the shell; mistaken flags raise."""
    words = shlex.split(line)
    start = words.index("gate")
    env = dict(word.split("=", 1) for word in words[:start])
    own = words[start + 1 :]
    own = own[: own.index("--")] if "--" in own else own
    given = flags.parse(own)
    arguments = getattr(given, "dependency", ())
    found = config.read(env, flags=flags.settings(given), arguments=arguments)
    for wanted in found.wanted:
        checks.load(wanted.target)
    return found


@pytest.mark.parametrize(("old", "new"), MOVED, ids=lambda line: line[:40])
def test_a_line_of_another_tool_has_one_of_gate_that_it_reads(old: str, new: str) -> None:
    found = read(new)

    assert "gate" not in old
    assert found.wanted
    assert found.all_problems() == ()


def test_every_tool_has_its_line() -> None:
    for tool in TOOLS:
        assert re.search(rf"^\| {tool} \| `", TABLE, re.MULTILINE), tool
    assert len(MOVED) >= len(TOOLS)


def test_no_line_of_the_table_goes_unread() -> None:
    assert len(TABLE.splitlines()) == len(MOVED)


def test_a_line_that_is_wrong_would_be_found() -> None:
    assert read("gate wait 'tcp://db:5432 timout=3s'").all_problems()
    assert read("GATE_DEPENDENCIES=tpc://db:1 gate wait").all_problems()


def test_the_budget_of_the_guide_is_that_of_the_examples() -> None:
    (failures, hold, minutes) = re.findall(r"(\d+) \S (\d+)s = (\d+) minutes", README)[0]
    text = (EXAMPLES / "sidecar.yaml").read_text()

    assert int(failures) * int(hold) == int(minutes) * 60
    assert f"failureThreshold: {failures} " in text
    assert f"/startupz?hold={hold}s" in text


def test_the_workflow_runs_gate_lint_with_flags_that_it_has() -> None:
    (job,) = yaml.safe_load((EXAMPLES / "ci" / "github-action.yaml").read_text())["jobs"].values()
    lines = [line for step in job["steps"] for line in step.get("run", "").splitlines()]
    found = [line[line.index("gate lint") :] for line in lines if "gate lint" in line]

    assert found
    for line in found:
        assert flags.parse(shlex.split(line)[1:]).command == "lint"
