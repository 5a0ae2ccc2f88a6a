"""What is taken for a wait, what it waits for, and whether that can ever come."""

from __future__ import annotations

import pytest

from gate.pods import commands
from gate.pods.commands import Place
from tests.lint.building import (
    APP,
    Fields,
    env,
    gate,
    init,
    messages,
    pod,
    rules_of,
    secret,
    sidecar,
)

EITHER = "tcp://localhost:8080 any=x; tcp://db:1 any=x"
NEITHER = "tcp://localhost:8080 any=x; tcp://localhost:8081 any=x"
IF_UP = "if nc -z db 1; then exit 0; fi"
PYTHON = """
import socket, time
while True:
    try:
        socket.create_connection(("db", 5432), 3).close()
        break
    except OSError:
        time.sleep(1)
"""
OWN_PORT = [{"containerPort": 4283}]
WEB = {**APP, "ports": [{"containerPort": 8080}]}
SHOP = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}, %s}'


@pytest.mark.parametrize(
    ("words", "places"),
    [
        (["wait4x", "tcp", "db:5432", "--timeout", "2m"], [("db", 5432)]),
        (["wait4x", "http", "https://api.example.com/up"], [("api.example.com", 443)]),
        (["dockerize", "-wait", "tcp://db:5432", "-timeout", "1m"], [("db", 5432)]),
        (["/wait-for-it.sh", "db:5432", "--", "run"], [("db", 5432)]),
        (["sh", "-c", "until nc -z -w 2 db 5432; do sleep 1; done"], [("db", 5432)]),
        (["sh", "-c", "while ! curl -sf http://localhost/; do :; done"], [("localhost", 80)]),
        (["sh", "-c", "until pg_isready -h db -U app; do sleep 1; done"], [("db", 5432)]),
        (["sh", "-c", "until pg_isready; do sleep 1; done"], [("localhost", 5432)]),
        (["sh", "-c", 'until pg_isready -h "$H"; do sleep 1; done'], []),
        (["bash", "-ec", "until echo > /dev/tcp/db/1; do sleep 1; done"], [("db", 1)]),
        (["sh", "-c", "until redis-cli -h r -p 7 ping; do :; done"], [("r", 7)]),
        (["sh", "-c", "curl --retry 9 http://u:p@[::1]:81/"], [("::1", 81)]),
        (["sh", "-c", "until nc -z ${HOST} ${PORT}; do sleep 1; done"], []),
        (["sh", "-c", "# curl http://no/\nuntil nc -z db 1; do :; done"], [("db", 1)]),
        (["sh", "-c", "until pg_isready \\\n -h db \\\n -p 1; do :; done"], [("db", 1)]),
        (["sh", "-c", "until pg_isready -h 'db'; do :; done"], [("db", 5432)]),
        (["sh", "-c", "until pg_isready -d postgresql://u:p@db/x; do :; done"], [("db", 5432)]),
        (["sh", "-c", "until pg_isready -d 'host=db port=1'; do :; done"], [("db", 1)]),
        (["sh", "-c", "until pg_isready -U u -d app; do :; done"], [("localhost", 5432)]),
        (["sh", "-c", "until pg_isready -h /run/pg; do :; done"], []),
        (["sh", "-c", "until PGHOST=db pg_isready; do :; done"], [("db", 5432)]),
        (["sh", "-c", "until redis-cli -u redis://c:1; do :; done"], [("c", 1)]),
        (["sh", "-c", 'until [ "$(redis-cli -h "c" ping)" = PONG ]; do :; done'], [("c", 6379)]),
        (["sh", "-c", "until mysqladmin -hdb -p3 ping; do :; done"], [("db", 3306)]),
        (["sh", "-c", "until mysqladmin --defaults-extra-file=/x ping; do :; done"], []),
        (["sh", "-c", "until psql -c 'select 1'; do :; done"], []),
        (["sh", "-c", "U=http://db:1/; while ! curl -f $U; do :; done"], [("db", 1)]),
        (["sh", "-c", "echo curl http://no/; until nc -z db 1; do :; done"], [("db", 1)]),
        (
            ["sh", "-c", "cat >x <<'E'\ncurl http://no/\nE\nuntil nc -z db 1; do :; done"],
            [("db", 1)],
        ),
        (["dockerize", "-wait", "tcp://db:1", "app", "http://no/"], [("db", 1)]),
        (["wait-for-it", "db:81", "--", "app", "no:82"], [("db", 81)]),
        (["sh", "-c", "until curl -H 'Origin: http://no' db:81; do :; done"], [("db", 81)]),
        (["sh", "-c", "until curl http://$HOST:81/; do :; done"], []),
        (["sh", "-c", "until curl http://db:port/; do :; done"], []),
        (["timeout", "9", "sh", "-c", "until nc -z db 1; do :; done"], [("db", 1)]),
        (["sh", "-c", "until mongo --host db --eval 1; do :; done"], [("db", 27017)]),
        (["sh", "-c", "until mongosh --host db --port 9; do :; done"], [("db", 9)]),
        (["sh", "-c", "until mongosh --host db --port $P; do :; done"], [("db", None)]),
        (["sh", "-c", "until mongo --host $DB; do :; done"], []),
        (["sh", "-c", "until cqlsh db 9042 -e x; do :; done"], [("db", 9042)]),
        (["sh", "-c", "until telnet db 5432; do :; done"], [("db", 5432)]),
        (["sh", "-c", "until netcat -z db 5432; do :; done"], [("db", 5432)]),
        (
            ["sh", "-c", "until kafka-topics.sh --bootstrap-server k:9092; do :; done"],
            [("k", 9092)],
        ),
        (["sh", "-c", "until grpc_health_probe -addr=api:50051; do :; done"], [("api", 50051)]),
        (["sh", "-c", "until mariadb-admin ping -h db; do :; done"], [("db", 3306)]),
        (["sh", "-c", "until valkey-cli -h c ping; do :; done"], [("c", 6379)]),
        (["sh", "-c", "until timeout 1 bash -c '</dev/tcp/db/1'; do :; done"], [("db", 1)]),
        (["sh", "-c", "until ping -c1 db; do :; done"], []),
        (["cub", "kafka-ready", "-b", "kafka:9092", "1", "60"], [("kafka", 9092)]),
        (["sh", "-c", "for i in 1 2; do nc -z db 1 && break; sleep 1; done"], [("db", 1)]),
        (["sh", "-c", "for i in 1 2; do nc -z a 1 && exit 0; sleep 1; done"], [("a", 1)]),
        (["sh", "-c", f"for i in 1 2; do {IF_UP}; sleep 1; done; exit 1"], [("db", 1)]),
        (["bash", "-c", f"for ((i=0; i<9; i++)); do {IF_UP}; sleep 1; done"], [("db", 1)]),
        (["python", "-c", PYTHON], [("db", 5432)]),
        (["sh", "-c", "python3 -c 'for _ in range(9): urlopen(\"http://db:1/\")'"], [("db", 1)]),
        (["python", "-c", "while True: s.connect((HOST, PORT))"], []),
    ],
)
def test_a_wait_is_known_and_what_it_waits_for(
    words: list[str], places: list[tuple[str, int | None]]
) -> None:
    assert commands.is_wait(words)
    assert commands.needs(words) == [(Place(*place),) for place in places]


@pytest.mark.parametrize(
    "words",
    [
        ["sh", "-c", "curl -o /data/x http://files/x"],
        ["python", "manage.py", "migrate"],
        ["python", "-c", "import socket; socket.create_connection(('db', 1))"],
        ["python", "-c"],
        ["sh", "-c", "for f in a b; do cp $f /x; done"],
        ["sh", "-c", "for f in a b; do curl -d $f http://db:1/; sleep 1; done; exit 0"],
        ["sh", "-c", "for f in a b; do nc -z db 1 && exit 1; done"],
        ["sh", "-c", "(for i in 1 2; do nc -z db 1 && break; sleep 1; done) &"],
        ["sh", "-c", "cat x | while read l; do curl $l; done"],
        ["sh", "-c", "(until curl db; do sleep 1; done; curl db/init) &"],
        ["sh", "-c", "nohup sh -c 'until curl db; do sleep 1; done' >/dev/null 2>&1 &"],
        [],
    ],
)
def test_what_ends_by_itself_or_is_not_waited_for_is_no_wait(words: list[str]) -> None:
    assert not commands.is_wait(words)


@pytest.mark.parametrize(
    ("script", "is_bounded"),
    [
        (PYTHON, False),
        (PYTHON.replace("while True", "while time.monotonic() < end"), True),
        (PYTHON.replace("while True", "for _ in range(60)"), True),
        (PYTHON.replace("time.sleep(1)", "sys.exit(1)"), True),
        (PYTHON.replace("break", "sys.exit(0)"), False),
    ],
)
def test_a_python_gives_up_or_does_not(script: str, is_bounded: object) -> None:
    assert commands.is_bounded(["python3", "-c", script]) is is_bounded
    assert commands.is_bounded(["timeout", "60", "python3", "-c", script])


@pytest.mark.parametrize(
    "text",
    [
        pod(init("wait4x", "tcp", "localhost:8080"), main=(WEB,)),
        pod(init("wait4x", "tcp", "127.0.0.1:9999")),
        pod(
            {"name": "w", "image": "wait4x/wait4x:3", "args": ["tcp", "localhost:8080"]},
            main=(WEB,),
        ),
        pod(gate(env("GATE_DEPENDENCIES", "tcp://localhost:8080")), main=(WEB,)),
        pod(
            gate(env("GATE_DEPENDENCIES", "sidecar:dapr")),
            main=(APP, {"name": "daprd", "image": "daprd"}),
        ),
        pod(init("gate", "wait", "tcp://localhost:8080"), main=(WEB,)),
        pod(gate(env("GATE_DEPENDENCIES", NEITHER)), main=(WEB,)),
    ],
)
def test_what_starts_only_later_is_waited_for_in_vain(text: str) -> None:
    assert "waits-for-later" in rules_of(text)


@pytest.mark.parametrize(
    "text",
    [
        pod(init("wait4x", "tcp", "db:8080"), main=(WEB,)),
        pod(sidecar(), init("wait4x", "tcp", "localhost:7777"), main=(WEB,)),
        pod(init("wait4x", "http", "http://localhost:15021/healthz/ready")),
        pod(init("sh", "-c", "redis-server & until nc -z localhost 6379; do sleep 1; done")),
        pod(gate(env("GATE_DEPENDENCIES", "tcp://localhost:8080 until=down")), main=(WEB,)),
        pod(
            gate(env("GATE_DEPENDENCIES", "a tcp://localhost:8080 optional; tcp://db:1")),
            main=(WEB,),
        ),
        pod(gate(env("GATE_DEPENDENCIES", "sidecar:istio"))),
        pod(init("wait4x", "tcp", "localhost:6443"), hostNetwork=True),
        pod(
            gate(env("GATE_DEPENDENCIES", "tcp://localhost:8080"), ports=OWN_PORT),
            main=(WEB,),
            hostNetwork=True,
        ),
        pod(gate(env("GATE_DEPENDENCIES", EITHER)), main=(WEB,)),
        pod(gate(env("GATE_DEPENDENCIES", "redis://localhost:8080,db:8080")), main=(WEB,)),
        pod(init("sh", "-c", "until nc -z localhost 8080 || nc -z db 1; do :; done"), main=(WEB,)),
        pod(
            gate(env("GATE_DEPENDENCIES", "tcp://localhost:8080"), env("GATE_DISABLED", "a test")),
            main=(WEB,),
        ),
    ],
)
def test_what_may_come_is_let_be(text: str) -> None:
    assert rules_of(text) == []


@pytest.mark.parametrize(
    ("target", "selector", "rules"),
    [
        ("http://shop:8080/", '"spec": {"selector": {"app": "shop"}}', ["waits-for-own-service"]),
        (
            "http://shop.default.svc:1/",
            '"spec": {"selector": {"app": "shop"}}',
            ["waits-for-own-service"],
        ),
        ("k8s:service/shop", '"spec": {"selector": {"app": "shop"}}', ["waits-for-own-service"]),
        ("http://other:8080/", '"spec": {"selector": {"app": "shop"}}', []),
        ("http://shop:8080/", '"spec": {"selector": {"app": "else"}}', ["waits-for-empty-service"]),
        ("http://shop:8080/", '"spec": {}', []),
    ],
)
def test_the_own_service_is_that_which_selects_the_pod(
    target: str, selector: str, rules: list[str]
) -> None:
    text = pod(gate(env("GATE_DEPENDENCIES", target)))
    labelled = text.replace('{"name": "shop"}', '{"name": "shop", "labels": {"app": "shop"}}')

    assert rules_of(labelled, SHOP % selector) == rules


def test_the_message_names_what_is_waited_for_and_where_it_is() -> None:
    (message,) = messages(pod(gate(env("GATE_DEPENDENCIES", "tcp://localhost:8080")), main=(WEB,)))

    assert message == (
        "gate waits for localhost:8080, which is the container app, started only after this, "
        "so neither of the two will ever go on"
    )


POSTGRES = {**APP, "ports": [{"containerPort": 5432}]}


@pytest.mark.parametrize(
    ("script", "fields", "rules"),
    [
        ("until pg_isready; do sleep 1; done", {}, ["waits-for-later"]),
        ("until pg_isready; do sleep 1; done", {"env": [env("PGHOST", "primary")]}, []),
        ("until pg_isready; do sleep 1; done", {"env": [secret("PGHOST")]}, []),
        ("until pg_isready; do sleep 1; done", {"envFrom": [{"secretRef": {"name": "x"}}]}, []),
        ("pg_ctl -w start; until pg_isready; do sleep 1; done", {}, []),
        ("su postgres -c 'pg_ctl start'; until pg_isready; do sleep 1; done", {}, []),
        ("service postgresql start; until pg_isready; do sleep 1; done", {}, []),
        ("mysqld --daemonize; until nc -z localhost 5432; do sleep 1; done", {}, []),
        ("redis-server --daemonize yes; until nc -z localhost 5432; do :; done", {}, []),
        ("postgres & until pg_isready; do sleep 1; done", {}, []),
    ],
)
def test_a_replica_may_wait_for_another_or_for_what_it_has_started(
    script: str, fields: Fields, rules: list[str]
) -> None:
    assert rules_of(pod(init("sh", "-c", script, **fields), main=(POSTGRES,))) == rules
