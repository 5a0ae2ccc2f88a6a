"""Workloads that wait for each other, and for what is made later."""

from __future__ import annotations

import json

import pytest

from tests.lint.building import APP, Fields, env, gate, init, messages, pod, rules_of

CIRCLE, STAGE, HOOK = "waits-in-a-circle", "waits-for-later-stage", "waits-for-later-hook"


def loop(host: str) -> str:
    return f"until nc -z {host} 80; do sleep 1; done"


def service(name: str, selected: str = "", **fields: object) -> str:
    spec = {"selector": {"app": selected or name}, **fields}
    meta = {"name": name}
    return json.dumps({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})


def workload(
    name: str, *hosts: str, kind: str = "Deployment", notes: dict[str, str] | None = None
) -> str:
    template: Fields = {"metadata": {"labels": {"app": name}}}
    waits = [init("sh", "-c", loop(host), name=f"w{n}") for n, host in enumerate(hosts)]
    template["spec"] = {"initContainers": waits, "containers": [APP]}
    meta = {"name": name, "annotations": notes or {}}
    return json.dumps({"kind": kind, "metadata": meta, "spec": {"template": template}})


def test_two_that_wait_for_each_other_are_told_the_way_round() -> None:
    texts = [workload("a", "b"), workload("b", "a"), service("a"), service("b")]

    assert messages(*texts) == [
        "its command waits in a circle: a waits for the Service b, b waits for the Service a",
        "its command waits in a circle: b waits for the Service a, a waits for the Service b",
    ]


def test_who_only_waits_for_a_circle_is_not_in_it() -> None:
    texts = [workload("a", "b"), workload("b", "a"), workload("c", "a")]
    report = messages(*texts, *map(service, "abc"))

    assert len(report) == 2


@pytest.mark.parametrize(
    "texts",
    [
        [workload("a", "b"), workload("b"), service("a"), service("b")],
        [workload("a", "b"), workload("b", "a"), service("a", publishNotReadyAddresses=True)],
        [workload("a", "b"), workload("b", "a"), service("b")],
        [workload("a", "b"), workload("b", "a"), workload("x"), service("a"), service("b", "x")],
        [workload("a", "b.example.com"), workload("b", "a"), service("a"), service("b")],
        [workload("a", "b.other"), workload("b", "a"), service("a")],
    ],
)
def test_where_one_can_go_on_there_is_no_circle(texts: list[str]) -> None:
    assert rules_of(*texts) == []


def test_of_two_waits_the_one_that_ends_is_not_told() -> None:
    texts = [workload("a", "b", "c"), workload("b"), workload("c", "a"), *map(service, "abc")]

    assert messages(*texts) == [
        "its command waits in a circle: a waits for the Service c, c waits for the Service a",
        "its command waits in a circle: c waits for the Service a, a waits for the Service c",
    ]


def test_a_long_way_round_is_cut() -> None:
    names = "abcdefgh"
    ways = zip(names, names[1:] + names[0], strict=True)
    texts = [workload(name, after) for name, after in ways] + list(map(service, names))

    assert messages(*texts)[0] == (
        "its command waits in a circle: a waits for the Service b, b waits for the Service c, "
        "c waits for the Service d, and so on over 4 more, h waits for the Service a"
    )


def test_gates_wait_in_a_circle_too() -> None:
    text = pod(gate(env("GATE_DEPENDENCIES", "http://b.default.svc:80/")))
    labelled = text.replace('{"name": "shop"}', '{"name": "shop", "labels": {"app": "shop"}}')

    assert rules_of(labelled, workload("b", "shop"), service("shop"), service("b")) == [CIRCLE]


HELM, WEIGHT = "helm.sh/hook", "helm.sh/hook-weight"
ARGO, WAVE = "argocd.argoproj.io/hook", "argocd.argoproj.io/sync-wave"


@pytest.mark.parametrize(
    ("own", "other", "rules"),
    [
        ({HELM: "pre-install"}, {}, [STAGE]),
        ({HELM: "pre-upgrade"}, {}, []),
        ({HELM: "pre-install"}, {HELM: "post-install"}, [STAGE]),
        ({HELM: "pre-install"}, {HELM: "pre-install"}, []),
        ({HELM: "pre-install"}, {HELM: "pre-install", WEIGHT: "-1"}, []),
        ({HELM: "pre-install"}, {HELM: "pre-install", WEIGHT: "5"}, [STAGE]),
        ({HELM: "post-install", WEIGHT: "x"}, {}, []),
        ({}, {HELM: "post-install, post-upgrade"}, [HOOK]),
        ({}, {HELM: "pre-upgrade,post-install"}, []),
        ({}, {HELM: "test"}, []),
        ({HELM: "post-install"}, {HELM: "post-install"}, []),
        ({WAVE: "1"}, {WAVE: "2"}, [STAGE]),
        ({}, {WAVE: "2"}, [STAGE]),
        ({WAVE: "2"}, {}, []),
        ({ARGO: "PreSync"}, {}, [STAGE]),
        ({ARGO: "PreSync", WAVE: "9"}, {ARGO: "PreSync", WAVE: "1"}, []),
        ({ARGO: "PostSync"}, {ARGO: "Sync"}, []),
    ],
)
def test_what_is_made_later_is_waited_for_in_vain(
    own: dict[str, str], other: dict[str, str], rules: list[str]
) -> None:
    texts = [workload("a", "db", notes=own), workload("db", notes=other), service("db")]

    assert rules_of(*texts) == rules


def test_helm_waits_for_no_job_before_it_runs_a_hook() -> None:
    hook = workload("db", notes={HELM: "post-install"})

    assert rules_of(workload("a", "db", kind="Job"), hook, service("db")) == [
        "wait-without-end-in-job"
    ]
    assert rules_of(workload("a", "db", kind="StatefulSet"), hook, service("db")) == [HOOK]


@pytest.mark.parametrize(("kind", "rules"), [("Job", [STAGE]), ("Deployment", [])])
def test_a_job_is_not_done_before_its_own_wait_is(kind: str, rules: list[str]) -> None:
    main = {**APP, "command": ["sh", "-c", f"timeout 60 sh -c '{loop('db')}'; migrate"]}
    template = {"spec": {"containers": [main]}}
    meta = {"name": "migrate", "annotations": {HELM: "pre-install"}}
    hook = json.dumps({"kind": kind, "metadata": meta, "spec": {"template": template}})

    assert rules_of(hook, workload("db"), service("db")) == rules


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        (["kubectl", "wait", "--for=condition=complete", "job/migrate"], [HOOK]),
        (["kubectl", "wait", "--for=condition=complete", "job", "migrate"], [HOOK]),
        (["kubectl", "wait", "--for=condition=complete", "job", "-l", "app=migrate"], []),
        (["wait_for.sh", "job-wr", "migrate"], [HOOK]),
        (["kubectl", "rollout", "status", "deployment/migrate"], []),
        (["sh", "-c", "until kubectl get job migrate | grep 1/1; do sleep 1; done"], [HOOK]),
        (["sh", "-c", "kubectl get job migrate"], []),
        (["gate", "wait", "k8s:job/migrate"], [HOOK]),
    ],
)
def test_a_job_is_named_in_many_ways(command: list[str], rules: list[str]) -> None:
    job = workload("migrate", kind="Job", notes={HELM: "post-install"})

    assert rules_of(pod(init(*command)), job) == rules
