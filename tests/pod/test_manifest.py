"""The pod player's manifests: where the pod is found, defaults, refusals."""

from pathlib import Path
from typing import Any

import pytest

from tests.pod import ManifestError, load, parse
from tests.pod.building import http, init, main, pod, sidecar
from tests.pod.model import HttpGet, Probe, ProbeKind, RestartPolicy


def test_a_probe_has_the_api_servers_defaults() -> None:
    """Fact 2.4."""
    gate = sidecar("gate", startupProbe={"httpGet": {"port": 80}})

    probe = parse(pod(gate, main("app"))).init_containers[0].startup_probe

    assert probe == Probe(
        action=HttpGet(path="/", port=80, host="", scheme="HTTP"),
        initial_delay=0,
        timeout=1,
        period=10,
        success_threshold=1,
        failure_threshold=3,
        grace=None,
    )


def test_zero_seconds_mean_the_default() -> None:
    """Fact 2.3."""
    gate = sidecar("gate", startupProbe=http(80, periodSeconds=0, timeoutSeconds=0))

    probe = parse(pod(gate, main("app"))).init_containers[0].probes[ProbeKind.STARTUP]

    assert (probe.period, probe.timeout) == (10, 1)


def test_a_pod_has_the_api_servers_defaults() -> None:
    spec = parse(pod(main("app")))

    assert spec.restart_policy is RestartPolicy.ALWAYS
    assert spec.grace == 30
    assert spec.service_links
    assert spec.main_containers[0].message_path == "/dev/termination-log"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", ["template"]),
        ("StatefulSet", ["template"]),
        ("DaemonSet", ["template"]),
        ("Job", ["template"]),
        ("CronJob", ["jobTemplate", "spec", "template"]),
    ],
)
def test_the_template_of_a_workload_is_taken(kind: str, path: list[str]) -> None:
    inner: dict[str, Any] = {"spec": pod(main("app"))["spec"]}
    for step in reversed(path):
        inner = {step: inner}
    workload = {"kind": kind, "metadata": {"name": "web", "namespace": "prod"}, "spec": inner}

    spec = parse(workload)

    assert [each.name for each in spec.containers] == ["app"]
    assert (spec.name, spec.namespace) == ("web-0", "prod")


def test_the_first_pod_of_a_file_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(
        "kind: Service\n---\nkind: Pod\nmetadata: {name: web}\n"
        "spec: {containers: [{name: app, image: nginx}]}\n"
    )

    assert load(file).name == "web"


def test_a_file_without_a_pod_is_refused() -> None:
    with pytest.raises(ManifestError, match="no Pod"):
        load("kind: Service")


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (
            pod(init("wait", "true", startupProbe=http(80)), main("app")),
            "spec.initContainers[0].startupProbe: may not be set for init containers",
        ),
        (
            pod(init("wait", "true", lifecycle={"preStop": {}}), main("app")),
            "spec.initContainers[0].lifecycle: may not be set for init containers",
        ),
        (
            pod(sidecar("gate", startupProbe=http(80, successThreshold=2)), main("app")),
            "spec.initContainers[0].startupProbe.successThreshold: must be 1",
        ),
        (
            pod(main("app", livenessProbe=http(80, successThreshold=2))),
            "spec.containers[0].livenessProbe.successThreshold: must be 1",
        ),
        (
            pod(main("app", readinessProbe={"periodSeconds": 1})),
            "spec.containers[0].readinessProbe: must specify exactly one handler type",
        ),
        (
            pod(main("app", readinessProbe=http(80, timeoutSeconds=-1))),
            "spec.containers[0].readinessProbe.timeoutSeconds: must be greater than or equal to 0",
        ),
        (
            pod(main("app", readinessProbe=http(80, terminationGracePeriodSeconds=1))),
            "readinessProbe.terminationGracePeriodSeconds: must not be set",
        ),
        (
            pod(main("app", readinessProbe=http(70000))),
            "spec.containers[0].readinessProbe.httpGet.port: must be between 1 and 65535",
        ),
        (pod(main("app"), main("app")), "container app: Duplicate value"),
        (pod(sidecar("gate")), "spec.containers: Required value"),
        (
            pod(main("app", volumeMounts=[{"name": "x", "mountPath": "/x"}])),
            "container app: volumeMount x: Not found",
        ),
        (pod(main("app"), restartPolicy="Sometimes"), "spec.restartPolicy: Unsupported value"),
    ],
)
def test_what_the_api_server_refuses_is_refused(manifest: dict[str, Any], problem: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(manifest)

    assert problem in str(caught.value)


def test_a_readiness_probe_may_want_several_successes() -> None:
    spec = parse(pod(main("app", readinessProbe=http(80, successThreshold=2))))

    assert spec.main_containers[0].probes[ProbeKind.READINESS].success_threshold == 2


def test_all_problems_are_told_at_once() -> None:
    manifest = pod(init("a", "true", livenessProbe=http(1)), main("b"), main("b"))

    with pytest.raises(ManifestError) as caught:
        parse(manifest)

    assert len(caught.value.problems) == 2
