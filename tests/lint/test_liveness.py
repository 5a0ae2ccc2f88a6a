"""Liveness probes that ask about somebody else, and those that ask about their own app."""

from __future__ import annotations

import json

import pytest

from tests.lint.building import APP, Fields, env, gate, init, pod, rules_of

DEPENDENCY, READINESS = "liveness-on-dependency", "liveness-asks-readiness"


def alive(probe: Fields, **fields: object) -> str:
    return pod(main=({**APP, "livenessProbe": probe, **fields},))


def running(script: str, **fields: object) -> str:
    return alive({"exec": {"command": ["sh", "-c", script]}}, **fields)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (running("pg_isready -h db.prod"), [DEPENDENCY]),
        (running("curl -fs http://stock/health"), [DEPENDENCY]),
        (running("nc -z $HOST 1", env=[env("HOST", "db")]), [DEPENDENCY]),
        (running("nc -z a 1 || nc -z b 1"), [DEPENDENCY]),
        (running("nc -z a 1 || nc -z localhost 1"), []),
        (running("pg_isready"), []),
        (running("redis-cli -h 127.0.0.1 ping"), []),
        (running("nc -z 10.0.0.1 80"), []),
        (running("nc -z $HOST 1"), []),
        (running("curl -fs http://shop-headless:80/"), []),
        (running("curl -fs http://app:80/"), []),
        (running("nc -z shop 80").replace('"shop"}', '"shop-api"}'), []),
        (running("nc -z applets 80"), [DEPENDENCY]),
        (running("test -e /tmp/alive"), []),
        (alive({"tcpSocket": {"port": 80}}), []),
    ],
)
def test_only_another_host_is_a_dependency(text: str, rules: list[str]) -> None:
    assert rules_of(text) == rules


def test_the_service_of_the_pod_itself_is_no_dependency() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "front"}}
    text = running("curl -fs http://front/")
    labelled = text.replace('{"name": "shop"}', '{"name": "shop", "labels": {"app": "shop"}}')

    found = [
        rules_of(labelled, json.dumps({**service, "spec": {"selector": {"app": name}}}))
        for name in ("shop", "other")
    ]

    assert found == [[], [DEPENDENCY]]


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("/ready", [READINESS]),
        ("/-/ready", [READINESS]),
        ("/api/Readyz?verbose", [READINESS]),
        ("/health/is-ready", [READINESS]),
        ("/shop/actuator/health", [READINESS]),
        ("/q/health/", [READINESS]),
        ("/actuator/health/liveness", []),
        ("/health", []),
        ("/already", []),
        ("/", []),
    ],
)
def test_a_path_that_says_whether_it_is_ready_is_told(path: str, rules: list[str]) -> None:
    assert rules_of(alive({"httpGet": {"path": path, "port": 80}})) == rules


def test_of_gate_its_own_rule_speaks() -> None:
    text = pod(
        init("true"),
        gate(
            env("GATE_DEPENDENCIES", "tcp://db:1"),
            livenessProbe={"httpGet": {"path": "/readyz", "port": 4283}},
        ),
    )

    assert READINESS not in rules_of(text)


OFF = "sidecar.istio.io/rewriteAppHTTPProbers"
TCP: Fields = {"tcpSocket": {"port": 80}}


@pytest.mark.parametrize(
    ("container", "annotations", "is_told"),
    [
        ({"readinessProbe": TCP}, {OFF: "false"}, True),
        ({"livenessProbe": {"httpGet": {"port": 80}}}, {OFF: "false"}, True),
        ({"startupProbe": {"grpc": {"port": 80}}}, {OFF: "false"}, True),
        ({"startupProbe": {"exec": {"command": ["true"]}}}, {OFF: "false"}, False),
        ({"readinessProbe": TCP}, {OFF: "true"}, False),
        ({"readinessProbe": TCP}, {}, False),
        ({"readinessProbe": TCP, "name": "istio-proxy"}, {OFF: "false"}, False),
        (
            {"readinessProbe": TCP},
            {OFF: "false", "traffic.sidecar.istio.io/excludeInboundPorts": "8080, 80"},
            False,
        ),
    ],
)
def test_a_probe_that_nobody_rewrites_meets_the_proxy(
    container: Fields, annotations: Fields, *, is_told: bool
) -> None:
    metadata = json.dumps({"name": "shop", "annotations": annotations})
    text = pod(main=({**APP, **container},)).replace('{"name": "shop"}', metadata)

    assert ("probe-through-mesh" in rules_of(text)) is is_told


def test_in_front_of_the_proxy_no_probe_meets_it() -> None:
    metadata = json.dumps({"name": "shop", "annotations": {OFF: "false"}})
    first = {"name": "first", "image": "first", "restartPolicy": "Always", "startupProbe": TCP}

    assert "probe-through-mesh" not in rules_of(pod(first).replace('{"name": "shop"}', metadata))
