"""What is read from the text itself, with its lines."""

from __future__ import annotations

import pytest
import yaml

from gate.lint import lint
from gate.pods import nodes


def test_what_is_merged_keeps_its_lines() -> None:
    text = """kind: Pod
base: &base
  value: |
    db tcp://db
spec:
  initContainers:
    - name: gate
      image: gate
      args: [wait]
      env: [{<<: [*base], name: GATE_DEPENDENCIES}]
  containers: [{name: app, image: app}]
"""
    (finding,) = lint([("x", text)]).findings

    assert (finding.line, finding.rule) == (4, "gate-config")


def test_what_an_error_quotes_is_not_shown() -> None:
    error = yaml.MarkedYAMLError(problem="found undefined alias 'hunter2', expected ','")

    assert str(nodes._fault(error, "a: *hunter2", 0)) == (
        "not YAML: found undefined alias …, expected ','"
    )


@pytest.mark.parametrize("between", ["", "\n", "\n---\n"])
def test_objects_of_json_may_stand_in_a_row(between: str) -> None:
    job = """{"kind": "Job", "spec": {"template": {"spec": {"initContainers": [
{"name": "i", "image": "nginx"}], "containers": [{"name": "a", "image": "a"}]}}}}"""
    report = lint([("x", f"{job}{between}{job}\n")])

    lines = 2 + (job + between).count("\n")
    assert [each.line for each in report.findings] == [2, lines]
    assert (report.pods, {each.rule for each in report.findings}) == (2, {"init-never-ends"})


@pytest.mark.parametrize("text", ["{a: b}\n{c: d}", '{"a": 1} {', '{"a": 1} b'])
def test_what_is_no_json_is_read_as_yaml(text: str) -> None:
    assert next(iter(nodes.pieces(text))).startswith("{")
    assert any(each.fault for each in nodes.documents(text))


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("{NAME}", "if this is a template, put the values in first"),
        ("[a]", "write it in quotes"),
        ("{a: b}", "write it in quotes"),
    ],
)
def test_a_placeholder_is_to_be_filled_in(written: str, remedy: str) -> None:
    text = f"kind: Pod\nmetadata: {{name: {written}}}\nspec: {{containers: [{{image: a}}]}}"
    (finding,) = lint([("x", text)]).findings

    assert (finding.rule, finding.remedy) == ("wrong-type", remedy)


@pytest.mark.parametrize("value", ["${port}", "$PORT", "<port>", "{{port}}", "%d"])
def test_a_placeholder_may_be_a_text(value: str) -> None:
    port = f"ports: [{{containerPort: '{value}'}}]"
    text = f"kind: Pod\nspec: {{containers: [{{name: a, image: a, {port}}}]}}"
    (finding,) = lint([("x", text)]).findings

    assert finding.remedy.startswith("if this is a template")
