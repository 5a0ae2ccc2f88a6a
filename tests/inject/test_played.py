"""A pod that gate inject has written starts when all is ready, and never before."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from gate.core.names import annotation
from gate.inject.run import inject
from tests.inject.building import OPTIONS
from tests.pod import Pod
from tests.stand_ins import Ports, dependency, node


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("form", ["sidecar", "exec-probe", "init"])
@pytest.mark.anyio
async def test_the_app_starts_when_all_is_ready(form: str) -> None:
    ports = Ports()
    wanted = {annotation("dependencies"): f"db tcp://127.0.0.1:{ports['db']}"}
    app = {"name": "app", "image": "registry.example.com/app:1.0.0"}
    bare = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "shop", "annotations": wanted},
        "spec": {"containers": [app]},
    }
    listen = (("GATE_LISTEN", f":{ports['gate']}"),)
    outcome = inject([("x", json.dumps(bare))], replace(OPTIONS, form=form, settings=listen))
    pod_of_it = yaml.safe_load(outcome.files[0][2].replace("25s", "200ms"))

    async with Pod(pod_of_it, node(ports["gate"], {})) as pod:
        await pod.until(lambda pod: "connection refused" in pod.logs("gate"))
        assert not pod.moments("app", "created")
        with dependency(ports["db"]):
            await pod.container_running("app")


@pytest.mark.anyio
async def test_a_sidecar_that_needs_a_part_starts_before_the_rest_is_ready() -> None:
    ports = Ports()
    image = "registry.example.com/app:1.0.0"
    bare = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "shop",
            "annotations": {
                annotation("dependencies"): f"db tcp://127.0.0.1:{ports['db']}",
                annotation("dependencies.proxy"): f"id tcp://127.0.0.1:{ports['id']}",
            },
        },
        "spec": {
            "initContainers": [{"name": "proxy", "image": image, "restartPolicy": "Always"}],
            "containers": [{"name": "app", "image": image}],
        },
    }
    listen = (("GATE_LISTEN", f":{ports['gate']}"),)
    outcome = inject([("x", json.dumps(bare))], replace(OPTIONS, settings=listen))

    async with Pod(yaml.safe_load(outcome.files[0][2]), node(ports["gate"], {})) as pod:
        await pod.until(lambda pod: pod.logs("gate").count("connection refused") > 1)
        assert not pod.moments("proxy", "created")
        with dependency(ports["id"]):
            await pod.container_running("proxy")
            assert not pod.moments("app", "created")
            with dependency(ports["db"]):
                await pod.container_running("app")
