"""When an object is as wanted, and the words for when it is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.servers.kubernetes import Kubernetes
from tests.conftest import run, why_not

NOT_SEEN = "its controller has not seen the latest change yet"
COMPLETE: Any = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
RUNNING: Any = {"status": {"startTime": "2026-11-22T10:00:00Z", "active": 1}}
READY: Any = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
UNREADY: Any = {
    "status": {
        "phase": "Running",
        "conditions": [
            {"type": "Ready", "status": "False", "message": "containers with unready status: [db]"}
        ],
    }
}


def of(server: Kubernetes, what: str, options: str = "namespace=prod") -> str:
    return f"k8s:{what} server={server.url} {options}"


async def reason_with(resource: str, what: str, thing: Any, options: str = "") -> str:
    """Return why *what* is not ready where there is one object, *thing*, called db."""
    async with Kubernetes() as server:
        server.put(resource, "db", **thing)
        return await why_not(of(server, what, f"namespace=prod {options}"))


def conditions(*found: tuple[str, str], **status: Any) -> Any:
    listed = [{"type": kind, "status": state, **status} for kind, state in found]
    return {"status": {"conditions": listed}}


def workload(spec: Any, *, generation: int = 2, **status: Any) -> Any:
    status = {"observedGeneration": 2, **status}
    return {"metadata": {"generation": generation}, "spec": spec, "status": status}


JOBS = [
    (COMPLETE, ""),
    ({}, "job not started"),
    (RUNNING, "job running: 1 active"),
    ({"status": {"startTime": "x"}}, "job running: no pod yet"),
    (
        {"status": {"startTime": "x", "uncountedTerminatedPods": {"succeeded": ["uid"]}}},
        "job running: its pod has ended and is being counted",
    ),
    ({"status": {"startTime": "x", "active": 1, "failed": 2}}, "job running: 1 active, 2 failed"),
    (conditions(("Suspended", "True")), "job suspended"),
    (
        conditions(("Failed", "True"), message="Job has reached the specified backoff limit"),
        "job failed: Job has reached the specified backoff limit",
    ),
    ({**COMPLETE, "metadata": {"deletionTimestamp": "2026"}}, "being deleted"),
]


@pytest.mark.parametrize(("thing", "reason"), JOBS)
def test_a_job_is_ready_when_complete(thing: Any, reason: str) -> None:
    assert run(reason_with("jobs", "job/db", thing)) == reason


THREE: Any = {"replicas": 3}
DONE: Any = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "readyReplicas": 3}
DEPLOYMENTS = [
    (workload(THREE, **DONE), ""),
    (workload(THREE, **DONE, generation=3), NOT_SEEN),
    ({"metadata": {"generation": 1}}, NOT_SEEN),
    (workload({"replicas": 0}), "scaled to 0 replicas"),
    (workload(THREE, **{**DONE, "updatedReplicas": 1}), "1 of 3 replicas updated"),
    (workload(THREE, **{**DONE, "replicas": 4}), "old replicas still running: 1"),
    (workload(THREE, **{**DONE, "availableReplicas": 2}), "2 of 3 replicas available"),
    (
        workload(
            THREE,
            availableReplicas=1,
            conditions=[{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}],
        ),
        "rollout failed: progress deadline exceeded, 1 of 3 available",
    ),
]


@pytest.mark.parametrize(("thing", "reason"), DEPLOYMENTS)
def test_a_deployment_is_judged_as_kubectl_rollout_status_does(thing: Any, reason: str) -> None:
    assert run(reason_with("deployments", "deploy/db", thing)) == reason


REVISIONS: Any = {"updateRevision": "b", "currentRevision": "b"}
PARTITION: Any = {**THREE, "updateStrategy": {"rollingUpdate": {"partition": 2}}}
STATEFUL_SETS = [
    (workload(THREE, **DONE, **REVISIONS), ""),
    (workload(THREE, **DONE, observedGeneration=0), NOT_SEEN),
    (workload({"replicas": 0}), "scaled to 0 replicas"),
    (workload(THREE, readyReplicas=2), "2 of 3 replicas ready"),
    (
        workload(THREE, **{**DONE, "updatedReplicas": 1}, updateRevision="c"),
        "1 of 3 replicas updated",
    ),
    (workload({**THREE, "updateStrategy": {"type": "OnDelete"}}, readyReplicas=3), ""),
    (workload(PARTITION, readyReplicas=3, updatedReplicas=1), ""),
    (workload(PARTITION, readyReplicas=3), "0 of 1 replicas updated"),
]


@pytest.mark.parametrize(("thing", "reason"), STATEFUL_SETS)
def test_a_stateful_set_is_judged_as_kubectl_rollout_status_does(thing: Any, reason: str) -> None:
    assert run(reason_with("statefulsets", "statefulset/db", thing)) == reason


NODES: Any = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}
DAEMON_SETS = [
    (workload({}, **NODES), ""),
    (workload({}, **NODES, generation=3), NOT_SEEN),
    (workload({}), "meant for no node"),
    (workload({}, **{**NODES, "updatedNumberScheduled": 1}), "updated on 1 of 2 nodes"),
    (workload({}, **{**NODES, "numberAvailable": 1}), "available on 1 of 2 nodes"),
]


@pytest.mark.parametrize(("thing", "reason"), DAEMON_SETS)
def test_a_daemon_set_is_judged_as_kubectl_rollout_status_does(thing: Any, reason: str) -> None:
    assert run(reason_with("daemonsets", "ds/db", thing)) == reason


@pytest.mark.parametrize(
    ("minimum", "reason"), [(1, ""), (2, "1 replicas available, wanted at least 2")]
)
def test_min_of_a_workload_is_enough_in_the_middle_of_a_rollout(minimum: int, reason: str) -> None:
    thing = workload(THREE, availableReplicas=1)

    assert run(reason_with("deployments", "deployment/db", thing, f"min={minimum}")) == reason


WAITING: Any = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "name": "db"}
PODS = [
    (READY, ""),
    (UNREADY, "pod not ready: containers with unready status: [db]"),
    ({"status": {"phase": "Pending"}}, "pod not ready: Pending"),
    ({"status": {"phase": "Succeeded"}}, "pod has ended: Succeeded"),
    ({"status": {"containerStatuses": [WAITING]}}, "pod not ready: db CrashLoopBackOff"),
    (
        conditions(("PodScheduled", "False"), message="0/3 nodes are available"),
        "pod not ready: 0/3 nodes are available",
    ),
    ({**READY, "metadata": {"deletionTimestamp": "2026"}}, "being deleted"),
]


@pytest.mark.parametrize(("thing", "reason"), PODS)
def test_a_pod_is_ready_by_its_condition(thing: Any, reason: str) -> None:
    assert run(reason_with("pods", "pod/db", thing)) == reason


LABELS: Any = {"labels": {"app": "db"}}


@pytest.mark.parametrize(
    ("minimum", "reason"),
    [(1, ""), (2, "1 of 2 pods ready: pod not ready: containers with unready status: [db]")],
)
def test_of_pods_by_selector_enough_must_be_ready(minimum: int, reason: str) -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            server.put("pods", "a", metadata=LABELS, **READY)
            server.put("pods", "b", metadata=LABELS, **UNREADY)
            server.put("pods", "other", metadata={"labels": {"app": "web"}}, **READY)
            line = of(server, "pod?selector=app=db", f"namespace=prod min={minimum}")
            return await why_not(line)

    assert run(main()) == reason


def test_a_pod_that_terminates_is_not_counted() -> None:
    meta = {**LABELS, "deletionTimestamp": "2026-11-22T10:00:00Z"}

    reason = run(reason_with("pods", "pod?selector=app=db", {"metadata": meta, **READY}))

    assert reason == "0 of 1 pods ready: being deleted"


def endpoint_slice(*ready: Any, service: str = "db") -> Any:
    endpoints = [
        {
            "addresses": [f"10.0.0.{n}"],
            "conditions": {} if state is None else {"ready": state},
            "targetRef": {"uid": f"pod-{n}"},
        }
        for n, state in enumerate(ready)
    ]
    return {
        "metadata": {"labels": {"kubernetes.io/service-name": service}},
        "endpoints": endpoints,
    }


SLICES = [
    (endpoint_slice(True), "", ""),
    (endpoint_slice(None), "", ""),
    (endpoint_slice(True, False), "min=2", "1 of 2 endpoints ready"),
    (endpoint_slice(False, False), "", "0 of 1 endpoints ready"),
    ({**endpoint_slice(), "endpoints": None}, "", "0 of 1 endpoints ready"),
    (
        endpoint_slice(True, service="web"),
        "",
        "no service db in namespace prod, or none with endpoints",
    ),
]


@pytest.mark.parametrize(("thing", "options", "reason"), SLICES)
def test_a_service_is_ready_by_its_endpoints(thing: Any, options: str, reason: str) -> None:
    assert run(reason_with("endpointslices", "service/db", thing, options)) == reason


def test_an_endpoint_in_two_address_families_is_one() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            server.put("endpointslices", "db-v4", **endpoint_slice(True))
            server.put("endpointslices", "db-v6", **endpoint_slice(True))
            return await why_not(of(server, "svc/db", "namespace=prod min=2"))

    assert run(main()) == "1 of 2 endpoints ready"


def test_objects_of_an_extension_that_gives_no_uid_are_told_apart_by_name() -> None:
    async def main() -> str:
        async with Kubernetes() as server:
            for name in ("a", "b"):
                server.put("pods", name, metadata={"uid": None, "labels": {"app": "db"}}, **READY)
            return await why_not(of(server, "pod?selector=app=db", "namespace=prod min=2"))

    assert run(main()) == ""


@pytest.mark.parametrize("addresses", [None, [], 7, {"a": "b"}])
def test_an_endpoint_without_a_uid_or_an_address_is_one_all_the_same(addresses: Any) -> None:
    thing = endpoint_slice(True)
    thing["endpoints"] = [{"addresses": addresses}]

    assert run(reason_with("endpointslices", "service/db", thing)) == ""


CONDITIONS = [
    (conditions(("Ready", "True")), "Ready", ""),
    (conditions(("Ready", "True")), "ready=true", ""),
    (conditions(("Ready", "False")), "Ready=False", ""),
    ({}, "Ready", "no condition Ready yet"),
    ({"status": {"conditions": "none"}}, "Ready", "no condition Ready yet"),
    (
        conditions(("Ready", "False"), reason="Issuing", message="not yet issued"),
        "Ready",
        "Ready is False: Issuing: not yet issued",
    ),
    (
        {
            **conditions(("Ready", "True"), observedGeneration=1),
            "metadata": {"generation": 2},
        },
        "Ready",
        NOT_SEEN,
    ),
]


@pytest.mark.parametrize(("thing", "condition", "reason"), CONDITIONS)
def test_any_resource_is_ready_by_a_condition(thing: Any, condition: str, reason: str) -> None:
    what = "certificates.cert-manager.io/v1/db"

    assert run(reason_with("certificates", what, thing, f"condition={condition}")) == reason


def test_a_condition_of_a_known_kind_replaces_its_rule() -> None:
    thing = conditions(("Available", "True"))

    assert run(reason_with("deployments", "deployment/db", thing, "condition=Available")) == ""
