"""Probes of any container: what passes by mistake, and what is right."""

from __future__ import annotations

import pytest

from tests.lint.building import (
    APP,
    PROBE,
    env,
    gate,
    messages,
    pod,
    rules_of,
)

DEPENDENCY = env("GATE_DEPENDENCIES", "db tcp://db:5432")


def probed(**fields: object) -> str:
    return pod(gate(DEPENDENCY, startupProbe={**PROBE, **fields}))


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("/oauth2/start?rd=/", ["probe-redirect"]),
        ("/oauth/authorize", ["probe-redirect"]),
        ("/saml/login/", ["probe-redirect"]),
        ("/sso", ["probe-redirect"]),
        ("/oauth2/ping", []),
        ("/saml/metadata", []),
        ("/realms/shop/protocol/openid-connect/certs", []),
        ("/login", []),
        ("/start", []),
    ],
)
def test_only_a_path_that_sends_people_to_sign_in_redirects(path: str, rules: list[str]) -> None:
    probe = {"httpGet": {"path": path, "port": 80}}

    assert rules_of(pod(main=({**APP, "readinessProbe": probe},))) == rules


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("startupProbe", "the container never counts as started"),
        ("readinessProbe", "the pod is never ready"),
        ("livenessProbe", "the container runs without it"),
    ],
)
def test_a_port_that_is_not_declared_does_what_its_probe_is_for(kind: str, said: str) -> None:
    probe = {"httpGet": {"port": "nope"}}

    assert messages(pod(main=({**APP, kind: probe},))) == [
        (
            "the container declares no port of this name, so the probe can neither pass nor "
            f"fail, and {said}"
        )
    ]


def test_a_boolean_is_no_number() -> None:
    assert rules_of(probed(initialDelaySeconds=True)) == ["wrong-type"]


def test_the_host_is_right_on_the_host_network() -> None:
    probe = {"httpGet": {"port": 80, "host": "127.0.0.1"}}
    one = {**APP, "readinessProbe": probe}

    assert rules_of(pod(main=(one,))) == ["probe-host"]
    assert rules_of(pod(main=(one,), hostNetwork=True)) == []


def test_an_address_from_elsewhere_may_be_the_probe_s() -> None:
    unknown = {"name": "GATE_LISTEN", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}
    moved = {**PROBE, "httpGet": {"path": "/startupz?hold=25s", "port": 1}}

    assert rules_of(pod(gate(DEPENDENCY, unknown, startupProbe=moved))) == []
    assert rules_of(pod(gate(DEPENDENCY, startupProbe=moved))) == ["gate-probe-port"]
    there = env("GATE_LISTEN", ":1")
    assert rules_of(pod(gate(DEPENDENCY, there, startupProbe=moved))) == []
    hidden = env("GATE_LISTEN", "127.0.0.1:1")
    assert rules_of(pod(gate(DEPENDENCY, hidden, startupProbe=moved))) == ["gate-probe-port"]
