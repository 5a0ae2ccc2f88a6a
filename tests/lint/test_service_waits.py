"""Waits for Services at which nobody can answer, and for those at which somebody may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lint.building import APP, Fields, env, gate, init, messages, pod, rules_of

CLOSED, EMPTY = "waits-for-closed-port", "waits-for-empty-service"
LABELS: Fields = {"app": "db"}
SQL: Fields = {"port": 5432}
MOVED: Fields = {"port": 15432, "targetPort": 5432}


def service(*ports: Fields, **spec: Any) -> str:
    whole = {"selector": LABELS, "ports": list(ports), **spec}
    return json.dumps(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": whole}
    )


def database(**container: Any) -> str:
    labelled = json.dumps({"name": "db", "labels": LABELS})
    return pod(main=({**APP, **container},)).replace('{"name": "shop"}', labelled)


def asking(script: str, **fields: Any) -> str:
    return pod(init("sh", "-c", f"until {script}; do sleep 1; done", **fields))


def headless(*ports: Fields) -> str:
    return service(*ports, clusterIP="None")


@pytest.mark.parametrize(
    ("made", "wait"),
    [
        (service(MOVED), asking("nc -z db 5432")),
        (service(SQL), asking("pg_isready -h db -p 6432")),
        (service(MOVED), asking("pg_isready -h db")),
        (service(SQL), asking("pg_isready -h db", env=[env("PGPORT", "6432")])),
        (service(SQL), asking("curl -fs http://db/")),
        (service(SQL), asking("nc -z db.default.svc 80")),
        (service(SQL), pod(gate(env("GATE_DEPENDENCIES", "tcp://db:80")))),
        (service(SQL), pod(main=({**APP, "command": ["wait4x", "tcp", "db:80", "--", "app"]},))),
        (headless(MOVED), asking("nc -z db 15432")),
    ],
)
def test_a_port_that_nobody_forwards_is_told(made: str, wait: str) -> None:
    assert CLOSED in rules_of(database(), made, wait)


@pytest.mark.parametrize(
    ("made", "wait"),
    [
        (service(MOVED, SQL), asking("nc -z db 5432")),
        (service(), asking("nc -z db 5432")),
        (service(MOVED), asking("nc -z db 5432 || nc -z db 15432")),
        (service(MOVED), asking("nc -z elsewhere 5432")),
        (service(MOVED), asking("nc -z db.example.com 5432")),
        (service(MOVED), asking("pg_isready -h db", env=[{"name": "PGPORT", "valueFrom": {}}])),
        (service(MOVED), asking("pg_isready -h db", envFrom=[{"secretRef": {"name": "db"}}])),
        (service(MOVED), pod(gate(env("GATE_DEPENDENCIES", "http://db/")))),
        (service(MOVED, type="ExternalName", externalName="x"), asking("nc -z db 5432")),
        (headless(MOVED), asking("nc -z db 5432")),
        (headless(MOVED), asking("nc -z db 9999")),
        (headless({"port": 80, "targetPort": "web"}), asking("nc -z db 80")),
        (headless({"targetPort": 80}), asking("nc -z db 80")),
    ],
)
def test_a_port_that_may_answer_is_let_be(made: str, wait: str) -> None:
    assert CLOSED not in rules_of(database(), made, wait)


def test_a_service_that_is_written_for_two_stages_has_the_ports_of_both() -> None:
    wait = asking("nc -z db 5432")

    assert CLOSED not in rules_of(database(), service(SQL), service(MOVED), wait)
    assert CLOSED not in rules_of(database(), headless(SQL), service(MOVED), wait)
    assert CLOSED in rules_of(database(), service(MOVED), service({"port": 80}), wait)


def test_the_pods_of_a_headless_service_may_listen_on_both() -> None:
    both = database(ports=[{"containerPort": 15432}])

    assert CLOSED not in rules_of(both, headless(MOVED), asking("nc -z db 15432"))


def test_the_ports_that_there_are_are_named() -> None:
    (told,) = messages(database(), service(MOVED, {"port": 80}), asking("nc -z db 5432"))

    assert told == "its command waits for port 5432 of the Service db, which has only 80, 15432"


WAIT = asking("nc -z db 5432 && nc -z db.default 5432")


@pytest.mark.parametrize(
    ("inputs", "rules"),
    [
        ((service(SQL), WAIT), [EMPTY]),
        ((service(SQL), WAIT, pod()), [EMPTY]),
        ((service(SQL), WAIT, database()), []),
        ((service(SQL, selector={}), WAIT), []),
        ((service(SQL, type="ExternalName", externalName="x"), WAIT), []),
        ((WAIT,), []),
    ],
)
def test_a_service_that_selects_nobody_is_told_once(
    inputs: tuple[str, ...], rules: list[str]
) -> None:
    assert rules_of(*inputs) == rules
    assert len(messages(*inputs)) == len(rules)
