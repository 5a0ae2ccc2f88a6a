"""Each command and manifest in a text for people is one that gate, kubectl and make take."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

from gate.config import flags
from gate.core import probe_arguments
from gate.core.errors import UsageError
from gate.lint import lint
from gate.lint.finding import Severity
from tests.docs.pages import ROOT, Block, blocks, lines, manifest
from tests.examples.test_guides import read

COMMANDS = [(block.place, line) for block in blocks("console") for line in lines(block)]
OTHERS = ("buildah", "helm", "kubectl", "pip", "podman")
"""Programs of others that a line may begin with, besides `make`."""


def gate_lines(line: str) -> list[str]:
    """Return the parts of *line*, between pipes, that run gate."""
    parts = [part.strip() for part in line.split(" | ")]
    return [part for part in parts if re.match(r"(\w+=('[^']*'|\S+) )*gate ", part)]


def check(line: str) -> None:
    """Fail unless gate takes *line*."""
    words = shlex.split(line, comments=True)
    words = words[words.index("gate") + 1 :]
    if words[0] in ("probe", "hold"):
        probe_arguments.read(words[0], words[1:])
    elif words[0] in ("wait", "manifest", "serve") and "admission" not in words:
        found = read(line)
        assert found.dependencies or words[0] != "wait"
        assert found.all_problems() == ()
    elif words[0] != "--version":
        flags.parse(words)


@pytest.mark.parametrize(("place", "line"), COMMANDS)
def test_a_command_is_one_that_exists(place: str, line: str) -> None:
    mine = gate_lines(line)
    for part in mine:
        check(part)
    if line.startswith("make "):
        rules = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert shlex.split(line)[1] in rules
    elif not mine:
        assert line.split(maxsplit=1)[0] in OTHERS


def test_a_mistake_in_a_command_would_be_found() -> None:
    with pytest.raises(UsageError):
        check("gate lint --explian all")
    with pytest.raises(AssertionError):
        check("gate wait 'tcp://db:5432 timout=3s'")
    assert gate_lines("A=b C='d e' gate wait | helm x") == ["A=b C='d e' gate wait"]


CHART = "examples/helm/gate/README.md"
"""Shows values and templates, which tests/examples/test_helm.py renders."""
YAML = [block for block in blocks("yaml") if block.place != CHART]


@pytest.mark.parametrize("block", YAML, ids=str)
def test_a_manifest_has_nothing_wrong_with_it(block: Block) -> None:
    text = manifest(block)
    found = [each for each in lint([(block.place, text)]).findings if each.severity > Severity.INFO]

    assert any("spec" in each for each in yaml.safe_load_all(text))
    assert found == []


def test_a_mistake_in_a_part_of_a_manifest_would_be_found() -> None:
    probe = "startupProbe:\n  httpGet: {path: /livez, port: 4283}\n"
    block = Block("page", "yaml", probe)

    found = {each.rule for each in lint([("page", manifest(block))]).findings}

    assert "gate-probe-path" in found
