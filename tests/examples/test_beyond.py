"""The examples without a cluster: what each would run is run as it says there.

Of the machines that they are for, only systemd's own look at its unit can be had.
"""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import free_port, needs
from tests.process import PATIENCE, GateProcess, run_gate
from tests.stand_ins import EXAMPLES, dependency

DATABASE = "db.example.com:5432"
IMAGE = "registry.example.com/gate:0.1.0"
Env = dict[str, str]


class Unit(ConfigParser):
    """A unit file in which each key stands once; the case of a key counts."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def unit(*names: str) -> ConfigParser:
    parser = Unit(interpolation=None, delimiters=("=",))
    parser.read(EXAMPLES.joinpath(*names))
    return parser


def environment(line: str) -> Env:
    """Return the variables of an `Environment=` line."""
    return dict(pair.split("=", 1) for pair in shlex.split(line))


def put_in(env: Env, port: int) -> Env:
    """Return *env* with the database on *port* of this machine."""
    assert DATABASE in env["GATE_DEPENDENCIES"]
    return {name: value.replace(DATABASE, f"127.0.0.1:{port}") for name, value in env.items()}


def quadlet() -> tuple[Env, list[str]]:
    parsed = unit("quadlet", "gate.container")
    container = parsed["Container"]
    assert (container["Image"], container["Notify"]) == (IMAGE, "healthy")
    assert parsed["Service"]["TimeoutStartSec"] == container["HealthStartPeriod"]
    assert unit("quadlet", "app.container")["Unit"]["After"] == "gate.service"
    return environment(container["Environment"]), json.loads(container["HealthCmd"])


def ecs() -> tuple[Env, list[str]]:
    document = json.loads((EXAMPLES / "ecs" / "task-definition.json").read_text())
    gate, app = document["containerDefinitions"]
    check = gate["healthCheck"]
    assert app["dependsOn"] == [{"containerName": gate["name"], "condition": "HEALTHY"}]
    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
    assert 5 <= check["interval"] <= 300
    assert 2 <= check["timeout"] <= 60
    assert 1 <= check["retries"] <= 10
    assert 0 <= check["startPeriod"] <= 300
    assert 2 <= gate["startTimeout"] <= 120  # on Fargate
    assert check["command"][0] == "CMD"
    return {each["name"]: each["value"] for each in gate["environment"]}, check["command"][1:]


def compose() -> tuple[Env, list[str]]:
    services = yaml.safe_load((EXAMPLES / "docker-compose-serve.yaml").read_text())["services"]
    gate, app = services["gate"], services["app"]
    assert app["depends_on"] == {"gate": {"condition": "service_healthy"}}
    assert gate["healthcheck"]["test"][0] == "CMD"
    listed = gate["environment"]["GATE_DEPENDENCIES"].replace("db:5432", DATABASE)
    return {"GATE_DEPENDENCIES": listed}, gate["healthcheck"]["test"][1:]


@pytest.mark.parametrize("example", [quadlet, ecs, compose])
def test_its_health_check_fails_until_gate_opens(
    example: Callable[[], tuple[Env, list[str]]],
) -> None:
    env, check = example()
    port = free_port()
    program, *arguments = [word.replace("20s", "100ms") for word in check]
    assert program == "gate"
    with GateProcess("serve", env=put_in(env, port)) as gate:
        gate.until("dependency.waiting")
        here = {"GATE_LISTEN": f":{gate.port}"}
        waiting = run_gate(*arguments, env=here)
        with dependency(port):
            gate.until("gate.opened")
            opened = run_gate(*arguments, env=here)

    assert (waiting[0], opened[0]) == (1, 0)
    assert "db: connection refused" in waiting[1]


def test_cloud_run_s_startup_probe_passes_when_gate_opens() -> None:
    document = yaml.safe_load((EXAMPLES / "cloud-run" / "service.yaml").read_text())
    template = document["spec"]["template"]
    app, gate = template["spec"]["containers"]
    order = "run.googleapis.com/container-dependencies"
    probe = gate["startupProbe"]
    port = free_port()
    env = put_in({each["name"]: each["value"] for each in gate["env"]}, port)

    with GateProcess("serve", env=env) as running:
        running.until("dependency.waiting")
        waiting = running.ask(probe["httpGet"]["path"])
        with dependency(port):
            running.until("gate.opened")
            opened = running.ask(probe["httpGet"]["path"])

    assert (waiting.status, opened.status) == (503, 200)
    assert json.loads(template["metadata"]["annotations"][order]) == {app["name"]: [gate["name"]]}
    assert "ports" not in gate  # one container alone may have any
    # https://cloud.google.com/run/docs/configuring/healthchecks
    assert probe["timeoutSeconds"] <= probe["periodSeconds"]
    assert probe["failureThreshold"] * probe["periodSeconds"] <= 240


def test_nomad_s_task_ends_when_the_database_is_there() -> None:
    text = (EXAMPLES / "nomad" / "app.nomad.hcl").read_text()
    task = text.partition('task "gate" {')[2].partition('task "app" {')[0]
    pairs: dict[str, Any] = dict(re.findall(r'(\w+) += "([^"]*)"', task))
    (arguments,) = re.findall(r"args += (\[.*\])", task)
    env = {name: value for name, value in pairs.items() if name.startswith("GATE_")}
    port = free_port()

    late = run_gate(*json.loads(arguments), env={**put_in(env, port), "GATE_TIMEOUT": "300ms"})
    with dependency(port):
        ready = run_gate(*json.loads(arguments), env=put_in(env, port))

    assert (late[0], ready[0]) == (1, 0)
    assert (pairs["hook"], pairs["image"]) == ("prestart", IMAGE)
    assert "sidecar = false" in task
    assert text.count("{") == text.count("}")


def test_systemd_is_told_when_the_app_takes_gate_s_place(tmp_path: Path) -> None:
    service = unit("systemd", "app.service")["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert (program, words[-1]) == ("/usr/local/bin/gate", "/usr/local/bin/app")
    app = [sys.executable, "-c", "print('the app', flush=True)"]
    port, address = free_port(), str(tmp_path / "notify")
    env = {**put_in(environment(service["Environment"]), port), "NOTIFY_SOCKET": address}

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(PATIENCE)
        manager.bind(address)
        with GateProcess(*words[:-1], *app, env=env) as gate:
            gate.until("dependency.waiting")
            with dependency(port):
                gate.until("the app")
        told = [manager.recv(4096)]
        while told[-1] != b"READY=1":
            told.append(manager.recv(4096))

    assert service["Type"] == "notify"
    assert b"STATUS=waiting for db: connection refused" in told


def test_systemd_finds_nothing_wrong_with_its_unit(tmp_path: Path) -> None:
    analyze = needs("systemd-analyze", "systemd")
    text = (EXAMPLES / "systemd" / "app.service").read_text()
    copy = tmp_path / "app.service"
    copy.write_text(text.replace("/usr/local/bin/gate", sys.executable))

    done = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], check=False, capture_output=True, text=True
    )

    own = [line for line in done.stderr.splitlines() if "app.service" in line]
    assert (done.returncode, own) == (0, [])
