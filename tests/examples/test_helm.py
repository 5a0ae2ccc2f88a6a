"""examples/helm: a template to include from another chart, and a chart that does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.lint.run import lint
from gate.manifest.container import MODES
from tests.conftest import needs
from tests.pod import Pod
from tests.process import run_gate
from tests.stand_ins import EXAMPLES, Ports, dependency, node, web

Done = subprocess.CompletedProcess[str]
Render = Callable[..., Done]

LIBRARIES = "golang-go golang-github-masterminds-sprig-dev golang-github-ghodss-yaml-dev"
SOURCES = Path("/usr/share/gocode")
"""Where Debian puts the libraries that helm's engine is made of."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


VOLUMES = '      {{- with include "gate.volumes" . }}\n'


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the charts, and with `plain`: shop without its second include."""
    folder = tmp_path_factory.mktemp("helm") / "charts"
    shutil.copytree(EXAMPLES / "helm", folder)
    shutil.copytree(EXAMPLES / "helm" / "shop", folder / "plain")
    (folder / "plain" / "values.yaml").write_text("gate: {dependencies: tcp://db:5432}")
    template = folder / "plain" / "templates" / "deployment.yaml"
    only_one, found, _ = template.read_text().partition(VOLUMES)
    assert found
    template.write_text(only_one)
    return folder


@pytest.fixture(scope="module")
def command(charts: Path) -> list[str]:
    """Return what renders a chart: helm where it is installed, else its engine (render.go)."""
    if helm := shutil.which("helm"):
        for chart in ("shop", "plain"):
            update = [helm, "dependency", "update", str(charts / chart)]
            subprocess.run(update, check=True, capture_output=True)
        return [helm, "template", "release", "-f"]
    go = needs("go", LIBRARIES)
    env = {**os.environ, "GO111MODULE": "off", "GOPATH": str(SOURCES), "GOFLAGS": ""}
    source = Path(__file__).parent / "helm" / "render.go"
    build = [go, "build", "-o", str(charts.parent / "render"), str(source)]
    subprocess.run(build, check=True, env=env, cwd=charts)
    return [str(charts.parent / "render"), "-f"]


@pytest.fixture
def render(command: list[str], charts: Path, tmp_path: Path) -> Render:
    def run(values: str, chart: str = "shop") -> Done:
        (tmp_path / "values.yaml").write_text(values)
        given = [*command, str(tmp_path / "values.yaml"), str(charts / chart)]
        return subprocess.run(given, check=False, capture_output=True, text=True, timeout=60)

    return run


def deployment(done: Done) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    (found,) = yaml.safe_load_all(done.stdout)
    assert found["kind"] == "Deployment"
    return dict(found)


def spec(done: Done) -> dict[str, Any]:
    return dict(deployment(done)["spec"]["template"]["spec"])


def gate(done: Done) -> dict[str, Any]:
    """Return gate's container; only the one that holds may be behind it."""
    *_, found, behind = spec(done)["initContainers"]
    assert (found["name"], behind["name"]) == ("gate", "gate-hold")
    return dict(found)


def test_gate_comes_behind_the_charts_own_init_containers(render: Render) -> None:
    names = [each["name"] for each in spec(render("{}"))["initContainers"]]

    assert names == ["nginx", "gate-forget", "gate", "gate-hold"]


def test_without_its_belt_it_is_last(render: Render) -> None:
    found = spec(render("gate: {durable: false}"))["initContainers"]

    assert [each["name"] for each in found] == ["nginx", "gate-forget", "gate"]


@pytest.mark.anyio
async def test_the_app_starts_when_all_is_ready_and_never_before(render: Render) -> None:
    ports = Ports()
    found = render("{}").stdout.replace("4283", str(ports["gate"])).replace("25s", "200ms")
    found = found.replace("db.example.com:5432", f"127.0.0.1:{ports['db']}")
    found = found.replace("localhost:80/", f"localhost:{ports['nginx']}/")
    images = {"nginx": web(ports["nginx"], delay=0.5)}
    async with Pod(found, node(ports["gate"], images)) as pod:
        await pod.until(lambda pod: pod.moments("gate", "startup probe failure"))
        assert not pod.moments("app", "created")

        with dependency(ports["db"]):
            opened = await pod.container_started("gate")
            assert await pod.container_running("app") >= opened


@pytest.mark.parametrize("mode", MODES)
def test_it_is_what_gate_manifest_prints(render: Render, mode: str) -> None:
    text = "db tcp://db:5432 timeout=1s\nweb http://web/\n"
    values = {"mode": mode, "dependencies": text, "stateFile": mode != "init"}
    found = spec(render(yaml.safe_dump({"gate": values})))
    env = {"GATE_LISTEN": "", "GATE_DEPENDENCIES": text}
    env |= {"GATE_STATE_FILE": "/run/gate/opened"} if mode != "init" else {}
    words = ("--mode", mode, "--image", "registry.example.com/gate:0.1.0")
    printed = yaml.safe_load(run_gate("manifest", *words, env=env)[1])

    assert found["initContainers"][1:] == printed["initContainers"]
    assert found.get("volumes") == printed.get("volumes")


@pytest.mark.parametrize(("chart", "volumes"), [("plain", set()), ("shop", {"gate"})])
def test_one_include_is_all_it_takes_unless_it_is_to_remember(
    render: Render, chart: str, volumes: set[str]
) -> None:
    found = render("{}", chart)

    assert {each["name"] for each in gate(found).get("volumeMounts", [])} == volumes
    assert {each["name"] for each in spec(found).get("volumes", [])} == volumes


def test_a_port_of_its_own_is_listened_on_probed_and_scraped(render: Render) -> None:
    done = render("gate: {port: 8081}")
    found = gate(done)
    behind = spec(done)["initContainers"][-1]

    assert {"name": "GATE_LISTEN", "value": ":8081"} in found["env"]
    assert found["ports"] == [{"name": "gate", "containerPort": 8081}]
    assert found["startupProbe"]["httpGet"]["port"] == 8081
    assert found["readinessProbe"]["httpGet"]["port"] == 8081
    assert behind["env"] == [{"name": "GATE_LISTEN", "value": ":8081"}]


@pytest.mark.parametrize(("threshold", "patience"), [(48, "20m"), (61, "1525s")])
def test_what_holds_behind_gate_is_as_patient_as_its_probes(
    render: Render, threshold: int, patience: str
) -> None:
    behind = spec(render(f"gate: {{failureThreshold: {threshold}}}"))["initContainers"][-1]

    assert behind["args"] == ["hold", "--timeout", patience]


def test_secrets_and_settings_are_variables(render: Render) -> None:
    secrets = "secrets: {main-db: {name: shop, key: url}}"
    found = gate(render(f"gate: {{dependencies: null, {secrets}, env: {{GATE_TIMEOUT: 20m}}}}"))

    reference = {"secretKeyRef": {"name": "shop", "key": "url"}}
    assert found["env"][:2] == [
        {"name": "GATE_DEPENDENCY_MAIN_DB", "valueFrom": reference},
        {"name": "GATE_TIMEOUT", "value": "20m"},
    ]


def test_volumes_and_resources_are_taken_as_they_are(render: Render) -> None:
    mounts = [{"name": "tls", "mountPath": "/etc/tls"}]
    resources = {"limits": {"memory": "1Gi"}}
    values = {"stateFile": False, "volumeMounts": mounts, "resources": resources}
    found = render(yaml.safe_dump({"gate": values}))

    assert gate(found)["volumeMounts"] == mounts
    assert gate(found)["resources"] == resources
    assert "volumes" not in spec(found)


@pytest.mark.parametrize(
    "values",
    [
        "dependencies: null",
        "dependencies: ''",
        "mode: deployment",
        "portt: 8081",
        "failureThreshold: 3",
        "env: {GATE_LISTEN: ':80'}",
        "env: {TIMEOUT: 5s}",
        "secrets: {db: {name: shop}}",
    ],
)
def test_the_schema_refuses_what_cannot_work(render: Render, values: str) -> None:
    done = render(f"gate: {{{values}}}")

    assert (done.returncode, done.stdout) == (1, "")
    assert values.partition(":")[0] in done.stderr or "at least one schema" in done.stderr


def test_gate_lint_finds_nothing_in_it(render: Render) -> None:
    report = lint([("rendered.yaml", render("{}").stdout)])

    assert [each for each in report.findings if each.subject.endswith("gate")] == []
    assert report.pods == 1


def test_the_readme_of_the_chart_has_every_value_with_its_default() -> None:
    folder = EXAMPLES / "helm" / "gate"
    defaults = yaml.safe_load((folder / "values.yaml").read_text())
    schema = json.loads((folder / "values.schema.json").read_text())
    text = (folder / "README.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (?:`(.*?)`|\S) \|", text, re.MULTILINE))

    assert rows.keys() == schema["properties"].keys() - {"global"}
    assert {name: yaml.safe_load(value) for name, value in rows.items() if value} == defaults
    shop = (EXAMPLES / "helm" / "shop" / "templates" / "deployment.yaml").read_text()
    includes = re.findall(r"include \"[\w.]+\" \.", text)
    assert len(includes) == 2
    assert [each for each in includes if each not in shop] == []
