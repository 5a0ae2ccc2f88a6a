"""Pods after what people ask in public, written anew: the question, what is expected, what is seen.

More than forty. Half of them are wrong and half of them right; of the right ones nothing but advice
is said. What stands beside a pod (its database, a Service, a budget) goes with it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.lint import lint
from gate.lint.finding import Severity

Fields = dict[str, Any]
TCP: Fields = {"tcpSocket": {"port": 5432}}
QUICK: Fields = {**TCP, "periodSeconds": 1, "failureThreshold": 60}
APP: Fields = {"name": "app", "image": "shop/app:1"}
SQL: Fields = {
    "name": "cloud-sql-proxy",
    "image": "gcr.io/x/cloud-sql-proxy:2.14",
    "args": ["p:r:i"],
}
ALWAYS: Fields = {"restartPolicy": "Always"}
DB_HOST: Fields = {"env": [{"name": "DB_HOST", "value": "127.0.0.1"}]}
ENVOY: Fields = {
    "name": "envoy",
    "image": "envoyproxy/envoy:v1.31",
    "ports": [{"containerPort": 9901}],
}
REDIS: Fields = {"name": "cache", "image": "redis:7-alpine", "ports": [{"containerPort": 6379}]}
OTEL: Fields = {"name": "otel-collector", "image": "otel/opentelemetry-collector-contrib:0.110.0"}
GATE: Fields = {
    "name": "gate",
    "image": "registry.example.com/gate:1",
    "restartPolicy": "Always",
    "env": [{"name": "GATE_DEPENDENCIES", "value": "db tcp://db:5432"}],
}
HELD: Fields = {
    "httpGet": {"path": "/startupz?hold=25s", "port": 4283},
    "periodSeconds": 1,
    "timeoutSeconds": 30,
    "failureThreshold": 60,
}
HOLD: Fields = {"name": "gate-hold", "image": "registry.example.com/gate:1", "args": ["hold"]}


def wait(script: str, **fields: Any) -> Fields:
    return {"name": "wait", "image": "busybox:1.36", "command": ["sh", "-c", script], **fields}


def until(asks: str) -> str:
    return f"until {asks}; do echo waiting; sleep 2; done"


def env(**values: str) -> Fields:
    return {"env": [{"name": name, "value": value} for name, value in values.items()]}


def hooked(container: Fields, script: str) -> Fields:
    hook = {"postStart": {"exec": {"command": ["sh", "-c", script]}}}
    return {**container, "lifecycle": hook}


def pod(init: list[Fields] | None = None, main: list[Fields] | None = None) -> Fields:
    return {"initContainers": init or [], "containers": main or [APP]}


WRONG: list[tuple[str, Fields, str]] = [
    (
        "the SQL proxy beside the app",
        pod(main=[{**APP, **DB_HOST}, SQL]),
        "sidecar-among-main-containers",
    ),
    (
        "Envoy among the containers",
        pod(main=[{**APP, **env(PROXY="http://localhost:9901")}, ENVOY]),
        "sidecar-among-main-containers",
    ),
    (
        "a cache in the same pod",
        pod(main=[{**APP, **env(REDIS_URL="redis://localhost:6379/0")}, REDIS]),
        "sidecar-among-main-containers",
    ),
    (
        "a collector in the same pod",
        pod(main=[{**APP, **env(OTEL_EXPORTER_OTLP_ENDPOINT="http://localhost:4317")}, OTEL]),
        "sidecar-among-main-containers",
    ),
    (
        "an init container that needs the app's own sidecar",
        pod(
            [wait(until("nc -z localhost 5432"))],
            [APP, {**SQL, "ports": [{"containerPort": 5432}]}],
        ),
        "waits-for-later",
    ),
    ("a sidecar without Always", pod([{**SQL, "startupProbe": QUICK}]), "probe-on-init-container"),
    ("a proxy as a plain init container", pod([SQL]), "init-never-ends"),
    (
        "a native sidecar with readiness only",
        pod([{**SQL, **ALWAYS, "readinessProbe": TCP}], [{**APP, **DB_HOST}]),
        "sidecar-probe-does-not-hold",
    ),
    (
        "a native sidecar with nothing",
        pod([{**SQL, **ALWAYS}], [{**APP, **DB_HOST}]),
        "sidecar-without-startup-probe",
    ),
    (
        "a native sidecar that liveness kills",
        pod([{**SQL, **ALWAYS, "livenessProbe": {**TCP, "periodSeconds": 2}}]),
        "liveness-kills-start",
    ),
    (
        "a hook by httpGet",
        pod(main=[{**APP, "lifecycle": {"postStart": {"httpGet": {"port": 80}}}}]),
        "poststart-http",
    ),
    (
        "a hook that loops for ever",
        pod(main=[hooked(APP, until("curl -f localhost:8080"))]),
        "poststart-without-end",
    ),
    (
        "a hook that holds the next container",
        pod(
            [wait("true")],
            [hooked(SQL, "timeout 60 sh -c 'until nc -z localhost 5432; do sleep 1; done'"), APP],
        ),
        "poststart-in-main-container",
    ),
    (
        "a hook before there is an address",
        pod(main=[hooked(APP, "timeout 60 sh -c 'until nc -z db 5432; do sleep 1; done'")]),
        "poststart-without-pod-ip",
    ),
    (
        "nslookup of a Service",
        pod([wait(until("nslookup db.shop.svc.cluster.local"))]),
        "wait-for-a-name",
    ),
    ("gate without a probe", pod([{**GATE, **ALWAYS}]), "gate-holds-nothing"),
    (
        "gate asked for life",
        pod(
            [{**GATE, "startupProbe": {**HELD, "httpGet": {"path": "/livez", "port": 4283}}}, HOLD]
        ),
        "gate-probe-path",
    ),
    (
        "a shell in a distroless image",
        pod(
            [
                {
                    **SQL,
                    **ALWAYS,
                    "startupProbe": {
                        **QUICK,
                        "exec": {"command": ["sh", "-c", "true"]},
                        "tcpSocket": None,
                    },
                }
            ]
        ),
        "exec-not-in-image",
    ),
    (
        "a command that waits longer than its probe",
        pod(main=[{**wait(until("nc -z db 5432") + "; exec app"), "startupProbe": TCP}]),
        "startup-budget-below-wait",
    ),
    (
        "a probe of the node's own loopback",
        pod(main=[{**APP, "readinessProbe": {"httpGet": {"port": 80, "host": "localhost"}}}]),
        "probe-host",
    ),
]

WRONG += [
    (
        "tries used up, and the app starts without its database",
        pod([wait("for i in $(seq 30); do nc -z db 5432 && break; sleep 2; done")]),
        "wait-fails-open",
    ),
    (
        "wait-for-it that starts the app all the same",
        pod(main=[{**APP, "command": ["/wait-for-it.sh", "db:5432", "-t", "60", "--", "app"]}]),
        "wait-fails-open",
    ),
    (
        "a database that takes all replicas of the app with it",
        pod(main=[{**APP, "livenessProbe": {"exec": {"command": ["pg_isready", "-h", "db"]}}}]),
        "liveness-on-dependency",
    ),
    (
        "dependencies added in a second variable",
        pod([{**GATE, "env": [*GATE["env"], *GATE["env"]], "startupProbe": HELD}, HOLD]),
        "duplicate-variable",
    ),
]


def service(port: int, **spec: Any) -> Fields:
    whole = {"selector": {"app": "db"}, "ports": [{"port": port, "targetPort": 5432}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": whole}


def database(replicas: int, app: str = "db") -> Fields:
    inner = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [APP]}}
    spec = {"serviceName": "db", "replicas": replicas, "template": inner}
    return {"kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec}


BUDGET: Fields = {
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "db"},
    "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "db"}}},
}
BESIDE: list[tuple[str, Fields, list[Fields], set[str]]] = [
    (
        "the pod's port instead of the Service's",
        pod([wait(until("nc -z db 5432"))]),
        [service(15432), database(1)],
        {"waits-for-closed-port"},
    ),
    (
        "the Service's port of a headless one",
        pod([wait(until("nc -z db 15432"))]),
        [service(15432, clusterIP="None"), database(1)],
        {"waits-for-closed-port"},
    ),
    (
        "the third of two replicas",
        pod([wait(until("pg_isready -h db-2.db"))]),
        [database(2)],
        {"waits-for-missing-replica"},
    ),
    (
        "a database scaled to nothing",
        pod([wait(until("pg_isready -h db"))]),
        [service(5432), database(0)],
        {"waits-for-missing-replica"},
    ),
    (
        "a label that nobody has",
        pod([wait(until("pg_isready -h db"))]),
        [service(5432), database(1, app="postgres")],
        {"waits-for-empty-service"},
    ),
    (
        "the one that a drain takes away",
        pod([wait(until("pg_isready -h db-0.db"))]),
        [database(3), BUDGET],
        {"waits-for-one-replica"},
    ),
    (
        "any of the replicas",
        pod([wait(until("pg_isready -h db"))]),
        [service(5432), database(3), BUDGET],
        set(),
    ),
    (
        "the port on which a headless one's pods listen",
        pod([wait(until("nc -z db 5432"))]),
        [service(15432, clusterIP="None"), database(1)],
        set(),
    ),
    ("the only replica", pod([wait(until("nc -z db-0.db 5432"))]), [database(1), BUDGET], set()),
]

RIGHT: list[tuple[str, Fields]] = [
    ("the SQL proxy held", pod([{**SQL, **ALWAYS, "startupProbe": QUICK}], [{**APP, **DB_HOST}])),
    (
        "Envoy held",
        pod(
            [{**ENVOY, **ALWAYS, "startupProbe": QUICK}],
            [{**APP, **env(P="http://localhost:9901")}],
        ),
    ),
    (
        "a cache held",
        pod(
            [{**REDIS, **ALWAYS, "startupProbe": QUICK}],
            [{**APP, **env(R="redis://localhost:6379")}],
        ),
    ),
    (
        "an app that waits for its cache by itself",
        pod(
            main=[
                {
                    **APP,
                    **env(R="redis://localhost:6379"),
                    "command": ["wait4x", "redis", "redis://localhost:6379", "--", "app"],
                },
                REDIS,
            ]
        ),
    ),
    (
        "a proxy in front of the app",
        pod(
            main=[
                {**APP, "ports": [{"containerPort": 8080}]},
                {
                    "name": "oauth2-proxy",
                    "image": "oauth2-proxy",
                    "args": ["--upstream=http://localhost:8080"],
                },
            ]
        ),
    ),
    (
        "an exporter beside a cache",
        pod(
            main=[
                REDIS,
                {"name": "metrics", "image": "redis_exporter", **env(A="redis://localhost:6379")},
            ]
        ),
    ),
    (
        "a log shipper",
        pod([{"name": "fluent-bit", "image": "fluent-bit:3", **ALWAYS, "readinessProbe": TCP}]),
    ),
    ("a wait for a database", pod([wait(until("pg_isready -h db"))])),
    ("a wait for a port", pod([wait(until("nc -z db 5432"))])),
    (
        "a wait with a limit",
        pod([wait("timeout 300 sh -c 'until nc -z db 5432; do sleep 2; done'")]),
    ),
    ("a wait for one member of a set", pod([wait(until("nslookup db-0.db"))])),
    ("a migration", pod([{"name": "migrate", "image": "shop/app:1", "args": ["migrate"]}])),
    (
        "a reload of the configuration",
        pod(
            main=[
                APP,
                {
                    "name": "config-reloader",
                    "image": "reloader",
                    "args": ["--reload-url=http://localhost:80/-/reload"],
                },
            ]
        ),
    ),
    ("a hook that only starts something", pod(main=[hooked(APP, "date > /tmp/started")])),
    (
        "a hook in the background",
        pod(main=[hooked(APP, f"({until('curl localhost:80')}; curl localhost/init) &")]),
    ),
    (
        "a JVM with a startup probe",
        pod(
            main=[{**APP, "image": "elasticsearch:8", "startupProbe": QUICK, "livenessProbe": TCP}]
        ),
    ),
    ("gate held", pod([{**GATE, "startupProbe": HELD}, HOLD])),
    (
        "gate as a plain init container",
        pod([{"name": "gate", "image": "gate:1", "args": ["wait", "tcp://db:5432"]}]),
    ),
    (
        "gate in front of the app",
        pod(main=[{**APP, "command": ["gate", "wait", "tcp://db:5432", "--", "app"]}]),
    ),
    (
        "an app that holds a password",
        pod(main=[{**APP, **env(DB_PASSWORD="hunter2", MODE="$(NOTHING)")}]),
    ),
]

RIGHT += [
    (
        "tries used up, and the pod fails",
        pod([wait("for i in $(seq 30); do nc -z db 5432 && exit 0; sleep 2; done; exit 1")]),
    ),
    (
        "wait-for-it that is strict",
        pod(main=[{**APP, "command": ["/wait-for-it.sh", "db:5432", "--strict", "--", "app"]}]),
    ),
    (
        "a database that asks itself whether it lives",
        pod(
            main=[
                {**APP, "livenessProbe": {"exec": {"command": ["pg_isready", "-h", "localhost"]}}}
            ]
        ),
    ),
    (
        "a loop over files that asks nobody to be there",
        pod([wait("for f in /seed/*; do curl -d @$f http://api/; sleep 1; done")]),
    ),
]


def seen(spec: Fields) -> set[str]:
    text = json.dumps({"kind": "Pod", "metadata": {"name": "shop"}, "spec": spec})
    findings = lint([("shop.yaml", text)]).findings
    return {each.rule for each in findings if each.severity > Severity.INFO}


@pytest.mark.parametrize(("question", "spec", "rule"), WRONG, ids=[each[0] for each in WRONG])
def test_what_is_wrong_is_seen(question: str, spec: Fields, rule: str) -> None:
    assert rule in seen(spec)


@pytest.mark.parametrize(("question", "spec"), RIGHT, ids=[each[0] for each in RIGHT])
def test_what_is_right_is_let_be(question: str, spec: Fields) -> None:
    assert seen(spec) == set()


@pytest.mark.parametrize(
    ("question", "spec", "beside", "rules"), BESIDE, ids=[each[0] for each in BESIDE]
)
def test_what_stands_beside_is_taken_in(
    question: str, spec: Fields, beside: list[Fields], rules: set[str]
) -> None:
    shop = {"kind": "Pod", "metadata": {"name": "shop"}, "spec": spec}
    findings = lint(
        [("shop.yaml", json.dumps({"kind": "List", "items": [shop, *beside]}))]
    ).findings

    assert {each.rule for each in findings} == rules


def test_there_are_forty_and_more() -> None:
    assert len(WRONG) >= 20
    assert len(RIGHT) >= 20
    assert len({each[0] for each in (*WRONG, *RIGHT, *BESIDE)}) > 40
