"""Wait containers as they are found in public charts, written anew: what they wait for.

What is not understood stays, with a reason; nothing is taken for something else.
"""

from __future__ import annotations

from typing import Any

import pytest

from gate import checks, config
from gate.inject.run import inject
from tests.inject.building import OPTIONS, pod_with, told, written

NAMESPACE = "$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace)"


def sh(script: str) -> dict[str, Any]:
    return {"image": "busybox", "command": ["sh", "-c", script]}


def of(image: str, *args: str) -> dict[str, Any]:
    return {"image": image, "args": list(args)}


UNDERSTOOD: list[tuple[dict[str, Any], list[str]]] = [
    # The shapes of public charts.
    (sh("until nc -z shop-db 5432; do echo waiting; sleep 2; done"), ["tcp://shop-db:5432"]),
    (sh("while ! nc -zv -w 3 queue 5672; do sleep 1; done"), ["tcp://queue:5672"]),
    (sh("for i in $(seq 1 60); do nc -z db 1 && exit 0; sleep 1; done; exit 1"), ["tcp://db:1"]),
    (
        sh(f"until nslookup cart.{NAMESPACE}.svc.cluster.local; do echo no; sleep 2; done"),
        ["dns://cart"],
    ),
    (sh("until getent hosts search; do sleep 2; done"), ["dns://search"]),
    (sh("until pg_isready -h db -p 5433 -U shop; do sleep 2; done"), ["postgresql://db:5433"]),
    (sh("until mysqladmin ping -h db --silent; do sleep 2; done"), ["mysql://db:3306"]),
    (
        sh('until [ "$(redis-cli -h cache ping)" = PONG ]; do sleep 1; done'),
        ["redis://cache:6379"],
    ),
    (sh("until redis-cli -h cache ping | grep PONG; do sleep 1; done"), ["redis://cache:6379"]),
    (
        sh("until curl -fsS http://auth:8080/healthz; do sleep 1; done"),
        ["http://auth:8080/healthz"],
    ),
    (
        sh("until curl -s http://auth/; do sleep 1; done"),
        ["http://auth/ status=1xx,2xx,3xx,4xx,5xx"],
    ),
    (
        sh("until curl -s es:9200/_cluster/health | grep -q green; do sleep 5; done"),
        ["http://es:9200/_cluster/health status=1xx,2xx,3xx,4xx,5xx body-regex=green"],
    ),
    (
        sh("until [ $(curl -so /dev/null -w '%{http_code}' http://a/up) -eq 200 ]; do :; done"),
        ["http://a/up status=200"],
    ),
    (
        sh("until wget -q --spider --no-check-certificate https://a:8443/up; do sleep 1; done"),
        ["https://a:8443/up insecure redirects=follow"],
    ),
    (sh("until (echo > /dev/tcp/db/5432) 2>/dev/null; do sleep 1; done"), ["tcp://db:5432"]),
    (of("wait4x/wait4x:3", "tcp", "a:1", "b:2", "-t", "60s"), ["tcp://a:1", "tcp://b:2"]),
    (
        of("wait4x/wait4x", "http", "http://a/up", "--expect-status-code", "204"),
        ["http://a/up status=204"],
    ),
    (of("wait4x/wait4x", "mysql", "u:p@tcp(db:3306)/shop"), ["mysql://db:3306"]),
    (
        of("jwilder/dockerize", "-wait", "tcp://db:1", "-wait=http://a/", "-timeout", "9s"),
        ["tcp://db:1", "http://a/"],
    ),
    (
        {"image": "tools", "command": ["/wait-for-it.sh", "db:5432", "-t", "0"]},
        ["tcp://db:5432"],
    ),
    ({"image": "x", "command": ["wait-for-it", "-h", "db", "-p", "1"]}, ["tcp://db:1"]),
    (
        {"image": "node", "command": ["npx", "wait-on"], "args": []} | sh("wait-on tcp:db:1"),
        ["tcp://db:1"],
    ),
    (of("groundnuty/k8s-wait-for:v2", "job", "migrate"), ["k8s:job/migrate"]),
    (of("ghcr.io/groundnuty/k8s-wait-for", "pod", "-lapp=db"), ["k8s:pod?selector=app=db"]),
    (
        of("groundnuty/k8s-wait-for", "service", "db", "-n", "prod"),
        ["k8s:service/db namespace=prod"],
    ),
    (
        sh("kubectl wait --for=condition=complete job/migrate --timeout=300s"),
        ["k8s:job/migrate"],
    ),
    (sh("kubectl rollout status -n prod deploy/db"), ["k8s:deployment/db namespace=prod"]),
    (
        sh("kubectl wait --for=condition=Ready pod -l app=db"),
        ["k8s:pod?selector=app=db"],
    ),
    (
        sh("until kafka-topics.sh --bootstrap-server a:9092,b:9092 --list; do sleep 3; done"),
        ["kafka://a:9092,b:9092"],
    ),
    (
        sh("until mongosh --host docs --eval 'db.adminCommand(\"ping\")'; do sleep 3; done"),
        ["mongodb://docs:27017"],
    ),
    (
        sh("until grpc_health_probe -addr=api:50051; do sleep 1; done"),
        ["grpc://api:50051"],
    ),
    (sh("set -e; until nc -z a 1 && nc -z b 2; do sleep 1; done"), ["tcp://a:1", "tcp://b:2"]),
]

LEFT = [
    (sh("until nc -z db 1; do sleep 1; done; migrate up"), "it runs migrate, which is more"),
    (sh("while nc -z old 80; do sleep 1; done"), "until this is gone"),
    (sh("until nc -z a 1 || nc -z b 1; do sleep 1; done"), "any=GROUP"),
    (sh("until nc -z $DB_HOST 5432; do sleep 1; done"), "$DB_HOST is not in the input"),
    (sh("until curl -fo /data/x http://a/; do sleep 1; done"), "it keeps what curl fetches"),
    (sh("until wget -qO /data/x http://a/; do sleep 1; done"), "it keeps what wget fetches"),
    (sh("until curl -fO http://a/x; do sleep 1; done"), "it keeps what curl fetches"),
    (sh("until nc -z db 1; do sleep 1; done; echo ok > /shared/done"), "it writes a file"),
    (sh("until nc -zu dns 53; do sleep 1; done"), "UDP"),
    (sh("until psql -h db -c 'select 1'; do sleep 1; done"), "it logs in"),
    (sh('until [ "$(curl -s http://a/)" = ok ]; do sleep 1; done'), "compares the answer"),
    (sh('while [ "$(redis-cli -h c ping)" = PONG ]; do sleep 1; done'), "until this is gone"),
    (sh("until curl -s http://a | jq -e .ok; do sleep 1; done"), "what jq makes of the answer"),
    (sh("until curl -s http://a | grep -v no; do sleep 1; done"), "what grep makes of the answer"),
    (sh("until curl -s http://a | grep '^[0-9]'; do sleep 1; done"), "the pattern of its grep"),
    (sh("until curl -u a:b http://a; do sleep 1; done"), "curl -u has no counterpart"),
    (sh("until curl -H 'Authorization: Bearer x' http://a; do :; done"), "may be a secret"),
    (sh("until curl -w '%{http_code}' http://a; do [ 200 = 300 ]; done"), "which status"),
    (sh("until mysqladmin -h db processlist; do sleep 1; done"), "only mysqladmin ping"),
    (sh("until redis-cli -h c get ready; do sleep 1; done"), "only redis-cli ping"),
    (sh("until mongosh --host d --eval 'rs.status()'; do sleep 1; done"), "what it evaluates"),
    (sh("until mongosh --eval 'ping'; do sleep 1; done"), "its address is not plain"),
    (sh("nc -l 80 & until nc -z db 1; do sleep 1; done"), "in the background"),
    (sh("until kubectl get job x; do sleep 1; done; kubectl wait job/x"), "in a loop"),
    (sh("kubectl wait --for=delete pod/x"), "--for=delete is not known"),
    (sh("kubectl wait --for=condition=ready pod -l 'app in (a)'"), "not one of plain labels"),
    (sh("kubectl rollout status deploy"), "the object that it waits for is not named"),
    (of("groundnuty/k8s-wait-for", "node", "x"), "is not told a job, pod or service"),
    (of("groundnuty/k8s-wait-for", "job", "-lapp in (a)"), "not one of plain labels"),
    (of("groundnuty/k8s-wait-for", "job", "X_Y"), "the name of its object"),
    (of("wait4x/wait4x", "exec", "true"), "wait4x exec is not known"),
    (of("wait4x/wait4x", "http", "http://a", "--expect-body-json", "x"), "--expect-body-json"),
    (of("jwilder/dockerize", "true"), "its address is not plain"),
    (sh("wait-for-it --strict"), "its address is not plain"),
    (sh("wait-on ${URL}"), "$URL is not in the input"),
    (sh("until nc -z localhost 8080; do sleep 1; done"), "no sidecar of the pod"),
    (
        sh("until grpc_health_probe -tls -addr=a:1; do :; done; nc -z a 1; until nc; do :; done"),
        "plain",
    ),
    ({**sh("until nc -z db 1; do :; done"), "securityContext": {"runAsUser": 1337}}, "user 1337"),
]


@pytest.mark.parametrize(("container", "wanted"), UNDERSTOOD)
def test_a_wait_container_makes_way_for_gate(container: dict[str, Any], wanted: list[str]) -> None:
    outcome = inject([("x", pod_with(container))], OPTIONS)

    spec = written(outcome)["spec"]
    gate = spec["initContainers"][0]
    texts = {each["name"]: each.get("value", "") for each in gate["env"]}["GATE_DEPENDENCIES"]
    assert [each["name"] for each in spec["initContainers"]] == ["gate", "gate-hold"]
    assert texts.splitlines() == wanted
    read = config.read({"GATE_DEPENDENCIES": texts})
    assert all(checks.load(each.target) for each in read.dependencies)
    assert read.all_problems() == ()


@pytest.mark.parametrize(("container", "why"), LEFT)
def test_what_is_not_understood_stays_with_a_reason(container: dict[str, Any], why: str) -> None:
    text = pod_with(container)

    outcome = inject([("x", text)], OPTIONS)

    assert not outcome.is_changed
    assert why in told(outcome)
    assert "init container wait stays: " in told(outcome)


def test_a_variable_of_the_input_is_put_in() -> None:
    container = sh("until nc -z $DB_HOST ${DB_PORT}; do sleep 1; done")
    container["env"] = [
        {"name": "DB_HOST", "valueFrom": {"configMapKeyRef": {"name": "shop", "key": "host"}}},
        {"name": "DB_PORT", "value": "5432"},
    ]
    config_map = '{"kind": "ConfigMap", "metadata": {"name": "shop"}, "data": {"host": "db"}}'

    outcome = inject([("x", pod_with(container)), ("y", config_map)], OPTIONS)

    assert "tcp://db:5432" in told(outcome)


def test_what_the_kubelet_puts_into_a_command_is_put_in() -> None:
    container = {"image": "wait4x/wait4x", "args": ["tcp", "$(ADDRESS)"]}
    container["env"] = [{"name": "ADDRESS", "value": "db:1"}]  # type: ignore[list-item]

    assert "tcp://db:1" in told(inject([("x", pod_with(container))], OPTIONS))


def test_an_init_container_that_does_other_work_is_not_spoken_of() -> None:
    outcome = inject([("x", pod_with(sh("migrate up")))], OPTIONS)

    assert told(outcome) == "Pod shop: nothing found to wait for"
