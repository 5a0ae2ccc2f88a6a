"""The examples through a restart of the kubelet, while gate waits and when it has opened.

From Kubernetes 1.35 on the kubelet then takes a sidecar that is still being probed for started
(kubernetes#142305). The pod player plays that; no cluster is at hand here.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml

from tests.pod import Pod
from tests.process import run_gate
from tests.stand_ins import Ports, dependency, manifest, node, web

pytestmark = pytest.mark.anyio

DATABASE = "db.example.com:5432"
FORMS = {
    "sidecar.yaml": "app",
    "poststart-sidecar.yaml": "app",
    "exec-probe.yaml": "app",
    "state-file.yaml": "app",
    "job.yaml": "migrate",
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def ports() -> Ports:
    return Ports()


def played(text: str, ports: Ports) -> Pod:
    images = {"nginx": web(ports["nginx"])}
    return Pod(text, replace(node(ports["gate"], images), settled=0))


def example(name: str, ports: Ports) -> str:
    text = manifest(name, ports["gate"], {DATABASE: f"127.0.0.1:{ports['db']}"})
    return text.replace("localhost:80/", f"localhost:{ports['nginx']}/")


async def until_waiting(pod: Pod) -> None:
    await pod.until(lambda pod: "dependency.waiting" in pod.logs("gate"))


@pytest.mark.parametrize("name", FORMS)
async def test_the_app_is_held_though_the_kubelet_takes_gate_for_started(
    name: str, ports: Ports
) -> None:
    app = FORMS[name]
    async with played(example(name, ports), ports) as pod:
        await until_waiting(pod)
        await pod.restart_kubelet()
        # The kubelet is past gate, and what comes next is not the app.
        await pod.container_running("gate-hold")
        assert not pod.moments(app, "created")

        with dependency(ports["db"]):
            await pod.container_running(app)

        assert pod.moments("gate-hold", "exited 0")[0] < pod.moments(app, "created")[0]


async def test_without_what_holds_behind_gate_it_is_not(ports: Ports) -> None:
    """What the container is for: should this fail, the player has forgotten the fact."""
    text = example("exec-probe.yaml", ports)
    parts = re.split(r"(?m)^    - name: gate-hold.*\n(?:      .*\n)+", text)
    assert len(parts) == 2
    async with played("".join(parts), ports) as pod:
        await until_waiting(pod)
        await pod.restart_kubelet()
        await pod.container_running("app")

        assert "gate.opened" not in pod.logs("gate")


async def test_a_restart_after_the_opening_changes_nothing(ports: Ports) -> None:
    async with played(example("state-file.yaml", ports), ports) as pod:
        with dependency(ports["db"]):
            await pod.container_running("app")
            await pod.until(lambda pod: pod.is_ready)
            await pod.restart_kubelet()
            await pod.until(lambda pod: pod.is_ready)

        assert len(pod.moments("app", "started")) == 1
        assert len(pod.moments("gate", "started")) == 1


@pytest.mark.parametrize("mode", ["sidecar", "poststart", "exec-probe"])
async def test_what_manifest_prints_is_held_too(mode: str, ports: Ports) -> None:
    text = f"db tcp://127.0.0.1:{ports['db']}"
    env = {"GATE_DEPENDENCIES": text, "GATE_LISTEN": f":{ports['gate']}"}
    words = ("--mode", mode, "--image", "registry.example.com/gate:1")
    spec = yaml.safe_load(run_gate("manifest", *words, env=env)[1])
    spec["containers"] = [{"name": "app", "image": "app"}]
    whole = yaml.safe_dump({"kind": "Pod", "metadata": {"name": "shop"}, "spec": spec})
    async with played(whole, ports) as pod:
        await until_waiting(pod)
        await pod.restart_kubelet()
        await pod.container_running("gate-hold")
        assert not pod.moments("app", "created")

        with dependency(ports["db"]):
            await pod.container_running("app")
