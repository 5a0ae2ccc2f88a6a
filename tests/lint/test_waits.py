"""What is taken for a wait, what it waits for, and whether that can ever come."""

from __future__ import annotations

import pytest

from gate.lint import commands
from gate.lint.commands import Place
from tests.lint.building import APP, env, gate, init, messages, pod, rules_of, sidecar

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
    ],
)
def test_a_wait_is_known_and_what_it_waits_for(
    words: list[str], places: list[tuple[str, int]]
) -> None:
    assert commands.is_wait(words)
    assert commands.places(words) == [Place(*place) for place in places]


@pytest.mark.parametrize(
    "words",
    [
        ["sh", "-c", "curl -o /data/x http://files/x"],
        ["python", "manage.py", "migrate"],
        ["sh", "-c", "for f in a b; do cp $f /x; done"],
        [],
    ],
)
def test_what_ends_by_itself_is_no_wait(words: list[str]) -> None:
    assert not commands.is_wait(words)


@pytest.mark.parametrize(
    ("words", "image", "never"),
    [
        (["sh", "-c", "tail -f /dev/null"], "", True),
        (["tail", "-n", "0", "-F", "x"], "", True),
        (["sleep", "infinity"], "", True),
        (["sh", "-c", "while true; do date; sleep 1; done"], "", True),
        (["sh", "-c", "while true; do nc -z a 1 && break; sleep 1; done"], "", False),
        (["sh", "-c", "tail -f log & migrate"], "", False),
        (["sh", "-c", "sleep 5; tail -n 3 x"], "", False),
        (["nginx"], "nginx", True),
        (["nginx", "-t"], "nginx", False),
        ([], "nginx", True),
        ([], "migrate", False),
        (["istio-iptables"], "proxyv2", False),
        (["proxy", "sidecar"], "proxyv2", True),
    ],
)
def test_what_runs_until_it_is_killed(words: list[str], image: str, never: object) -> None:
    assert commands.ends_never(words, image) is never


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
        ("http://shop:8080/", '"spec": {"selector": {"app": "else"}}', []),
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
