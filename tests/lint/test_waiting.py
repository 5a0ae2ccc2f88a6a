"""Waits for the own Service, and in front of a mesh: which of them can end."""

from __future__ import annotations

import json

import pytest

from tests.lint.building import APP, Fields, env, gate, init, pod, rules_of

SHOP = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}, %s}'
WAITING = gate(env("GATE_DEPENDENCIES", "http://shop:8080/"))
BEHIND = '"spec": {"selector": {"app": "shop"}%s}'


def labelled(text: str) -> str:
    return text.replace('{"name": "shop"}', '{"name": "shop", "labels": {"app": "shop"}}')


@pytest.mark.parametrize(
    ("service", "rules"),
    [
        (SHOP % (BEHIND % ""), ["waits-for-own-service"]),
        (SHOP % (BEHIND % ', "publishNotReadyAddresses": true'), []),
        (
            SHOP.replace('"name": "shop"', '"name": "shop", "namespace": "default"')
            % (BEHIND % ""),
            ["waits-for-own-service"],
        ),
        (
            SHOP.replace('"name": "shop"', '"name": "shop", "namespace": "other"') % (BEHIND % ""),
            [],
        ),
    ],
)
def test_a_service_has_endpoints_of_ready_pods_of_its_namespace(
    service: str, rules: list[str]
) -> None:
    assert rules_of(labelled(pod(WAITING)), service) == rules


def test_a_service_that_others_serve_may_be_waited_for() -> None:
    worker, server = labelled(pod(WAITING)), labelled(pod())
    service = SHOP % (BEHIND % "")

    assert rules_of(worker, service) == ["waits-for-own-service"]
    assert rules_of(worker, server, service) == []
    assert rules_of(worker, worker, service) == ["waits-for-own-service"]


PROXY = {"name": "istio-proxy", "image": "proxyv2", "args": ["proxy", "sidecar"]}
MESHED = (
    {**PROXY, "lifecycle": {"postStart": {"exec": {"command": ["pilot-agent", "wait"]}}}},
    APP,
)
REDIRECTION = {"name": "istio-init", "image": "proxyv2", "args": ["istio-iptables"]}
ISTIO, LINKERD = "traffic.sidecar.istio.io/", "config.linkerd.io/"


@pytest.mark.parametrize(
    ("annotations", "fields", "rules"),
    [
        ({}, {}, ["init-before-mesh"]),
        ({}, {"securityContext": {"runAsUser": 1000}}, ["init-before-mesh"]),
        ({}, {"securityContext": {"runAsUser": 1337}}, []),
        ({}, {"securityContext": {"runAsUser": 2102}}, []),
        ({f"{LINKERD}skip-outbound-ports": "5000-6000,9092"}, {}, []),
        ({f"{LINKERD}skip-outbound-ports": "6000-7000, 9092"}, {}, ["init-before-mesh"]),
        ({f"{ISTIO}excludeOutboundPorts": "80,5432"}, {}, []),
        ({f"{ISTIO}excludeOutboundPorts": "x,"}, {}, ["init-before-mesh"]),
        ({f"{ISTIO}includeOutboundIPRanges": ""}, {}, []),
        ({f"{ISTIO}includeOutboundIPRanges": "*"}, {}, ["init-before-mesh"]),
        ({f"{ISTIO}excludeOutboundIPRanges": "10.0.0.0/8"}, {}, []),
        ({f"{LINKERD}skip-subnets": "10.0.0.0/8"}, {}, []),
    ],
)
def test_the_documented_ways_around_the_mesh_are_known(
    annotations: Fields, fields: Fields, rules: list[str]
) -> None:
    wait = init("sh", "-c", "until nc -z db 5432; do sleep 1; done", **fields)
    text = pod(REDIRECTION, wait, main=MESHED)
    name = json.dumps({"name": "shop", "annotations": annotations})

    assert rules_of(text.replace('{"name": "shop"}', name)) == rules


@pytest.mark.parametrize(
    ("annotations", "rules"),
    [({}, ["init-before-mesh"]), ({f"{ISTIO}excludeOutboundPorts": "80"}, [])],
)
def test_a_port_that_is_not_known_may_be_the_excluded_one(
    annotations: Fields, rules: list[str]
) -> None:
    text = pod(REDIRECTION, init("wait4x", "other", "odd://db/"), main=MESHED)
    name = json.dumps({"name": "shop", "annotations": annotations})

    assert rules_of(text.replace('{"name": "shop"}', name)) == rules


def test_the_user_of_the_pod_is_that_of_its_containers() -> None:
    wait = init("sh", "-c", "until nc -z db 5432; do sleep 1; done")
    text = pod(REDIRECTION, wait, main=MESHED, securityContext={"runAsUser": 1337})

    assert rules_of(text) == []
