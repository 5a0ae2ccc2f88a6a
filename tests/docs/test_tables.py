"""The tables of `docs/`: each line of gate is read, each claim of a test names one that exists."""

from __future__ import annotations

import ast
import re

import pytest

from gate.lint.rules import IDS
from tests.docs.pages import DOCS, ROOT
from tests.examples.test_guides import read

TOOLS = (
    *("wait-for-it", "A loop around `nc`", "dockerize", "wait4x", "waitfor", "wait-on"),
    *("k8s-wait-for", "kubectl wait", "docker-compose `depends_on`"),
    "Istio's `holdApplicationUntilProxyStarts`",
)
SECTIONS = re.findall(
    r"^## (.*?)\n(.*?)(?=^## |\Z)", (DOCS / "migrating.md").read_text(), re.MULTILINE | re.DOTALL
)
_ROW = re.compile(r"^\| `(.*)` \| `(.*)` \|$", re.MULTILINE)
MOVED = [(tool, old, new) for tool, text in SECTIONS for old, new in _ROW.findall(text)]


def test_each_tool_has_its_lines_and_what_differs() -> None:
    assert [tool for tool, _ in SECTIONS] == list(TOOLS)
    for tool, text in SECTIONS:
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        assert len(rows) == len(_ROW.findall(text)) > 0, tool
        assert text.strip().splitlines()[-1].endswith("."), tool


@pytest.mark.parametrize(("tool", "old", "new"), MOVED)
def test_gate_reads_its_line(tool: str, old: str, new: str) -> None:
    found = read(new)

    assert "gate" not in old
    assert found.dependencies
    assert found.all_problems() == ()


PLAYED = {
    "native sidecars": (
        "pod/test_player.py",
        "test_the_next_container_waits_for_its_startup_probe",
    ),
    "sidecars end after the app": (
        "examples/test_examples.py",
        "test_a_pod_is_ended_in_order_app_first",
    ),
    "kubelet restart opens a waiting gate": (
        "examples/test_kubelet_restart.py",
        "test_without_what_holds_behind_gate_it_is_not",
    ),
    "container restart rules": (
        "pod/test_node_events.py",
        "test_a_rule_restarts_what_the_policy_would_not",
    ),
    "`RestartAllContainers`": (
        "pod/test_node_events.py",
        "test_all_containers_restart_init_containers_included",
    ),
    "sidecar probes while the pod ends": (
        "pod/test_lifecycle.py",
        "test_a_gate_that_still_waits_is_ended_at_once",
    ),
    "in-place resize": ("pod/test_node_events.py", "test_a_resize_restarts_one_container_in_place"),
    "Istio ambient": (
        "pod/test_node_events.py",
        "test_there_is_none_while_a_hook_blocks_in_the_first_container",
    ),
    "postStart hooks": ("pod/test_node_events.py", "test_a_hook_that_runs_is_forgotten"),
    "startup probe answered 300": ("pod/test_player.py", "test_300_opens_with_a_warning"),
}
"""Feature in the table of Kubernetes versions to a test that plays it."""
FEATURES = re.findall(
    r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \| ([^|]+) \|$",
    (DOCS / "kubernetes.md").read_text(),
    re.MULTILINE,
)[1:]


def test_each_feature_says_how_it_is_known() -> None:
    assert len(FEATURES) > 15
    for name, _, known in FEATURES:
        assert set(re.findall(r"\w+", known)) & {"played", "seen", "read"}, name


def test_what_is_played_is_played_by_a_test() -> None:
    assert {name for name, _, known in FEATURES if "played" in known} == set(PLAYED)
    for path, name in PLAYED.values():
        tree = ast.parse((ROOT / "tests" / path).read_text())
        assert name in {getattr(node, "name", "") for node in ast.walk(tree)}


def test_the_rules_beside_those_of_other_linters_are_there() -> None:
    table = (DOCS / "lint.md").read_text().partition("## Beside other linters")[2]
    rows = re.findall(r"^\| .* \| .* \| (.*) \|$", table.partition("## ")[0], re.MULTILINE)
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", " ".join(rows)))

    assert len(rows) > 1
    assert named <= IDS
