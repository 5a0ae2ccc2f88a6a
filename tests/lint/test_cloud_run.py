"""Cloud Run orders containers by an annotation; without it they are the kubelet's."""

from __future__ import annotations

import json

import pytest

from tests.lint.building import APP, PROBE, Fields, env, gate, pod, rules_of

ORDER = "run.googleapis.com/container-dependencies"
USING = {**APP, "env": [env("A", "http://localhost:80/")]}
WEB: Fields = {"name": "web", "image": "web", "ports": [{"containerPort": 80}]}
GATE: Fields = {
    **gate(env("GATE_DEPENDENCIES", "db tcp://db:1")),
    "startupProbe": {**PROBE, "failureThreshold": 9},
    "restartPolicy": None,
}


def ordered(text: str, order: str) -> str:
    return text.replace(
        '{"name": "shop"}', json.dumps({"name": "shop", "annotations": {ORDER: order}})
    )


@pytest.mark.parametrize(
    ("order", "rules"),
    [
        ('{"app": ["gate"]}', []),
        ('{"app": ["web"]}', ["gate-holds-nothing"]),
        ("x", ["gate-holds-nothing"]),
        ("[]", ["gate-holds-nothing"]),
        ('{"app": 1}', ["gate-holds-nothing"]),
    ],
)
def test_a_gate_that_others_depend_on_holds_them(order: str, rules: list[str]) -> None:
    assert rules_of(ordered(pod(main=(APP, GATE)), order)) == rules


def test_without_the_annotation_nothing_holds() -> None:
    assert rules_of(pod(main=(APP, GATE))) == ["gate-holds-nothing", "short-probe-budget"]


def test_what_others_depend_on_needs_a_startup_probe() -> None:
    probed = {**WEB, "startupProbe": {"tcpSocket": {"port": 80}}}

    assert rules_of(ordered(pod(main=(USING, probed)), '{"app": ["web"]}')) == []
    assert rules_of(ordered(pod(main=(USING, WEB)), '{"app": ["web"]}')) == [
        "sidecar-among-main-containers"
    ]
