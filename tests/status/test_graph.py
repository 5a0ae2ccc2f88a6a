"""Who waits for whom: names to Services to workloads, across namespaces, and circles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gate.status import graph
from gate.status.graph import Count, Edge
from gate.status.seen import Workload
from gate.status.services import Place, places_of
from tests.checks.servers.kubernetes import Kubernetes
from tests.process import GateProcess
from tests.status.world import APP, gate_status, pod, sidecar

READY = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
ORDERS = "orders http://orders:8080/ready"
SHOP = "shop http://shop.prod.svc:8080/ready"


@pytest.mark.parametrize(
    ("host", "places"),
    [
        ("db", [Place("db", "own", is_sure=True)]),
        ("DB.", [Place("db", "own", is_sure=True)]),
        ("db.prod", [Place("db", "prod", is_sure=False), Place("prod", "own", is_sure=False)]),
        ("db.prod.svc", [Place("db", "prod", is_sure=True)]),
        ("db.prod.svc.cluster.local.", [Place("db", "prod", is_sure=True)]),
        ("db-0.db.prod.svc.cluster.local", [Place("db", "prod", is_sure=True)]),
        ("db.example.com", []),
        ("10.0.0.1", []),
        ("::1", []),
        ("a.../../x", []),
        ("", []),
    ],
)
def test_a_host_means_what_the_cluster_s_dns_makes_of_it(host: str, places: list[Place]) -> None:
    assert places_of(host, "own") == places


A, B, C, D = (Workload("prod", "deployment", name) for name in "abcd")


def edge(start: Workload, end: Workload, *, pending: bool = True, required: bool = True) -> Edge:
    return Edge(start=start, end=end, name="x", is_pending=pending, is_required=required)


def circles(*edges: Edge, ready: int = 0) -> list[tuple[str, bool]]:
    count = dict.fromkeys((A, B, C, D), Count(pods=2, held=1, ready=ready))
    found = graph.cycles(edges, count)
    return [("".join(one.name for one in each.workloads), each.is_stuck) for each in found]


def test_circles_are_found_the_stuck_ones_first() -> None:
    assert circles(edge(A, B), edge(B, C), edge(C, D)) == []
    assert circles(edge(A, B), edge(B, A), edge(B, C)) == [("ab", True)]
    assert circles(edge(A, A)) == [("a", True)]
    assert circles(edge(A, B), edge(A, C), edge(B, D), edge(C, D), edge(D, A)) == [
        ("abd", True),
        ("cda", True),
    ]
    assert circles(edge(A, B), edge(B, C), edge(C, B), edge(C, A)) == [("abc", True)]
    assert circles(edge(B, C), edge(C, B), edge(A, D, pending=False), edge(D, A)) == [
        ("bc", True),
        ("ad", False),
    ]


def test_what_can_be_done_without_makes_no_circle_and_what_is_ready_is_not_stuck() -> None:
    assert circles(edge(A, B), edge(B, A, required=False)) == []
    assert circles(edge(A, B), edge(B, A), ready=1) == [("ab", False)]


@pytest.fixture(scope="module")
def gates() -> Iterator[dict[str, GateProcess]]:
    """Two gates that wait for each other."""
    with (
        GateProcess("serve", env={"GATE_DEPENDENCIES": ORDERS}) as shop,
        GateProcess("serve", env={"GATE_DEPENDENCIES": SHOP}) as orders,
    ):
        for one in (shop, orders):
            one.until("event")
        yield {"shop-1": shop, "orders-1": orders}


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"spec": {"selector": {"app": name}, **spec}}


def held_in_a_circle(server: Kubernetes, gates: dict[str, GateProcess]) -> None:
    for name, line in (("shop", ORDERS), ("orders", SHOP)):
        server.put("pods", f"{name}-1", **pod(sidecar(line), workload=name))
        server.put("services", name, **service(name))
        server.pod_ports["prod", f"{name}-1", 4283] = gates[f"{name}-1"].port


def test_two_that_wait_for_each_other_are_told(ask: Any, gates: dict[str, GateProcess]) -> None:
    def prepare(server: Kubernetes) -> None:
        held_in_a_circle(server, gates)

    text, code = ask(prepare)
    document = json.loads(ask(prepare, "-o", "json")[0])
    dot = ask(prepare, "-o", "dot")[0]

    shop, orders = "prod/deployment/shop", "prod/deployment/orders"
    assert code == 1
    assert f"-> {orders}: 0 of 1 ready, 1 held\n" in text
    assert f"cycle: {orders} -> {shop} -> {orders}: each is held for the next one, so" in text
    assert document["cycles"] == [{"workloads": [orders, shop], "stuck": True}]
    assert {(each["from"], each["to"], each["pending"]) for each in document["edges"]} == {
        (shop, orders, True),
        (orders, shop, True),
    }
    assert [each["held"] for each in document["workloads"]] == [1, 1]
    (need,) = document["held"][0]["dependencies"]
    assert (need["via"], need["required"]) == ("service orders in namespace prod", True)
    assert (
        f'"{shop}" -> "{orders}" [label="orders", style=solid, color="#c0392b", penwidth=2];' in dot
    )
    assert dot.startswith("digraph gate {")
    assert dot.count("{") == dot.count("}")


def test_what_is_written_in_a_circle_is_told_while_all_is_well(ask: Any) -> None:
    def prepare(server: Kubernetes) -> None:
        for name, line in (("shop", ORDERS), ("orders", SHOP)):
            opened = pod(sidecar(line), gate_status(started=True), workload=name)
            server.put("pods", f"{name}-1", **opened)
            server.put("services", name, **service(name))

    text, code = ask(prepare)

    assert code == 0
    assert "not stuck now, but none can start when all start anew\n" in text
    assert "style=dashed" in ask(prepare, "-o", "dot")[0]


LEADS = {
    "db tcp://db:5432": "-> prod/deployment/db: 1 of 1 ready",
    "db tcp://10.96.0.7:5432": "-> prod/deployment/db: 1 of 1 ready",
    "db tcp://db.prod:5432": "-> prod/deployment/db: 1 of 1 ready",
    "db postgresql://db-0.db.prod.svc,none/x": "db: 1 of 1 ready, -> no service none",
    "db tcp://outside:5432": "unknown\n",
    "db tcp://nobody:5432": "-> service nobody in namespace prod selects no pod\n",
    "db tcp://db.example.com:5432": "unknown\n",
    "db tcp://localhost:5432": "unknown\n",
    "db k8s:service/db": "-> prod/deployment/db: 1 of 1 ready",
    "db k8s:service/none": "-> no service none in namespace prod\n",
    "db k8s:deployment/db": "-> prod/deployment/db: 1 of 1 ready",
    "db k8s:job/migrate": "-> no pod of job/migrate in namespace prod\n",
    "db k8s:pod/db-1": "-> prod/deployment/db: 1 of 1 ready",
    "db k8s:pod?selector=app=db": "-> prod/deployment/db: 1 of 1 ready",
    "db k8s:secret/db": "unknown\n",
    "db tcp://mail.test:25": "-> test/deployment/mail: 0 of 1 ready, 1 held\n",
    "db k8s:deployment/mail namespace=test": "-> test/deployment/mail: 0 of 1 ready, 1 held\n",
    "db tcp://mail.none.svc:25": "-> no service mail in namespace none\n",
}


@pytest.mark.parametrize("line", LEADS)
def test_a_dependency_leads_to_the_workload_behind_it(ask: Any, line: str) -> None:
    def prepare(server: Kubernetes) -> None:
        server.put("pods", "shop-1", **pod(sidecar(line)))
        server.put("pods", "db-1", **pod(APP, workload="db", status=READY))
        server.put("pods", "mail-1", "test", **pod(sidecar("x tcp://y:1"), workload="mail"))
        server.put("services", "db", **service("db", clusterIP="10.96.0.7", clusterIPs=None))
        server.put("services", "nobody", **service("nobody", clusterIP="None"))
        server.put("services", "outside", spec={"type": "ExternalName"})
        server.put("services", "mail", "test", **service("mail"))

    assert LEADS[line] in ask(prepare)[0]


def test_services_that_may_not_be_seen_are_told_of_and_none_is_said_to_be_missing(ask: Any) -> None:
    def prepare(server: Kubernetes) -> None:
        server.put("pods", "shop-1", **pod(sidecar("db tcp://db:5432\nd k8s:deployment/x")))
        server.denied = {("list", "services")}

    text, _ = ask(prepare)

    assert "not looked at: may not list services in namespace prod: RBAC lacks verb list" in text
    assert "no service" not in text


def test_another_namespace_that_may_not_be_seen_is_told_of_where_it_is_surely_one(ask: Any) -> None:
    def prepare(server: Kubernetes) -> None:
        lines = "a tcp://mail.test.svc:25\nb tcp://db.example:5432"
        server.put("pods", "shop-1", **pod(sidecar(lines)))
        server.denied_in = {("list", "pods", "test"), ("list", "pods", "example")}

    text, _ = ask(prepare)

    assert "not looked at: may not list pods in namespace test:" in text
    assert "namespace example" not in text


def test_what_is_missing_is_a_node_of_the_graph_and_names_cannot_break_it(ask: Any) -> None:
    evil = json.dumps(
        {
            "pending": [],
            "dependencies": [{"name": 'a"];\\', "url": "tcp://db:1", "state": "waiting"}],
        }
    )

    def prepare(server: Kubernetes) -> None:
        server.put("pods", "shop-1", **pod(sidecar("db tcp://db:1")))
        server.pod_ports["prod", "shop-1", 4283] = evil.encode()

    dot = ask(prepare, "-o", "dot")[0]

    assert '-> "no service db in namespace prod" [label="a\\"];\\\\"];\n' in dot
    assert not re.search(r'(?<!\\)"\];.*"\];', dot.replace('\\"', ""))


def test_what_is_waited_for_in_the_end_is_told_once(ask: Any) -> None:
    """Two wait for the database, one of them holds a third."""

    def told(*names: str) -> bytes:
        needs = [
            {"name": name, "url": f"tcp://{name}:1", "state": "waiting", "reason": "refused"}
            for name in names
        ]
        started = {"time": datetime.now(UTC).isoformat()}
        return json.dumps({"pending": names, "dependencies": needs, "started": started}).encode()

    def prepare(server: Kubernetes) -> None:
        for name, needs in (("shop", ("orders", "db")), ("orders", ("db",)), ("mail", ("shop",))):
            server.put("pods", f"{name}-1", **pod(sidecar("x tcp://x:1"), workload=name))
            server.put("services", name, **service(name))
            server.pod_ports["prod", f"{name}-1", 4283] = told(*needs)

    text, _ = ask(prepare)
    document = json.loads(ask(prepare, "-o", "json")[0])

    assert "waited for in the end:\n  tcp://db:1  refused  holds 2 pods\n" in text
    assert re.search(r"shop-1  held for \d+s\n", text)
    assert document["roots"] == [{"url": "tcp://db:1", "reason": "refused", "pods": 2}]
