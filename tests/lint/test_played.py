"""Every bad manifest, played, shows the trouble that its rule claims; every good one does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.lint import rules
from tests.lint.corpus import names, rule_of
from tests.lint.played_symptoms import TROUBLES, trouble_of
from tests.lint.playing import Stage

pytestmark = pytest.mark.anyio

UNPLAYED: dict[str, str] = {
    "init-before-mesh": "the redirection is iptables of the node, which needs privileges",
    "poststart-under-ambient": "the mesh is not played; that there is no address is, for its twin",
    "host-network-port": "the player has one pod on its node",
    "exec-not-in-image": "the player's images have the node's files",
    "startup-probe-period": "ten seconds of a test, for what slow-probe shows",
    "sidecar-holds-nothing": "what its neighbour shows, where nobody is seen to ask",
    "waits-in-a-circle": "the player has one pod; waits-for-own-service shows that it never ends",
    "waits-for-later-stage": "it is Helm, or Argo CD, that never makes what is waited for",
    "waits-for-later-hook": "it is Helm that never makes what is waited for",
    "waits-for-closed-port": "it is kube-proxy that forwards a Service's ports and no others",
    "waits-for-empty-service": "the player has no Services; waits-for-own-service shows the rest",
    "waits-for-missing-replica": "a controller makes the replicas, not the kubelet",
    "waits-for-one-replica": "it takes a drain of a node",
    "wait-for-a-name": "the player has no names of Services, and it is the cluster that has them",
    "wait-connects-to-mysql": "a hundred connections to a real MySQL; its own manual says it",
    "wait-through-mesh": "the mesh's redirection is iptables of the node, which needs privileges",
    "wait-without-end-in-job": "a controller of the cluster counts, not the kubelet",
    "liveness-on-slow-start": "the player has no JVM; liveness-kills-start shows the killing",
    "liveness-asks-readiness": "what a path says is the app's; liveness-on-dependency is killed so",
    "probe-through-mesh": "the mesh's redirection is iptables of the node, which needs privileges",
    "progress-deadline": "a controller of the cluster counts, not the kubelet",
    "active-deadline": "of a Job: a controller of the cluster counts, not the kubelet",
    "cpu-limit": "local processes have no CPU limit",
    "memory-limit": "local processes have no memory limit; what gate needs is in test_measured.py",
    "plain-secret": "it starts all the same: the trouble is who can read it",
    "kubernetes-version": "the player plays 1.36 only",
    "sidecar-lost-in-job": "a fault of older kubelets; the player plays 1.36",
    "yaml": "there is no pod to play",
    "duplicate-key": "it is the client that keeps one of the two, before there is a pod",
    "wrong-type": "the API server refuses to decode it; the player takes what PyYAML makes of it",
    "no-image": "the API server refuses it, or what is patched has one",
    "silence": "about the comment, not about the pod",
}
"""Rules that cannot be shown by playing, each with the reason."""

NOT_PLAYED_EITHER = {"sidecar-among-main-containers.proxy", "wait-fails-open.tool"}
"""Images and tools of others: what they show is what their rule's first manifest shows."""
PLAYED = [
    name for name in names("bad") if rule_of(name) in TROUBLES and name not in NOT_PLAYED_EITHER
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_each_rule_is_played_or_says_why_it_cannot_be() -> None:
    assert {rule_of(name) for name in TROUBLES} | set(UNPLAYED) == set(rules.IDS)
    assert not set(TROUBLES) & set(UNPLAYED)
    assert all(UNPLAYED.values())


@pytest.mark.parametrize("name", PLAYED)
async def test_a_bad_manifest_shows_the_trouble(name: str, stage: Stage) -> None:
    assert await trouble_of(name)(stage, "bad", name)


@pytest.mark.parametrize("name", PLAYED)
async def test_a_good_manifest_does_not(name: str, stage: Stage) -> None:
    assert not await trouble_of(name)(stage, "good", name)
