"""Silences: beside the line or for a pod, never without a reason."""

from __future__ import annotations

import pytest

from gate.lint import lint
from tests.lint.corpus import found

POD = """kind: Pod
metadata:
  name: shop
  annotations: {%s}
spec:
  initContainers:
    - name: agent
      image: agent
      restartPolicy: Always
      %s
      readinessProbe: %s
        tcpSocket: {port: 1}
  containers: [{name: app, image: app}]
"""
RULE = "sidecar-probe-does-not-hold"


def pod(above: str = "", beside: str = "", annotation: str = "") -> list[str]:
    return found(POD % (annotation, above or "tty: false", beside))


@pytest.mark.parametrize(
    "comment",
    [
        f"# gate-lint: ignore={RULE} the app can do without it",
        f"# gate-lint: ignore=init-never-ends,{RULE} the app can do without it",
        f"#gate-lint: ignore={RULE}   because",
    ],
)
def test_a_comment_with_a_reason_silences_a_rule(comment: str) -> None:
    assert pod(above=comment) == []
    assert pod(above=f"{comment}\n      # and more of it") == []
    assert pod(beside=comment) == []


def test_it_silences_no_other_rule_and_no_other_line() -> None:
    other = "# gate-lint: ignore=init-never-ends the app can do without it"
    elsewhere = f"tty: false # gate-lint: ignore={RULE} the app can do without it"

    assert pod(above=other) == [RULE]
    assert pod(above=elsewhere) == [RULE]


@pytest.mark.parametrize(
    "comment", [f"# gate-lint: ignore={RULE}", f"# gate-lint: ignore={RULE}  "]
)
def test_without_a_reason_it_does_not_count(comment: str) -> None:
    assert sorted(pod(above=comment)) == [RULE, "silence"]


@pytest.mark.parametrize(
    "comment",
    [
        "# gate-lint: ignore=no-such because",
        "# gate-lint: ignore",
        f"# gate-lint: disable={RULE} because",
        f"# gate-lint:{RULE}",
        "# gate-lint: ignore=yaml because",
    ],
)
def test_a_silence_of_no_rule_is_told(comment: str) -> None:
    assert sorted(pod(above=comment)) == [RULE, "silence"]


def test_an_annotation_silences_a_rule_for_its_pod() -> None:
    assert pod(annotation=f'gate-lint/ignore.{RULE}: "the app can do without it"') == []
    assert sorted(pod(annotation=f'gate-lint/ignore.{RULE}: ""')) == [RULE, "silence"]
    assert sorted(pod(annotation='gate-lint/ignore.no-such: "because"')) == [RULE, "silence"]


WORKLOAD = """kind: Deployment
metadata:
  name: shop
  annotations:
    %s
spec:
  template:
    metadata:
      annotations:
        %s
    spec:
      initContainers:
        - name: agent
          image: agent
          restartPolicy: Always
          readinessProbe: {tcpSocket: {port: 1}}
      containers: [{name: app, image: app}]
"""


def lines(workload: str = "a: b", template: str = "a: b") -> list[tuple[int, str]]:
    findings = lint([("m.yaml", WORKLOAD % (workload, template))]).findings
    return [(each.line, each.rule) for each in findings]


def test_an_annotation_may_stand_at_the_pod_or_at_its_workload() -> None:
    silence = f"gate-lint/ignore.{RULE}: the app can do without it"

    assert lines() == [(16, RULE)]
    assert lines(workload=silence) == lines(template=silence) == []


@pytest.mark.parametrize(
    "name", ["gate-lint/ignore.no-such", "gate-lint/disable.x", "gate-lint/ignore.wrong-type"]
)
def test_an_annotation_that_silences_nothing_is_told_where_it_stands(name: str) -> None:
    assert lines(workload=f"{name}: because") == [(5, "silence"), (16, RULE)]
    assert lines(template=f"{name}: because") == [(10, "silence"), (16, RULE)]


def test_it_is_told_how_else_to_silence_what_no_annotation_does() -> None:
    text = WORKLOAD % ("gate-lint/ignore.wrong-type: because", "a: b")

    first, _ = lint([("m.yaml", text)]).findings

    assert first.text == (
        "wrong-type cannot be silenced for a whole pod, so this does nothing; "
        "write # gate-lint: ignore=wrong-type and the reason beside the line"
    )
