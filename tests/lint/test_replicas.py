"""Waits for one replica, or for one that nobody makes: which are said, which are let be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lint.building import APP, Fields, env, gate, init, messages, rules_of

MISSING, ONE = "waits-for-missing-replica", "waits-for-one-replica"
LABELS: Fields = {"app": "db"}


def of(kind: str, name: str, spec: Fields, **metadata: Any) -> str:
    return json.dumps({"kind": kind, "metadata": {"name": name, **metadata}, "spec": spec})


def workload(kind: str, name: str, container: Fields, labels: Fields, **spec: Any) -> str:
    inner = {"initContainers": [container], "containers": [APP]}
    template = {"metadata": {"labels": labels}, "spec": inner}
    return of(kind, name, {"template": template, **spec})


def database(**spec: Any) -> str:
    """Return a StatefulSet of three."""
    whole = {"serviceName": "db", "replicas": 3, **spec}
    return workload("StatefulSet", "db", init("true"), LABELS, **whole)


def budget(name: str = "db", **spec: Any) -> str:
    return of("PodDisruptionBudget", name, {"selector": {"matchLabels": LABELS}, **spec})


def asking(script: str, kind: str = "Deployment") -> str:
    """Return a workload whose init container asks until it is answered."""
    return workload(kind, "shop", init("sh", "-c", f"until {script}; do sleep 1; done"), {})


ONE_LESS = budget(minAvailable=2)
FIRST = asking("nc -z db-0.db 5432")


@pytest.mark.parametrize(
    "asked",
    [
        "nc -z db-3.db 5432",
        "nc -z db-3.db.default 5432",
        "pg_isready -h db-3.db.default.svc.cluster.local.",
        "nslookup db-3.db",
        "kubectl get pod/db-3",
    ],
)
def test_a_replica_that_is_not_made_is_told_in_whatever_way_it_is_asked(asked: str) -> None:
    found = messages(database(), asking(asked))

    assert found == [
        "its command waits for db-3, but the StatefulSet db has 3 replicas, db-0 to db-2"
    ]


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        (database(), "nc -z db-2.db 5432"),
        (database(), "nc -z db-3.other 5432"),
        (database(), "nc -z db-3.db.default.example.com 5432"),
        (database(), "nc -z db-3 5432"),
        (database(), "nc -z db-x.db 5432"),
        (database(), "nc -z db-3.db 5432 || nc -z db-2.db 5432"),
        (database(replicas=None), "nc -z db-3.db 5432"),
        (database(ordinals={"start": 1}), "nc -z db-3.db 5432"),
        (of("StatefulSet", "db", {"replicas": 1}), "nc -z db-3.db 5432"),
    ],
)
def test_what_may_be_there_is_let_be(made: str, asked: str) -> None:
    assert rules_of(made, asking(asked)) == []


def test_the_ordinals_begin_where_it_is_written() -> None:
    wait = asking("nc -z db-0.db 5432")

    assert rules_of(database(ordinals={"start": 1}), wait) == [MISSING]


def test_a_namespace_in_the_name_alone_is_that_of_manifests_without_one() -> None:
    wait = asking("nc -z db-3.db.prod.svc 5432")

    elsewhere = json.loads(wait) | {"metadata": {"name": "shop", "namespace": "shop"}}

    assert rules_of(database(), wait) == [MISSING]
    assert rules_of(database(), json.dumps(elsewhere)) == []


@pytest.mark.parametrize(
    "scaler",
    [
        of(
            "HorizontalPodAutoscaler",
            "a",
            {"scaleTargetRef": {"kind": "StatefulSet", "name": "db"}},
        ),
        of("ScaledObject", "a", {"scaleTargetRef": {"kind": "StatefulSet", "name": "db"}}),
    ],
)
def test_what_is_scaled_by_something_else_may_have_more(scaler: str) -> None:
    assert rules_of(database(), asking("nc -z db-3.db 5432"), scaler) == []


def test_a_set_that_is_written_for_two_stages_has_the_replicas_of_the_greater() -> None:
    wait = asking("nc -z db-3.db 5432")

    assert rules_of(database(replicas=5), database(), wait) == []
    assert rules_of(database(replicas=None), database(), wait) == []
    assert rules_of(database(replicas=2), database(), wait) == [MISSING]


def test_a_service_of_no_replica_has_no_endpoint() -> None:
    service = of("Service", "stock", {"selector": {"app": "stock"}}).replace("{", _V1, 1)
    none = workload("Deployment", "stock", init("true"), {"app": "stock"}, replicas=0)
    some = workload("Deployment", "blue", init("true"), {"app": "stock"}, replicas=1)
    wait = asking("nc -z stock 80")
    scaler = of("ScaledObject", "a", {"scaleTargetRef": {"name": "stock"}})

    (told,) = messages(service, none, wait)
    assert told.endswith(
        "Service stock, which has no endpoint, as the Deployment stock has 0 replicas"
    )
    assert rules_of(service, none, some, wait) == []
    assert rules_of(service, none, wait, scaler) == []


_V1 = '{"apiVersion": "v1", '


@pytest.mark.parametrize(
    ("spec", "rules"),
    [
        ({"minAvailable": 2}, [ONE]),
        ({"minAvailable": 0}, [ONE]),
        ({"minAvailable": "50%"}, [ONE]),
        ({"maxUnavailable": 1}, [ONE]),
        ({"maxUnavailable": "1%"}, [ONE]),
        ({"maxUnavailable": 1, "selector": {}}, [ONE]),
        ({"minAvailable": 3}, []),
        ({"minAvailable": "67%"}, []),
        ({"minAvailable": "100%"}, []),
        ({"minAvailable": "most"}, []),
        ({"maxUnavailable": 0}, []),
        ({"maxUnavailable": "0%"}, []),
        ({"maxUnavailable": 1, "selector": {"matchLabels": {"app": "other"}}}, []),
        ({"maxUnavailable": 1, "selector": {"matchExpressions": [{"key": "app"}]}}, []),
    ],
)
def test_one_replica_may_be_away_where_a_budget_says_so(spec: Fields, rules: list[str]) -> None:
    assert rules_of(database(), FIRST, budget(**spec)) == rules


def test_the_strictest_budget_counts() -> None:
    assert rules_of(database(), FIRST, ONE_LESS, budget("strict", maxUnavailable=0)) == []


def test_a_budget_of_another_namespace_does_not_count() -> None:
    elsewhere = json.loads(ONE_LESS)
    elsewhere["metadata"]["namespace"] = "other"

    assert rules_of(database(), FIRST, json.dumps(elsewhere)) == []


def test_replicas_of_one_set_are_told_together() -> None:
    wait = asking("(nc -z db-0.db 5432 && nc -z db-1.db 5432)")

    (told,) = messages(database(), wait, ONE_LESS)
    assert "waits for db-0 and db-1 of 3" in told


def test_gate_and_a_main_container_that_waits_name_one_too() -> None:
    by_gate = workload("Deployment", "a", gate(env("GATE_DEPENDENCIES", "tcp://db-0.db:1")), {})
    command = ["wait4x", "tcp", "db-0.db:5432", "--", "app"]
    by_itself = of(
        "DaemonSet", "b", {"template": {"spec": {"containers": [{**APP, "command": command}]}}}
    )

    assert ONE in rules_of(database(), by_gate, ONE_LESS)
    assert rules_of(database(), by_itself, ONE_LESS) == [ONE]


@pytest.mark.parametrize(
    "wait",
    [
        asking("nc -z db-0.db 5432", "Job"),
        asking("nc -z db-0.db 5432 || nc -z db-1.db 5432"),
        asking("nc -z db 5432"),
    ],
)
def test_what_needs_no_single_replica_to_start_is_let_be(wait: str) -> None:
    assert ONE not in rules_of(database(), wait, ONE_LESS)


def test_a_set_may_wait_for_its_own_first_replica() -> None:
    script = "until nc -z db-0.db 5432; do sleep 1; done"
    own = workload(
        "StatefulSet",
        "db",
        init("sh", "-c", script),
        LABELS,
        serviceName="db",
        replicas=3,
    )

    assert rules_of(own, ONE_LESS) == []


def test_of_a_single_replica_nothing_is_said() -> None:
    assert rules_of(database(replicas=1), FIRST, budget(minAvailable=0)) == []


DB_SERVICE = of("Service", "db", {"selector": LABELS}).replace("{", _V1, 1)


@pytest.mark.parametrize(
    ("dependency", "is_told"),
    [
        ("k8s:service/db min=4", True),
        ("k8s:statefulset/db min=4", True),
        ("k8s:service/db min=3", False),
        ("k8s:service/db", False),
        ("k8s:service/other min=4", False),
        ("k8s:deployment/db min=4", False),
        ("k8s:service/db min=4 optional", False),
        ("tcp://db:5432", False),
    ],
)
def test_more_endpoints_than_replicas_never_come(dependency: str, *, is_told: bool) -> None:
    waiting = workload("Deployment", "shop", gate(env("GATE_DEPENDENCIES", dependency)), {})

    assert (MISSING in rules_of(database(), DB_SERVICE, waiting)) is is_told


def test_how_many_there_are_is_told_or_not_known() -> None:
    wait = gate(env("GATE_DEPENDENCIES", "k8s:service/db min=9"))
    waiting = workload("Deployment", "shop", wait, {})
    beside = workload("Deployment", "blue", init("true"), LABELS, replicas=1)
    unknown = workload("Deployment", "blue", init("true"), LABELS)

    told = [each for each in messages(database(), beside, DB_SERVICE, waiting) if "9" in each]
    (text,) = told
    assert text.startswith("gate waits for 9 of service/db, but the StatefulSet db has 3 replicas")
    assert text.endswith(" and the Deployment blue has 1 replica")
    assert MISSING not in rules_of(database(), unknown, DB_SERVICE, waiting)
