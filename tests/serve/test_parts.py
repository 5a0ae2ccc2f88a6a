"""Several containers of a pod wait for what each of them needs, at one gate."""

from __future__ import annotations

import json
import threading

import pytest

from tests.conftest import free_port
from tests.process import GateProcess, listening, run_gate


def test_a_group_opens_on_its_own_and_stays_open() -> None:
    db, cache, queue = free_port(), free_port(), free_port()
    lines = f"""
        db     tcp://127.0.0.1:{db}     group=app
        cache  tcp://127.0.0.1:{cache}  group=app optional deadline=60s
        queue  tcp://127.0.0.1:{queue}
    """
    with GateProcess("serve", env={"GATE_DEPENDENCIES": lines}) as gate, listening(cache):
        gate.until("gate.started")
        before = gate.ask("/startupz/app?brief")
        with listening(db):
            held = gate.ask("/startupz/app?hold=20s")
            whole = gate.ask("/startupz?brief")
            opened = gate.event("part.opened")
        after = gate.ask("/startupz/app")
        status = json.loads(gate.ask("/status").body)

    assert (before.status, before.body.partition(":")[0]) == (503, "waiting for db")
    assert (held.status, whole.status) == (200, 503)
    assert whole.body == "waiting for queue: connection refused\n"
    assert opened["part"] == "app"
    assert after.status == 200
    assert [one["options"]["group"] for one in status["dependencies"]] == ["app", "app", None]


def test_a_dependency_alone_is_a_part_too() -> None:
    db, cache = free_port(), free_port()
    lines = f"db tcp://127.0.0.1:{db}\ncache tcp://127.0.0.1:{cache}"
    with GateProcess("serve", env={"GATE_DEPENDENCIES": lines}) as gate, listening(db):
        gate.until("dependency.ready")
        found = {part: gate.ask(f"/startupz/{part}?brief").status for part in ("db", "cache", "x")}
        unknown = gate.ask("/startupz/x").body

    assert found == {"db": 200, "cache": 503, "x": 404}
    assert unknown.startswith("no such part; there are ")


def test_what_opens_the_whole_opens_every_part() -> None:
    line = f"db tcp://127.0.0.1:{free_port()} group=app"
    settings = {"GATE_TIMEOUT": "500ms", "GATE_ON_TIMEOUT": "open", "GATE_SHRINK": "off"}
    with GateProcess("serve", env={"GATE_DEPENDENCIES": line, **settings}) as gate:
        gate.until("gate.opened")
        found = [gate.ask(f"/startupz/{part}") for part in ("app", "db")]
        kubelet = gate.ask("/startupz/app", User_Agent="kube-probe/1.36")

    assert [one.status for one in found] == [200, 200]
    assert kubelet.status == 300
    assert kubelet.body == "opened without db: connection refused\n"


@pytest.mark.parametrize("command", [["probe", "app", "--hold", "20s"], ["hold", "app"]])
def test_probe_and_hold_ask_for_a_part(command: list[str]) -> None:
    port = free_port()
    lines = f"db tcp://127.0.0.1:{port} group=app\nqueue tcp://127.0.0.1:{free_port()}"
    with GateProcess("serve", env={"GATE_DEPENDENCIES": lines}) as gate:
        gate.until("dependency.waiting")
        listen = ["--listen", f":{gate.port}"]
        closed = run_gate("probe", "app", *listen)
        done: list[tuple[int, str, str]] = []
        asking = threading.Thread(target=lambda: done.append(run_gate(*command, *listen)))
        asking.start()
        with listening(port):
            asking.join(20)
        nobody = run_gate(command[0], "nobody", *listen)

    assert closed == (1, "waiting for db: connection refused\n", "")
    assert done[0][0] == 0
    assert nobody[0] == 1
    assert "no such part; there are app" in nobody[1]


def test_a_group_called_like_a_dependency_is_a_mistake() -> None:
    code, _, err = run_gate(
        "serve", env={"GATE_DEPENDENCIES": "db tcp://db:1 group=app\napp tcp://app:1"}
    )

    assert code == 2
    assert "line 1 (db): group=app: a dependency has that name; call the group something" in err


@pytest.mark.parametrize("path", ["/status", "/metrics", "/"])
def test_with_status_off_only_verdicts_are_shown(path: str) -> None:
    line = f"secretive tcp://127.0.0.1:{free_port()}"
    with GateProcess("serve", env={"GATE_DEPENDENCIES": line, "GATE_STATUS": "off"}) as gate:
        gate.until("dependency.waiting")
        shown = gate.ask(path)
        verdicts = [gate.ask(f"/{each}") for each in ("startupz", "startupz?brief", "readyz")]
        part = gate.ask("/startupz/nobody")

    assert (shown.status, shown.body) == (404, "not shown: GATE_STATUS is off\n")
    assert [each.body for each in verdicts] == ["waiting\n", "waiting\n", "readyz check failed\n"]
    assert "secretive" not in part.body
