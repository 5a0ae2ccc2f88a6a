"""Which sidecars need a startup probe, and which do not."""

from __future__ import annotations

import pytest

from tests.lint.building import (
    APP,
    Fields,
    env,
    init,
    pod,
    rules_of,
    sidecar,
)


@pytest.mark.parametrize(
    ("name", "fields", "rules"),
    [
        ("linkerd-proxy", {}, ["sidecar-without-startup-probe"]),
        ("agent", {"ports": [{"containerPort": 80}]}, ["sidecar-without-startup-probe"]),
        ("agent", {"ports": [{"containerPort": 81}]}, ["sidecar-holds-nothing"]),
        ("agent", {}, ["sidecar-without-startup-probe"]),
    ],
)
def test_who_depends_on_a_sidecar_is_seen_by_its_port(
    name: str, fields: Fields, rules: list[str]
) -> None:
    app = {**APP, "env": [env("AGENT", "http://localhost:80")]}

    assert rules_of(pod(sidecar(name, startupProbe=None, **fields), main=(app,))) == rules


@pytest.mark.parametrize("later", [APP, {**APP, "ports": [{"containerPort": 80}]}])
def test_a_hook_of_a_main_container_may_wait_for_the_sidecars_only(later: Fields) -> None:
    script = "timeout 9 sh -c 'until nc -z localhost 80; do sleep 1; done'"
    hook = {"postStart": {"exec": {"command": ["sh", "-c", script]}}}
    first = {"name": "first", "image": "first", "lifecycle": hook}

    found = rules_of(pod(main=(first, later)))

    assert ("waits-for-later" in found) is ("ports" in later)


@pytest.mark.parametrize("behind", [init("sh", "-c", "until nc -z localhost 80; do sleep 1; done")])
def test_a_sidecar_that_is_waited_for_behind_it_needs_no_probe(behind: Fields) -> None:
    agent = sidecar(startupProbe=None, readinessProbe={"tcpSocket": {"port": 80}})
    other = sidecar(startupProbe=None, readinessProbe={"tcpSocket": {"port": 81}})

    assert rules_of(pod(agent, behind)) == []
    assert "sidecar-probe-does-not-hold" in rules_of(pod(other, behind))


def test_a_log_shipper_is_nobody_s_dependency() -> None:
    shipper = sidecar("fluent-bit", startupProbe=None, livenessProbe={"tcpSocket": {"port": 80}})

    assert rules_of(pod(shipper)) == []
