"""How waits ask, and for how long."""

from __future__ import annotations

import json

import pytest

from gate.pods import asking
from tests.lint.building import APP, Fields, env, gate, init, messages, pod, rules_of

NAME, MYSQL, MESH = "wait-for-a-name", "wait-connects-to-mysql", "wait-through-mesh"
JOB, BUDGET, SLOW = "wait-without-end-in-job", "startup-budget-below-wait", "liveness-on-slow-start"
SERVICE = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": %s}'


def until(asks: str) -> list[str]:
    return ["sh", "-c", f"until {asks}; do sleep 1; done"]


@pytest.mark.parametrize(
    ("asks", "rules"),
    [
        ("nslookup db", [NAME]),
        ("nslookup db.prod.svc.cluster.local 10.0.0.10", [NAME]),
        ("nslookup db.$NS.svc", [NAME]),
        ("getent hosts db", [NAME]),
        ("dig +short db", [NAME]),
        ("host db", [NAME]),
        ("nslookup $HOST", []),
        ("nslookup db-0.db", []),
        ("nslookup api.example.com", []),
        ("nslookup google.com", []),
        ("nslookup kubernetes.default", []),
        ("nslookup db && nc -z db 1", []),
        ("nslookup -type=a", []),
    ],
)
def test_a_name_alone_says_nothing_of_a_server(asks: str, rules: list[str]) -> None:
    assert rules_of(pod(init(*until(asks)))) == rules


def test_a_headless_service_has_no_address_before_it_has_a_pod() -> None:
    text = pod(init(*until("nslookup db")))

    assert rules_of(text, SERVICE % '{"clusterIP": "None"}') == []
    assert rules_of(text, SERVICE % "{}") == [NAME]


@pytest.mark.parametrize(
    ("then", "rules"),
    [("cqlsh db 9042 -e x", []), ("nc -z db.default 80", []), ("nc -z other 80", [NAME])],
)
def test_a_name_may_be_looked_up_before_its_host_is_asked(then: str, rules: list[str]) -> None:
    first, second = init(*until("nslookup db")), init(*until(then), name="ask")

    assert rules_of(pod(first, second)) == rules


def test_a_lookup_is_over_at_once_or_never_but_not_both() -> None:
    template = {"spec": {"initContainers": [init(*until("nslookup db"))], "containers": [APP]}}
    text = json.dumps({"kind": "Job", "spec": {"template": template}})

    assert rules_of(text) == [NAME]
    assert rules_of(text, SERVICE % '{"clusterIP": "None"}') == ["wait-without-end-in-job"]


PYTHON = "while True:\n  s = socket.create_connection(('db', 3306))"


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        (until("nc -z db 3306"), [MYSQL]),
        (until("nc -z db 5432"), []),
        (until("echo > /dev/tcp/db/3306"), [MYSQL]),
        (until("mysqladmin ping -h db"), []),
        (["wait-for-it", "db:3306"], [MYSQL]),
        (["wait4x", "tcp", "db:3306"], [MYSQL]),
        (["wait4x", "mysql", "user@tcp(db:3306)/app"], []),
        (["dockerize", "-wait", "tcp://db:3306"], [MYSQL]),
        (["dockerize", "-wait", "http://db:3306"], []),
        (["python3", "-c", PYTHON], [MYSQL]),
        (["gate", "wait", "tcp://db:3306"], [MYSQL]),
        (["gate", "wait", "mysql://db"], []),
        (["sh", "-c", "nc -z db 3306"], []),
    ],
)
def test_mysql_is_asked_in_its_own_protocol(command: list[str], rules: list[str]) -> None:
    assert rules_of(pod(init(*command))) == rules


def annotated(text: str, **fields: dict[str, str]) -> str:
    return text.replace('{"name": "shop"}', json.dumps({"name": "shop", **fields}))


PROXY: Fields = {
    "name": "istio-proxy",
    "image": "proxyv2",
    "restartPolicy": "Always",
    "startupProbe": {"httpGet": {"path": "/", "port": 15021}, "periodSeconds": 1},
}
WAITING: Fields = {**APP, "command": ["wait4x", "tcp", "db:5432", "--", "app"]}
INJECT = {"sidecar.istio.io/inject": "true"}


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (pod(PROXY, init(*until("nc -z db 5432"))), [MESH]),
        (pod(PROXY, init(*until("pg_isready -h db"))), []),
        (pod(PROXY, init(*until("nc -z localhost 15021"))), []),
        (pod(init(*until("nc -z db 5432")), PROXY), []),
        (pod(PROXY, gate(env("GATE_DEPENDENCIES", "tcp://db:5432"))), [MESH]),
        (pod(main=(WAITING,)), []),
        (annotated(pod(main=(WAITING,)), annotations=INJECT), [MESH]),
        (annotated(pod(main=(WAITING,)), labels=INJECT), [MESH]),
        (annotated(pod(init(*until("nc -z db 5432"))), annotations=INJECT), []),
        (
            annotated(
                pod(main=(WAITING,)),
                annotations={**INJECT, "traffic.sidecar.istio.io/excludeOutboundPorts": "5432"},
            ),
            [],
        ),
    ],
)
def test_a_mesh_s_proxy_accepts_whatever_is_behind_it(text: str, rules: list[str]) -> None:
    assert rules_of(text) == rules


@pytest.mark.parametrize(
    ("kind", "command", "spec", "rules"),
    [
        ("Job", until("nc -z db 1"), {}, [JOB]),
        ("Job", until("nc -z db 1"), {"activeDeadlineSeconds": 60}, []),
        ("Job", ["timeout", "60", *until("nc -z db 1")], {}, []),
        ("Job", ["wait4x", "tcp", "db:1"], {}, []),
        ("Job", ["k8s-wait-for", "job", "a"], {}, [JOB]),
        ("Deployment", until("nc -z db 1"), {}, []),
    ],
)
def test_a_job_that_waits_for_ever_neither_ends_nor_fails(
    kind: str, command: list[str], spec: Fields, rules: list[str]
) -> None:
    template = json.loads(pod(init(*command), restartPolicy="Never"))
    text = json.dumps(
        {"kind": kind, "metadata": {"name": "a"}, "spec": {"template": template, **spec}}
    )

    assert rules_of(text) == rules


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        (until("nc -z db 1"), float("inf")),
        (["timeout", "60", *until("nc -z db 1")], None),
        (["timeout", "60", "wait4x", "tcp", "db:1"], None),
        (["wait4x", "tcp", "db:1"], 10),
        (["wait4x", "tcp", "db:1", "--timeout", "2m"], 120),
        (["wait-for-it", "db:1", "-t", "30"], 30),
        (["wait-for-it", "db:1", "--timeout=0"], float("inf")),
        (["wait-for-it", "db:1", "-t", "$LIMIT"], None),
        (["kubectl", "wait", "--timeout=90s", "job/a"], 90),
        (["wait-on", "tcp:db:1"], float("inf")),
        (["curl", "--retry", "9", "db"], None),
    ],
)
def test_how_long_a_wait_may_last(words: list[str], seconds: float | None) -> None:
    assert asking.longest(words) == seconds


TCP: Fields = {"tcpSocket": {"port": 80}, "periodSeconds": 1}


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"startupProbe": {**TCP, "failureThreshold": 9}}, [BUDGET]),
        ({"startupProbe": {**TCP, "failureThreshold": 10}}, []),
        ({"livenessProbe": {**TCP, "failureThreshold": 9}}, [BUDGET]),
        ({"livenessProbe": {**TCP, "initialDelaySeconds": 9}}, []),
        ({"readinessProbe": TCP}, []),
        ({}, []),
    ],
)
def test_a_container_that_waits_by_itself_is_probed_meanwhile(
    fields: Fields, rules: list[str]
) -> None:
    assert rules_of(pod(main=({**WAITING, **fields},))) == rules


@pytest.mark.parametrize(
    ("command", "rules"),
    [
        (["gate", "wait", "tcp://db:1", "--", "app"], [BUDGET]),
        (["gate", "wait", "--timeout", "30s", "tcp://db:1", "--", "app"], []),
        (["gate", "--version"], []),
        (["app"], []),
    ],
)
def test_gate_in_front_of_the_app_waits_for_five_minutes(
    command: list[str], rules: list[str]
) -> None:
    probe = {**TCP, "failureThreshold": 60}

    assert rules_of(pod(main=({**APP, "command": command, "startupProbe": probe},))) == rules


def test_a_loop_that_is_the_work_of_a_container_is_no_wait() -> None:
    script = "while true; do curl -s http://shop; sleep 5; done"
    main = {**APP, "command": ["sh", "-c", script], "livenessProbe": TCP}

    assert rules_of(pod(main=(main,))) == []


def test_it_is_told_for_how_long() -> None:
    probe = {**TCP, "failureThreshold": 9}
    endless = {**APP, "command": until("nc -z db 1"), "startupProbe": probe}

    assert messages(pod(main=({**WAITING, "startupProbe": probe},)), pod(main=(endless,))) == [
        "its command may wait for up to 10s, and the kubelet kills it after 9s of that",
        "its command may wait without an end, and the kubelet kills it after 9s of that",
    ]


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"image": "elasticsearch:8"}, [SLOW]),
        ({"image": "docker.io/bitnami/keycloak:26"}, [SLOW]),
        ({"command": ["/usr/bin/java", "-jar", "app.jar"]}, [SLOW]),
        ({"image": "elasticsearch-exporter"}, []),
        ({"image": "tomcat", "livenessProbe": {**TCP, "initialDelaySeconds": 60}}, []),
        ({"image": "tomcat", "startupProbe": {**TCP, "failureThreshold": 99}}, []),
        ({}, []),
    ],
)
def test_what_starts_slowly_is_known_by_image_or_command(fields: Fields, rules: list[str]) -> None:
    assert rules_of(pod(main=({**APP, "livenessProbe": TCP, **fields},))) == rules
