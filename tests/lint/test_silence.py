"""Silences: beside the line or for a pod, never without a reason."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("comment", ["# gate-lint: ignore=no-such because", "# gate-lint: ignore"])
def test_a_silence_of_no_rule_is_told(comment: str) -> None:
    assert sorted(pod(above=comment)) == [RULE, "silence"]


def test_an_annotation_silences_a_rule_for_its_pod() -> None:
    assert pod(annotation=f'gate-lint/ignore.{RULE}: "the app can do without it"') == []
    assert sorted(pod(annotation=f'gate-lint/ignore.{RULE}: ""')) == [RULE, "silence"]
    assert sorted(pod(annotation='gate-lint/ignore.no-such: "because"')) == [RULE, "silence"]
