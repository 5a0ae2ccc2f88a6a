"""`gate status` against an API server over real TLS, with a real gate behind its pod proxy."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.core.errors import ClusterError
from gate.status.seen import moment
from tests.checks.servers.kubernetes import Kubernetes
from tests.conftest import free_port
from tests.process import GateProcess, run_gate
from tests.status.world import (
    APP,
    PLAIN,
    TOKEN,
    Prepare,
    env,
    gate_status,
    pod,
    sidecar,
    write_kubeconfig,
)

DB = "db tcp://db:5432"
CRASHED = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s"}}


@pytest.fixture(scope="module")
def gate() -> Iterator[GateProcess]:
    """A gate that waits for a database that is down; its cache is there."""
    with GateProcess(
        "serve", env={"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{free_port()}"}
    ) as one:
        one.until("dependency.waiting")
        yield one


def held(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["held"]
    return found


def test_gate_itself_is_asked_through_the_proxy(ask: Any, gate: GateProcess) -> None:
    def prepare(server: Kubernetes) -> None:
        server.put("pods", "shop-1", **pod(sidecar(DB)))
        server.pod_ports["prod", "shop-1", 4283] = gate.port

    text, code = ask(prepare, "--output", "json")

    (found,) = held(text)
    (db,) = found["dependencies"]
    assert (code, found["workload"], found["source"]) == (1, "deployment/shop", "status")
    assert (db["name"], db["reason"], db["pending"]) == ("db", "connection refused", True)
    assert db["attempts"] > 0
    assert found["held_seconds"] < 60


def event(message: str, time: str = "03:10:00", **more: Any) -> dict[str, Any]:
    about = {"uid": "uid-1", "fieldPath": "spec.initContainers{gate}"}
    return {
        "involvedObject": about,
        "reason": "Unhealthy",
        "message": message,
        "lastTimestamp": f"2026-01-02T{time}Z",
        **more,
    }


def put(*pods: dict[str, Any]) -> Prepare:
    def prepare(server: Kubernetes) -> None:
        for number, each in enumerate(pods, start=1):
            server.put("pods", f"shop-{number}", **each)

    return prepare


def test_an_event_tells_where_gate_cannot_be_asked(ask: Any) -> None:
    def prepare(server: Kubernetes) -> None:
        server.put("pods", "shop-1", **pod(sidecar(f"{DB}\ncache tcp://cache:6379")))
        said = "Startup probe failed: overdue, waiting for "
        server.put("events", "a", **event(f"{said}db: connection refused", "03:09:00"))
        server.put("events", "b", **event(f"{said}db: name not found: db", "03:20:00"))
        server.put("events", "c", **event("Startup probe failed: HTTP probe failed with 503"))
        server.put("events", "d", **event("Back-off restarting", reason="BackOff"))
        server.put("events", "e", **event(f"{said}app: x", involvedObject={"uid": "uid-1"}))

    text, code = ask(prepare)

    assert code == 1
    assert "shop-1  held, overdue for " in text
    assert (
        "[-]db     tcp://db:5432     name not found: db  -> no service db in namespace prod\n"
        in text
    )
    assert (
        "[?]cache  tcp://cache:6379  unknown             -> no service cache in namespace prod\n"
        in text
    )
    assert "(known from its last event; gate could not be asked: status 503: error trying" in text
    assert "see kubectl logs -n prod shop-1 -c gate)" in text


def test_an_event_of_gate_s_own_tells_as_well(ask: Any) -> None:
    def prepare(server: Kubernetes) -> None:
        server.put("pods", "shop-1", **pod(sidecar(DB)))
        own: Any = {"reason": "DependencyNotReady", "involvedObject": {"uid": "uid-1"}}
        server.put("events", "a", **event("db: TLS: certificate expired", **own))

    text, _ = ask(prepare)

    assert "[-]db  tcp://db:5432  TLS: certificate expired  -> no service db in" in text


def test_an_event_that_names_no_dependency_is_told_as_it_is(ask: Any) -> None:
    def prepare(server: Kubernetes) -> None:
        server.put("pods", "shop-1", **pod(sidecar(DB)))
        server.put("events", "a", **event("Startup probe failed: no gate answers", time="?"))

    assert "    no gate answers\n" in ask(prepare)[0]


def test_a_gate_that_hangs_is_not_waited_for(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.status.cluster._STATUS", 0.3)

    def prepare(server: Kubernetes) -> None:
        put(pod(sidecar(DB)))(server)
        server.pod_ports["prod", "shop-1", 4283] = None

    text, code = ask(prepare)

    assert code == 1
    assert "gate could not be asked: API server: response: no answer within 300ms" in text


def test_the_termination_message_tells_where_no_event_does(ask: Any) -> None:
    ended = {"terminated": {"exitCode": 1, "message": "waiting for db: status 503; mq: refused"}}
    status = gate_status(CRASHED, lastState=ended)

    text, _ = ask(put(pod({**PLAIN, "env": env(DB)}, status)))

    assert "shop-1  gate fails for " in text
    assert "    CrashLoopBackOff: back-off 20s\n" in text
    assert "[-]db  tcp://db:5432  status 503  -> no service db in namespace prod\n" in text
    assert "[-]mq                 refused\n" in text
    assert "(known from its last termination message; see kubectl" in text
    assert "could not be asked" not in text


def test_a_message_that_names_no_dependency_is_told_as_it_is(ask: Any) -> None:
    ended = {"terminated": {"exitCode": 2, "message": "gate: the configuration\nhas 1 problem"}}

    text, _ = ask(put(pod(sidecar(DB), gate_status(ended, lastState={}))))

    assert "    ended with exit code 2: gate: the configuration has 1 problem\n" in text


@pytest.mark.parametrize("verb", [("get", "pods/proxy"), ("list", "events")])
def test_a_right_that_is_missing_is_named(ask: Any, verb: tuple[str, str]) -> None:
    def prepare(server: Kubernetes) -> None:
        put(pod(sidecar(DB)))(server)
        server.denied = {verb}

    text, _ = ask(prepare)

    assert f"RBAC lacks verb {verb[0]} on resource {verb[1]} (core) for system:" in text


NO_STATUS = {
    "page": b"<html>",
    "list": b"[]",
    "number": b'{"dependencies": 1}',
    "deep": b"[" * 200_000,
}


@pytest.mark.parametrize("name", NO_STATUS)
def test_an_answer_that_is_no_status_is_not_taken_for_one(ask: Any, name: str) -> None:
    def prepare(server: Kubernetes) -> None:
        put(pod(sidecar(DB)))(server)
        server.pod_ports["prod", "shop-1", 4283] = NO_STATUS[name]

    text, code = ask(prepare)

    assert code == 1
    assert "the answer is no status of gate" in text


def test_an_answer_without_end_is_not_read_to_its_end(ask: Any) -> None:
    def prepare(server: Kubernetes) -> None:
        put(pod(sidecar(DB)))(server)
        server.pod_ports["prod", "shop-1", 4283] = b" " * (3 * 1024 * 1024)

    text, code = ask(prepare)

    assert code == 1
    assert "gate could not be asked: API server: the answer is too long" in text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-01-02T05:00:00+02:00", "2026-01-02T03:00:00+00:00"),
        ("2026-01-02T03:00:00", None),
        ("0001-01-01T00:00:00+23:00", None),
        (None, None),
    ],
)
def test_a_moment_is_told_in_utc(text: object, found: str | None) -> None:
    read = moment(text)

    assert (read and read.isoformat()) == found


def test_what_a_pod_says_cannot_steer_the_terminal(ask: Any) -> None:
    evil = "\x1b[2Jall is well\u202e\n\r"
    need = {"name": f"d{evil}", "url": evil, "state": evil, "reason": evil, "attempts": "x"}
    status = {"dependencies": [need, 5], "pending": 1, "started": 2, "state": "overdue"}

    def prepare(server: Kubernetes) -> None:
        put(pod(sidecar(DB)))(server)
        server.pod_ports["prod", "shop-1", 4283] = json.dumps(status).encode()

    text, _ = ask(prepare)

    assert all(char.isprintable() for char in text.replace("\n", ""))
    assert "[?]d [2Jall is well  [2Jall is well  [2Jall is well\n" in text


def test_a_gate_that_has_just_opened_holds_nothing(ask: Any) -> None:
    def prepare(server: Kubernetes) -> None:
        put(pod(sidecar(DB)))(server)
        server.pod_ports["prod", "shop-1", 4283] = b'{"open": true, "dependencies": []}'

    assert ask(prepare) == ("namespace prod: none of 1 pod with gate is held\n", 0)


DONE = gate_status({"terminated": {"exitCode": 0}})
NOT_HELD = {
    "passed": pod(sidecar(DB), gate_status(started=True)),
    "wait-over": pod({**PLAIN, "env": env(DB)}, DONE),
    "no-gate": pod(APP),
    "deleted": pod(sidecar(DB), metadata={"deletionTimestamp": "2026-01-02T03:00:00Z"}),
    "failed": pod(sidecar(DB), status={"phase": "Failed"}),
    "not-scheduled": pod(sidecar(DB), status={"phase": "Pending"}),
    "no-containers": pod(sidecar(DB), spec={}),
    "another-first": pod(
        sidecar(DB),
        spec={"initContainers": [{**APP, "name": "migrate"}, sidecar(DB)], "containers": [APP]},
    ),
    "client-alone": pod({**PLAIN, "args": ["hold"]}),
    "wrapper": pod(APP, spec={"containers": [{**APP, "command": ["gate", "wait", DB, "--", "x"]}]}),
}


@pytest.mark.parametrize("name", NOT_HELD)
def test_what_gate_does_not_hold_is_not_told(ask: Any, name: str) -> None:
    text, code = ask(put(NOT_HELD[name]))

    assert (text.partition(" of ")[0], code) == ("namespace prod: none", 0)


def test_a_gate_that_is_not_there_yet_holds_as_well(ask: Any) -> None:
    beginning = gate_status({"waiting": {"reason": "PodInitializing"}})
    hook = sidecar(DB, lifecycle={"postStart": {"exec": {"command": ["gate", "hold"]}}})

    text, _ = ask(put(pod(sidecar(DB), beginning, address=""), pod(hook, beginning, address="")))

    assert "shop-1  gate is not running yet for " in text
    assert "shop-2  held for " in text
    assert "(nothing tells why; see kubectl logs -n prod shop-1 -c gate)" in text


def test_a_gate_beside_the_app_holds_by_its_hook(ask: Any) -> None:
    hook = sidecar(DB, lifecycle={"postStart": {"exec": {"command": ["gate", "hold"]}}})
    first = pod(
        hook,
        spec={"containers": [{**hook, "restartPolicy": ""}, APP]},
        status={"phase": "Pending", "containerStatuses": [gate_status({"waiting": {}})]},
    )

    text, _ = ask(put(first))

    assert "  shop-1  held\n" in text


def test_where_it_listens_is_read_from_its_spec(ask: Any) -> None:
    secret = {"name": "GATE_LISTEN", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}
    ports = [{"name": "gate", "containerPort": 5000}]
    own = sidecar(DB, env=[*env(DB), {"name": "GATE_LISTEN", "value": ":6000"}])
    status = b'{"pending": ["db"], "dependencies": [{"name": "db", "reason": "from gate"}]}'

    def prepare(server: Kubernetes) -> None:
        put(pod(sidecar(DB, env=[*env(DB), secret], ports=ports)), pod(own))(server)
        server.pod_ports["prod", "shop-1", 5000] = status
        server.pod_ports["prod", "shop-2", 6000] = status

    text, _ = ask(prepare)

    assert "  shop-1  held for" in text
    assert text.count("from gate") == 1


def test_pods_that_differ_are_told_apart_and_a_pod_without_owner_is_its_own_workload(
    ask: Any,
) -> None:
    alone = pod(sidecar(DB), metadata={})
    owner = {"kind": "StatefulSet", "name": "shop", "controller": True}
    stateful = pod(
        sidecar("$(A) tcp://$(DB_SERVICE_HOST):1"), metadata={"ownerReferences": [owner]}
    )

    text, _ = ask(put(pod(sidecar(DB)), alone, stateful))

    heads = [line for line in text.splitlines() if line.startswith("prod  ")]
    assert heads == ["prod  deployment/shop", "prod  pod/shop-2", "prod  statefulset/shop"]
    assert "3 of 3 pods with gate are held" in text
    assert "tcp://1" not in text


def test_one_namespace_is_looked_at_or_all_of_them(ask: Any) -> None:
    def prepare(server: Kubernetes) -> None:
        server.put("pods", "shop-1", **pod(sidecar(DB)))
        server.put("pods", "mail-1", "test", **pod(sidecar(DB)))
        server.page_limit = 1

    own, other, everything = (ask(prepare, *way)[0] for way in ([], ["-n", "test"], ["-A"]))

    assert own.endswith("namespace prod: 1 of 1 pod with gate is held\n")
    assert other.endswith("namespace test: 1 of 1 pod with gate is held\n")
    assert everything.endswith("the cluster: 2 of 2 pods with gate are held\n")


def test_a_cluster_that_cannot_be_asked_is_another_exit_code(ask: Any) -> None:
    def prepare(server: Kubernetes) -> None:
        server.denied = {("list", "pods")}

    with pytest.raises(ClusterError) as refused:
        ask(prepare)

    assert refused.value.exit_code == 3
    assert str(refused.value) == (
        "may not list pods in namespace prod: RBAC lacks verb list on resource pods (core) "
        "for system:serviceaccount:prod:app"
    )


def test_the_command_ends_with_its_code(server_tls: ssl.SSLContext, tmp_path: Path) -> None:
    server = {"server": f"https://127.0.0.1:{free_port()}"}
    path = write_kubeconfig(tmp_path / "config", server, {"token": TOKEN})

    code, out, err = run_gate("status", "--kubeconfig", str(path))

    assert (code, out) == (3, "")
    assert err == "gate: API server: connection refused\n"
