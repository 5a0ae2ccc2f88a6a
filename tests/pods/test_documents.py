"""From YAML to pods: every form there is, and a clear word for what is none."""

from __future__ import annotations

import pytest

from gate.lint import lint
from gate.pods.nodes import documents
from gate.pods.scalars import plain
from tests.lint.corpus import found

BAD = """
      initContainers:
        - {name: agent, image: agent, restartPolicy: Always, readinessProbe: {tcpSocket: {port: 1}}}
      containers:
        - {name: app, image: app}
"""
TEMPLATE = "if it is a template, render it first: helm template … | gate lint -"
RULE = "sidecar-probe-does-not-hold"


def says(text: str) -> list[str]:
    """Return `line: rule: message` of each finding."""
    findings = lint([("m.yaml", text)]).findings
    return [f"{each.line}: {each.rule}: {each.message}" for each in findings]


@pytest.mark.parametrize(
    "text",
    [
        f"kind: Pod\nspec:{BAD}",
        f"kind: Deployment\nspec:\n  template:\n    spec:{BAD}",
        f"kind: StatefulSet\nspec:\n  template:\n    spec:{BAD}",
        f"kind: DaemonSet\nspec:\n  template:\n    spec:{BAD}",
        f"kind: ReplicaSet\nspec:\n  template:\n    spec:{BAD}",
        f"kind: Job\nspec:\n  template:\n    spec:{BAD}",
        f"kind: CronJob\nspec:\n jobTemplate:\n  spec:\n   template:\n    spec:{BAD}",
        f"kind: PodTemplate\ntemplate:\n    spec:{BAD}",
        f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec:\n  template:\n    spec:{BAD}",
        f"kind: List\nitems:\n  - kind: Pod\n    spec:{BAD}",
        f"kind: DeploymentList\nitems:\n- kind: X\n  spec:\n   template:\n    spec:{BAD}",
        f"kind: LeaderWorkerSet\nspec:\n leaderWorkerTemplate:\n  workerTemplate:\n   spec:{BAD}",
        f"kind: Service\n---\n# comment\n---\nkind: Pod\nspec:{BAD}---\n",
        f"kind: Pod\r\nspec:{BAD}".replace("\n", "\r\n"),
        f"\ufeffkind: Pod\nspec:{BAD}",
    ],
)
def test_a_pod_is_found_wherever_it_stands(text: str) -> None:
    report = lint([("m.yaml", text)])

    assert [finding.rule for finding in report.findings] == [RULE]
    line = text.replace("\r", "").split("\n")[report.findings[0].line - 1]
    assert "readinessProbe" in line


def test_json_is_yaml_too() -> None:
    text = '{"kind": "Pod", "spec": {"containers": [{"name": "a", "image": "a", "args": [1]}]}}'

    assert found(text) == ["wrong-type"]


def test_an_anchor_is_found_where_it_is_written_and_merged() -> None:
    text = """kind: Pod
spec:
  initContainers:
    - &base
      name: one
      image: one
      restartPolicy: Always
      livenessProbe: {tcpSocket: {port: 1}, periodSeconds: 1}
    - {<<: *base, name: two}
  containers: [{name: app, image: app}]
"""
    findings = lint([("m.yaml", text)], None).findings

    assert {(each.line, each.subject) for each in findings} == {
        (8, "Pod without a name, container one"),
        (8, "Pod without a name, container two"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: [Pod\n", "1: yaml: not YAML: did not find expected ',' or ']'"),
        ("a: 1\n\tb: 2\n", "2: yaml: not YAML: found a tab character that violates indentation"),
        ("a: *nowhere\n", "1: yaml: not YAML: found undefined alias"),
        ("? {a: 1}\n: 2\n", "1: yaml: not a manifest: a key is a mapping or a list"),
        ("a: b\x00\n", "1: yaml: not YAML: control characters are not allowed"),
        ("<<: 3\n", "1: yaml: not YAML: << wants a mapping"),
        (
            "kind: Pod\nspec: {{ toYaml .Values.spec }}\n",
            f"2: yaml: not a manifest: a key is a mapping or a list; {TEMPLATE}",
        ),
        (
            "{{- if .Values.on }}\nkind: Pod\n{{- end }}\n",
            f"1: yaml: not YAML: did not find expected node content; {TEMPLATE}",
        ),
        (
            "a: {{ .Values.a }}\nb: 1\n c: 2\n",
            f"3: yaml: not YAML: mapping values are not allowed in this context; {TEMPLATE}",
        ),
        (
            'a: "{{ $labels.instance }}" # and {{ another }}\nb: 1\n c: 2\n',
            "3: yaml: not YAML: mapping values are not allowed in this context",
        ),
        ("b: 1\na: " + "[" * 120 + "]" * 120, "2: yaml: nested more than 100 deep"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, said: str) -> None:
    assert says(text) == [said]


def test_a_broken_document_hides_no_other() -> None:
    report = lint([("m.yaml", f"a: [\n---\nkind: Pod\nspec:{BAD}")])

    assert [finding.rule for finding in report.findings] == ["yaml", RULE]
    assert report.exit_code == 2


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("env: {A: 1}", "env is not a list"),
        ("env: [A]", "an item of env is not a mapping"),
        ("env: [{name: A, value: 60}]", "value is not a text"),
        ("env: [{name: A, value: on}]", "value is not a text"),
        ("command: ls", "command is not a list"),
        ("args: [--port, 80]", "an item of args is not a text"),
        ("startupProbe: 1", "startupProbe is not a mapping"),
        ("startupProbe: {httpGet: {port: [80]}}", "port is not a text or a number"),
        (
            "startupProbe: {periodSeconds: 1.5, tcpSocket: {port: 1}}",
            "periodSeconds is not a whole",
        ),
        ("lifecycle: {postStart: []}", "postStart is not a mapping"),
        ("resources: {limits: {cpu: true}}", "cpu is not a text or a number"),
        ("restartPolicy: yes", "restartPolicy is not a text"),
    ],
)
def test_a_wrong_type_is_what_the_api_server_refuses(field: str, said: str) -> None:
    text = f"kind: Pod\nspec:\n  containers:\n    - name: a\n      image: a\n      {field}\n"

    (first, *rest) = says(text)

    assert first.startswith(f"6: wrong-type: {said}")
    assert rest == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:22", "22:22"),
        ("y", True),
        ("off", False),
        ("0x1F", 31),
        ("0o17", 15),
        ("0o", "0o"),
        ("-0O", "-0O"),
        ("017", 15),
        ("1_000", 1000),
        ("1.5e3", 1500.0),
        ("-.inf", float("-inf")),
        ("2024-01-01", "2024-01-01"),
        ("100m", "100m"),
        ("08", 8.0),
        ("~", None),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars_are_what_kubernetes_parser_makes_of_them(text: str, value: object) -> None:
    assert plain(text) == value
    assert type(plain(text)) is type(value)


def test_a_bomb_of_anchors_is_read_at_once() -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]

    (document,) = documents("\n".join([*lines, "kind: Deployment", "spec: *a59"]))

    assert document.fault is None
    assert found("\n".join([*lines, "kind: Deployment", "spec: {template: *a59}"])) == []


def test_an_anchor_that_holds_itself_is_no_trap() -> None:
    assert found("kind: Deployment\nspec: &a\n  template: *a\n  spec: *a\n  <<: *a\n") == []


def test_what_is_in_a_list_has_its_own_name_and_kind() -> None:
    item = f"- kind: Deployment\n  metadata: {{name: shop}}\n  spec:\n   template:\n    spec:{BAD}"

    (finding,) = lint([("m.yaml", f"kind: DeploymentList\nitems:\n{item}")]).findings

    assert finding.subject == "Deployment shop, container agent"


@pytest.mark.parametrize(
    ("name", "image", "pods"),
    [
        ("app", "image: <YOUR-IMAGE>", 1),
        ("app", "image:", 1),
        ("app", "image: ${IMAGE}", 1),
        ("<YOUR-APPLICATION-NAME>", "# your image", 1),
        ("$NAME", "# your image", 1),
        ("app", "# patched", 0),
    ],
)
def test_a_placeholder_is_no_reason_to_skip_a_pod(name: str, image: str, pods: int) -> None:
    text = f"""kind: Pod
spec:
  initContainers: [{{name: wait, image: tools}}]
  containers:
    - name: {name}
      {image}
"""
    assert lint([("m.yaml", text)]).pods == pods
