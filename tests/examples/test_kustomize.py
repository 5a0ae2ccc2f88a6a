"""examples/kustomize: one line in an overlay, and its Deployments wait."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml

from gate.lint.run import lint
from tests import kustomize
from tests.pod import Pod
from tests.stand_ins import EXAMPLES, Ports, dependency, node, web

FOLDER = EXAMPLES / "kustomize"
OVERLAY = FOLDER / "overlay"
LINE = "components: [../gate] # the one line\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def built() -> str:
    """Return what the overlay comes to."""
    return kustomize.really_built(OVERLAY) if kustomize.command() else kustomize.merged(OVERLAY)


def resources(text: str) -> dict[str, dict[str, Any]]:
    """Return what *text* holds, by kind and name, the hash of a ConfigMap's name left out."""
    found = yaml.safe_load_all(re.sub(r"\bgate-[0-9a-z]{10}\b", "gate", text))
    return {f"{each['kind']} {each['metadata']['name']}": each for each in found}


@pytest.mark.skipif(not kustomize.command(), reason="neither kustomize nor kubectl is installed")
def test_the_merge_of_these_tests_is_that_of_kustomize() -> None:
    assert resources(kustomize.merged(OVERLAY)) == resources(kustomize.really_built(OVERLAY))


@pytest.mark.parametrize(("name", "own"), [("shop", ["nginx"]), ("worker", [])])
def test_gate_is_behind_the_init_containers_whether_there_were_any_or_not(
    name: str, own: list[str]
) -> None:
    spec = resources(built())[f"Deployment {name}"]["spec"]["template"]["spec"]

    names = [each["name"] for each in spec["initContainers"]]
    assert names == ["gate-forget", *own, "gate", "gate-hold"]


def test_without_the_line_nothing_is_changed() -> None:
    text = (OVERLAY / "kustomization.yaml").read_text()
    plain = [FOLDER / "base" / f"{name}.yaml" for name in ("shop", "worker")]

    assert text.count(LINE) == 1
    assert resources(kustomize.merged(FOLDER / "base")) == resources(
        "---\n".join(path.read_text() for path in plain)
    )


def test_the_containers_wait_for_what_the_overlay_says() -> None:
    found = resources(built())
    (source, secret) = found["Deployment shop"]["spec"]["template"]["spec"]["initContainers"][-2][
        "envFrom"
    ]

    assert f"ConfigMap {source['configMapRef']['name']}" in found
    assert secret["secretRef"] == {"name": "gate", "optional": True}
    assert found["ConfigMap gate"]["data"] == {
        "GATE_DEPENDENCIES": (OVERLAY / "dependencies.txt").read_text(),
        "GATE_TIMEOUT": "20m",
    }


@pytest.mark.parametrize(("name", "apps"), [("shop", ["app", "jobs"]), ("worker", ["app"])])
@pytest.mark.anyio
async def test_each_deployment_starts_in_the_right_order(name: str, apps: list[str]) -> None:
    ports = Ports()
    text = built().replace("4283", str(ports["gate"])).replace("25s", "200ms")
    for host in ("db", "cache"):
        text = re.sub(rf"{host}\.example\.com:\d+", f"127.0.0.1:{ports[host]}", text)
    found = resources(text)
    images = {"nginx": web(ports["nginx"])}
    maps = {"gate": found["ConfigMap gate"]["data"]}
    played = replace(node(ports["gate"], images), config_maps=maps)
    async with Pod(found[f"Deployment {name}"], played) as pod:
        await pod.until(lambda pod: pod.moments("gate", "startup probe failure"))
        assert not any(pod.moments(app, "created") for app in apps)

        with dependency(ports["db"]), dependency(ports["cache"]):
            opened = await pod.container_started("gate")
            for app in apps:
                assert await pod.container_running(app) >= opened


def test_gate_lint_finds_nothing_in_it() -> None:
    report = lint([("built.yaml", built())])

    assert [each for each in report.findings if each.subject.endswith("gate")] == []
    assert report.pods == 2
