"""gate inject where others call it: kustomize, kpt, Helm.

None of them can be had here, so the tests give the executable what they give it (a ResourceList,
rendered manifests), and read what it writes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate import __version__
from tests.inject.building import IMAGE, app_with, variable
from tests.process import run_gate
from tests.stand_ins import EXAMPLES

FOLDER = EXAMPLES / "inject"


def resource_list(config: dict[str, Any], *items: str) -> str:
    whole = {
        "apiVersion": "config.kubernetes.io/v1",
        "kind": "ResourceList",
        "functionConfig": config,
        "items": [json.loads(item) for item in items],
    }
    return yaml.safe_dump(whole)


def called(text: str, tmp_path: Path, **env: str) -> tuple[int, str, str]:
    """Run the executable of the examples, with gate in the PATH as where it is installed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [FOLDER / "gate-inject"],
        input=text,
        env={"PATH": path, **env},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_function_of_the_example(tmp_path: Path) -> None:
    config = yaml.safe_load((FOLDER / "function.yaml").read_text())
    given = resource_list(config, app_with(variable("REDIS_HOST", "cache"), kind="Deployment"))

    code, out, err = called(given, tmp_path)

    assert code == 0, err
    found = yaml.safe_load(out)
    assert found["functionConfig"] == config
    (shop,) = found["items"]
    _, gate, _ = shop["spec"]["template"]["spec"]["initContainers"]
    values = {each["name"]: each["value"] for each in gate["env"]}
    assert values["GATE_DEPENDENCIES"] == "db tcp://db:5432\nredis://cache\n"
    assert values["GATE_TIMEOUT"] == "20m"
    assert gate["image"] == IMAGE
    assert called(out, tmp_path)[1] == out


def test_what_helm_renders_goes_through_the_executable(tmp_path: Path) -> None:
    code, out, _ = called(app_with(variable("REDIS_HOST", "cache")), tmp_path, GATE_IMAGE=IMAGE)

    assert code == 0
    assert [each["name"] for each in yaml.safe_load(out)["spec"]["initContainers"]] == [
        "gate",
        "gate-hold",
    ]


def test_the_plugin_of_helm_4_and_the_image_call_the_same() -> None:
    plugin = yaml.safe_load((FOLDER / "helm-4" / "plugin.yaml").read_text())
    (command,) = plugin["runtimeConfig"]["platformCommand"]

    assert (command["command"], command["args"]) == ("gate", ["inject", "-"])
    assert plugin["version"] == __version__
    assert 'CMD ["inject", "-"]' in (FOLDER / "Dockerfile").read_text()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"imag": IMAGE}, "functionConfig: imag: is not known; did you mean image?"),
        ({"qqqq": IMAGE}, "functionConfig: qqqq: is not known; there are image, "),
        ({"image": IMAGE, "form": "hook"}, "functionConfig: form: there are sidecar, "),
        ({}, "which image is gate's?"),
        (None, "which image is gate's?"),
    ],
)
def test_what_is_wrong_in_the_configuration_is_told(spec: Any, said: str) -> None:
    config = {"apiVersion": "gate/v1", "kind": "GateInject", "spec": spec}

    code, out, err = run_gate("inject", "-", stdin=resource_list(config, app_with()))

    assert (code, out) == (2, "")
    assert said in err


def test_a_kind_of_its_own_has_a_spec() -> None:
    spec = {"image": IMAGE, "durable": False, "dependencies": ["tcp://db:1"], "form": "exec-probe"}
    config = {"apiVersion": "gate/v1", "kind": "GateInject", "spec": spec}

    code, out, _ = run_gate("inject", "-", stdin=resource_list(config, app_with()))

    assert code == 0
    (gate,) = yaml.safe_load(out)["items"][0]["spec"]["initContainers"]
    assert gate["startupProbe"]["exec"]["command"][:2] == ["gate", "probe"]
