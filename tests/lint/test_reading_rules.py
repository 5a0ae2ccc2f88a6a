"""What is read from the text itself, with its lines."""

from __future__ import annotations

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
