"""Where a rule ends: what is next to a finding and is none, and the other way round."""

from __future__ import annotations

import pytest
import yaml

from gate.lint import lint
from gate.lint.run import LintOptions
from gate.pods import nodes
from tests.lint.building import (
    APP,
    PROBE,
    Fields,
    env,
    gate,
    init,
    messages,
    pod,
    rules_of,
    sidecar,
)

DEPENDENCY = env("GATE_DEPENDENCIES", "db tcp://db:5432")
STATE = env("GATE_STATE_FILE", "/run/gate/opened")
MOUNT: Fields = {"name": "run", "mountPath": "/run/gate/"}


def workload(kind: str, text: str, **spec: object) -> str:
    """Return the pod of *text* as the template of a workload."""
    inner = yaml.safe_load(text)
    whole = {"kind": kind, "metadata": {"name": "shop"}, "spec": {**spec, "template": inner}}
    return yaml.safe_dump(whole)


def probed(**fields: object) -> str:
    return pod(gate(DEPENDENCY, startupProbe={**PROBE, **fields}))


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"failureThreshold": 12}, []),
        ({"failureThreshold": 11}, ["short-probe-budget"]),
        ({"failureThreshold": 11, "initialDelaySeconds": 30}, []),
        (
            {"failureThreshold": 20, "timeoutSeconds": 10},
            ["hold-not-below-timeout", "short-probe-budget"],
        ),
        ({"failureThreshold": 60, "timeoutSeconds": 10}, ["hold-not-below-timeout"]),
        ({"failureThreshold": 10, "periodSeconds": 30}, []),
        ({"periodSeconds": 0}, []),
    ],
)
def test_a_budget_is_thresholds_times_what_each_probe_lasts(
    fields: dict[str, object], rules: list[str]
) -> None:
    assert rules_of(probed(**fields)) == rules


@pytest.mark.parametrize(
    ("variables", "spec", "rules"),
    [
        ([], {}, []),
        ([env("GATE_TIMEOUT", "5m")], {}, []),
        ([env("GATE_TIMEOUT", "15m")], {}, ["progress-deadline"]),
        ([], {"progressDeadlineSeconds": 900}, ["progress-deadline"]),
        ([], {"progressDeadlineSeconds": 1500}, []),
        (
            [env("GATE_TIMEOUT", "5m"), env("GATE_ON_TIMEOUT", "open")],
            {"progressDeadlineSeconds": 400},
            [],
        ),
    ],
)
def test_a_roll_out_has_to_outlast_its_gate(
    variables: list[Fields], spec: dict[str, object], rules: list[str]
) -> None:
    one = gate(DEPENDENCY, STATE, *variables, volumeMounts=[MOUNT])
    text = pod(one, volumes=[{"name": "run", "emptyDir": {}}])

    assert rules_of(workload("Deployment", text, **spec)) == rules


@pytest.mark.parametrize(
    ("mount", "volume", "rules"),
    [
        (MOUNT, {"emptyDir": {}}, []),
        (MOUNT, {"persistentVolumeClaim": {"claimName": "x"}}, []),
        ({**MOUNT, "readOnly": True}, {"emptyDir": {}}, ["state-file-volume"]),
        ({**MOUNT, "mountPath": "/run/gat"}, {"emptyDir": {}}, ["state-file-volume"]),
        (MOUNT, {"configMap": {"name": "x"}}, ["state-file-volume"]),
        (MOUNT, {"name": "another", "emptyDir": {}}, ["state-file-volume"]),
    ],
)
def test_the_mark_wants_a_volume_that_can_be_written(
    mount: Fields, volume: Fields, rules: list[str]
) -> None:
    text = pod(gate(DEPENDENCY, STATE, volumeMounts=[mount]), volumes=[{"name": "run", **volume}])

    assert rules_of(text) == rules


@pytest.mark.parametrize(
    ("args", "rules"),
    [
        (["serve", "--state-file", "/run/gate/opened"], []),
        (["serve", "--state-file=/run/gate/opened"], []),
        (["serve", "--state-file", "/elsewhere/opened"], ["state-file-volume"]),
    ],
)
def test_the_mark_may_be_set_by_a_flag(args: list[str], rules: list[str]) -> None:
    one = gate(DEPENDENCY, args=args, volumeMounts=[MOUNT])
    text = pod(one, volumes=[{"name": "run", "emptyDir": {}}])

    assert rules_of(workload("Deployment", text)) == rules


def test_the_line_is_that_of_the_flag() -> None:
    text = """kind: Pod
spec:
  initContainers:
    - name: gate
      image: gate
      restartPolicy: Always
      args: [serve, --state-file, /state/opened]
      env: [{name: GATE_DEPENDENCIES, value: "db tcp://db:5432"}]
      startupProbe: {httpGet: {path: "/startupz", port: 4283}, failureThreshold: 60}
  containers: [{name: app, image: app}]
"""
    assert [
        each.line for each in lint([("x", text)]).findings if each.rule == "state-file-volume"
    ] == [7]


def test_a_stateful_set_brings_volumes_along() -> None:
    text = pod(gate(DEPENDENCY, STATE, volumeMounts=[MOUNT]))
    claims = [{"metadata": {"name": "run"}, "spec": {}}]

    assert rules_of(workload("StatefulSet", text, volumeClaimTemplates=claims)) == []
    assert rules_of(workload("StatefulSet", text)) == ["state-file-volume"]


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
def test_a_pod_that_ends_needs_no_mark_whatever_makes_it(policy: str) -> None:
    inner = yaml.safe_load(pod(gate(DEPENDENCY), restartPolicy=policy))
    whole = {"kind": "ScaledJob", "spec": {"jobTargetRef": {"template": inner}}}

    assert rules_of(yaml.safe_dump(whole)) == []
    assert rules_of(workload("Deployment", pod(gate(DEPENDENCY)))) == ["no-state-file"]


@pytest.mark.parametrize("behind", [init("sh", "-c", "until nc -z localhost 80; do sleep 1; done")])
def test_a_sidecar_that_is_waited_for_behind_it_needs_no_probe(behind: Fields) -> None:
    agent = sidecar(startupProbe=None, readinessProbe={"tcpSocket": {"port": 80}})
    other = sidecar(startupProbe=None, readinessProbe={"tcpSocket": {"port": 81}})

    assert rules_of(pod(agent, behind)) == []
    assert "sidecar-probe-does-not-hold" in rules_of(pod(other, behind))


def test_a_log_shipper_is_nobody_s_dependency() -> None:
    shipper = sidecar("fluent-bit", startupProbe=None, livenessProbe={"tcpSocket": {"port": 80}})

    assert rules_of(pod(shipper)) == []


def test_a_boolean_is_no_number() -> None:
    assert rules_of(probed(initialDelaySeconds=True)) == ["wrong-type"]


def test_the_host_is_right_on_the_host_network() -> None:
    probe = {"httpGet": {"port": 80, "host": "127.0.0.1"}}
    one = {**APP, "readinessProbe": probe}

    assert rules_of(pod(main=(one,))) == ["probe-host"]
    assert rules_of(pod(main=(one,), hostNetwork=True)) == []


def test_an_address_from_elsewhere_may_be_the_probe_s() -> None:
    unknown = {"name": "GATE_LISTEN", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}
    moved = {**PROBE, "httpGet": {"path": "/startupz?hold=25s", "port": 1}}

    assert rules_of(pod(gate(DEPENDENCY, unknown, startupProbe=moved))) == []
    assert rules_of(pod(gate(DEPENDENCY, startupProbe=moved))) == ["gate-probe-port"]
    there = env("GATE_LISTEN", ":1")
    assert rules_of(pod(gate(DEPENDENCY, there, startupProbe=moved))) == []
    hidden = env("GATE_LISTEN", "127.0.0.1:1")
    assert rules_of(pod(gate(DEPENDENCY, hidden, startupProbe=moved))) == ["gate-probe-port"]


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        (["sh", "-c", "kill $(PIDS)"], []),
        (["sh", "-c", "kill $(MODE)"], ["hook-variable"]),
        (["sh", "-c", "kill $(pidof x)"], []),
        (["notify", "$(PIDS)"], ["hook-variable"]),
    ],
)
def test_in_a_script_a_reference_may_be_a_command(command: list[str], rules: list[str]) -> None:
    hook = {"preStop": {"exec": {"command": command}}}

    assert rules_of(pod(main=({**APP, "env": [env("MODE", "a")], "lifecycle": hook},))) == rules


@pytest.mark.parametrize(
    ("version", "rules"),
    [((1, 28), ["kubernetes-version"]), ((1, 32), ["sidecar-lost-in-job"]), ((1, 33), [])],
)
def test_what_a_version_lacks_or_gets_wrong(version: tuple[int, int], rules: list[str]) -> None:
    text = pod(gate(DEPENDENCY), restartPolicy="Never")

    findings = lint([("x", text)], LintOptions(version=version)).findings

    assert [finding.rule for finding in findings] == rules


@pytest.mark.parametrize(
    ("container", "since"),
    [
        ({"readinessProbe": {"grpc": {"port": 1}}}, 24),
        ({"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}, 30),
        ({"restartPolicy": "Never"}, 35),
        ({"restartPolicyRules": []}, 35),
        ({"restartPolicyRules": [{"action": "Restart"}]}, 35),
        ({"restartPolicyRules": [{"action": "RestartAllContainers"}]}, 36),
        ({"env": [{"name": "A", "valueFrom": {"fileKeyRef": {}}}]}, 35),
        ({"startupProbe": {"tcpSocket": {"port": 1}}}, 18),
    ],
)
def test_each_feature_has_its_version(container: Fields, since: int) -> None:
    text = pod(main=({**APP, **container},))

    before, at = (
        lint([("x", text)], LintOptions(version=(1, minor))) for minor in (since - 1, since)
    )

    assert [finding.rule for finding in before.findings] == ["kubernetes-version"]
    assert at.findings == ()


def test_what_an_error_quotes_is_not_shown() -> None:
    error = yaml.MarkedYAMLError(problem="found undefined alias 'hunter2', expected ','")

    assert str(nodes._fault(error, "a: *hunter2", 0)) == (
        "not YAML: found undefined alias …, expected ','"
    )


def test_a_gate_that_another_container_asks_needs_no_probe() -> None:
    hook = {"postStart": {"exec": {"command": ["gate", "hold", "--listen", "localhost:4283"]}}}

    text = pod(gate(DEPENDENCY, startupProbe=None), sidecar(lifecycle=hook))

    assert rules_of(text) == []
    assert rules_of(text.replace("4283", "4284")) == ["gate-holds-nothing"]


def test_the_message_names_budget_and_timeout() -> None:
    slow = gate(DEPENDENCY, env("GATE_TIMEOUT", "30m"), env("GATE_ON_TIMEOUT", "exit"))

    assert messages(pod(slow)) == [
        (
            "the kubelet kills gate after 25m, before GATE_TIMEOUT (30m) is over: "
            "GATE_ON_TIMEOUT never comes to bear"
        )
    ]
