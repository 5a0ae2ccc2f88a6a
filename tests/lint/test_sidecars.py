"""Who depends on a sidecar, who waits for it by himself, and what hooks hold."""

from __future__ import annotations

import json

import pytest

from tests.lint.building import APP, FIRST, Fields, env, messages, pod, rules_of, sidecar

SQL_PROXY = ["/cloud_sql_proxy", "-instances=p:r:i=tcp:0.0.0.0:3307"]
HOLDS_NOT = "sidecar-probe-does-not-hold"
NOTHING = "sidecar-holds-nothing"
NO_PROBE = "sidecar-without-startup-probe"
READY: Fields = {"tcpSocket": {"port": 80}}
NAMED = env("A", "http://localhost:80/")
SERVING: Fields = {**APP, "ports": [{"containerPort": 9090}]}


def probed(name: str = "agent", **fields: object) -> Fields:
    """Return a sidecar with a readiness probe and no startup probe."""
    return sidecar(name, startupProbe=None, readinessProbe=READY, **fields)


def bare(name: str = "agent", **fields: object) -> Fields:
    """Return a sidecar without a probe, listening on 80."""
    return sidecar(name, startupProbe=None, ports=[{"containerPort": 80}], **fields)


@pytest.mark.parametrize(
    ("one", "app", "rules"),
    [
        (probed(), APP, [HOLDS_NOT]),
        (probed(), SERVING, [NOTHING]),
        (probed(), {**SERVING, "env": [NAMED]}, [HOLDS_NOT]),
        (probed(args=["--upstream=http://localhost:9090"]), SERVING, []),
        (probed(args=["--upstream=http://localhost:9090"]), {**SERVING, "env": [NAMED]}, []),
        (probed(), {**SERVING, "command": ["wait4x", "tcp", "localhost:80"]}, []),
        (probed("vector"), APP, []),
        (probed("vector-db"), APP, [HOLDS_NOT]),
        (probed("statsd-exporter"), APP, []),
        (probed("vectordb"), APP, [HOLDS_NOT]),
        (probed("pgvector"), APP, [HOLDS_NOT]),
    ],
)
def test_a_readiness_probe_is_no_fault_where_nobody_depends(
    one: Fields, app: Fields, rules: list[str]
) -> None:
    assert rules_of(pod(one, main=(app,))) == rules


def test_a_daemon_that_listens_nowhere_is_nobody_s_dependency() -> None:
    liveness = {"exec": {"command": ["cat", "/alive"]}, "periodSeconds": 30}

    assert rules_of(pod(sidecar(startupProbe=None, livenessProbe=liveness))) == []


@pytest.mark.parametrize(
    "command",
    [
        ["gate", "wait", "tcp://localhost:80", "--", "app"],
        ["wait4x", "tcp", "localhost:80", "--", "app"],
        ["sh", "-c", "until nc -z localhost 80; do sleep 1; done; exec app"],
    ],
)
def test_a_main_container_may_wait_for_the_sidecar_itself(command: list[str]) -> None:
    waiting = {**APP, "command": command, "env": [NAMED]}
    other = {**APP, "name": "other", "env": [NAMED]}

    assert rules_of(pod(bare(), main=(waiting,))) == []
    assert rules_of(pod(probed(), main=(waiting,))) == []
    assert rules_of(pod(bare(), main=(waiting, other))) == [NO_PROBE]


def test_linkerd_await_waits_for_the_proxy() -> None:
    waiting = {**APP, "command": ["/linkerd-await", "--", "app"]}

    assert rules_of(pod(probed("linkerd-proxy"), main=(waiting,))) == []
    assert rules_of(pod(probed("linkerd-proxy"))) == [HOLDS_NOT]


SQL: Fields = {"args": ["--unix-socket=/csql/", "p:r:i"]}


@pytest.mark.parametrize(
    ("one", "variables", "rules"),
    [
        (bare(), [("X_HOST", "127.0.0.1"), ("X_PORT", "80")], [NO_PROBE]),
        (bare(), [("PGHOST", "localhost"), ("PGPORT", "80")], [NO_PROBE]),
        (bare(), [("X_HOST", "localhost"), ("X_PORT", "81")], [NOTHING]),
        (bare(), [("X_HOST", "db"), ("X_PORT", "80")], [NOTHING]),
        (bare(), [("X_HOST", "localhost")], [NOTHING]),
        (bare("cloud-sql-proxy"), [("DB_HOST", "127.0.0.1")], [NO_PROBE]),
        (bare("cloud-sql-proxy"), [("DB_HOST", "127.0.0.1"), ("DB_PORT", "7")], [NOTHING]),
        (bare("cloud-sql-proxy", **SQL), [("DB_HOST", "/csql/p:r:i")], [NO_PROBE]),
        (bare("cloud-sql-proxy", **SQL), [("DB_HOST", "/cloudsql/p")], [NOTHING]),
        (bare("c", image="redis:7"), [("REDIS_HOST", "localhost")], [NO_PROBE]),
        (bare("c", image="redis:7"), [("MYSQL_HOST", "localhost")], [NOTHING]),
        (bare("c", image="redis:7"), [("A", "redis://localhost:6379")], [NO_PROBE]),
    ],
)
def test_who_depends_is_seen_by_host_and_port_in_two_variables_or_by_the_socket(
    one: Fields, variables: list[tuple[str, str]], rules: list[str]
) -> None:
    app = {**APP, "env": [env(*each) for each in variables]}

    assert rules_of(pod(one, main=(app,))) == rules


def hooked(script: str, **fields: object) -> Fields:
    hook = {"postStart": {"exec": {"command": ["sh", "-c", script]}}}
    return {"name": "first", "image": "first", "lifecycle": hook, **fields}


LOOP = "until nc -z db 5432; do sleep 1; done"
ENDLESS = "poststart-without-end"
FAILS_OPEN = "poststart-in-main-container"


@pytest.mark.parametrize(
    ("script", "rules"),
    [
        (LOOP, [FAILS_OPEN, ENDLESS]),
        (f"timeout 60 sh -c '{LOOP}'", [FAILS_OPEN]),
        (f"({LOOP}; curl localhost:8080/init) &", []),
        (f"nohup sh -c '{LOOP}' >/dev/null 2>&1 &", []),
        ("cat hosts | while read l; do curl -s $l; done", []),
        ("(while true; do date; sleep 5; done) &", []),
    ],
)
def test_only_what_a_hook_waits_for_holds(script: str, rules: list[str]) -> None:
    assert rules_of(pod(FIRST, main=(hooked(script), APP))) == rules


def test_a_hook_of_the_last_container_holds_nobody() -> None:
    timed = f"timeout 60 sh -c '{LOOP}'"

    assert rules_of(pod(FIRST, main=(APP, hooked(timed)))) == []
    assert messages(pod(FIRST, main=(APP, hooked(LOOP)))) == [
        (
            "this runs without an end: while it loops the pod cannot be deleted, and neither "
            "probes nor logs work"
        )
    ]


@pytest.mark.parametrize(
    ("name", "rules"), [("linkerd-proxy", []), ("istio-proxy", [FAILS_OPEN]), ("x", [FAILS_OPEN])]
)
def test_a_mesh_s_own_proxy_waits_for_itself(name: str, rules: list[str]) -> None:
    script = "linkerd-await --timeout=2m"

    assert rules_of(pod(FIRST, main=(hooked(script, name=name), APP))) == rules


AMONG = "sidecar-among-main-containers"
WEB: Fields = {"name": "web", "image": "web", "ports": [{"containerPort": 80}]}
REDIS: Fields = {"name": "cache", "image": "redis:7"}
UDP: Fields = {"containerPort": 80, "protocol": "UDP"}


def using(port: int = 80, **fields: object) -> Fields:
    return {**APP, "env": [env("A", f"http://localhost:{port}/")], **fields}


@pytest.mark.parametrize(
    ("main", "rules"),
    [
        ((using(), WEB), [AMONG]),
        ((WEB, using()), [AMONG]),
        ((using(81), WEB), []),
        ((using(image="oauth2-proxy"), WEB), []),
        ((using(name="ntfy-sidecar"), WEB), []),
        ((using(name="configmap-reload"), WEB), []),
        ((using(name="checkout"), WEB), [AMONG]),
        ((using(name="async-worker"), WEB), [AMONG]),
        (({**APP, "args": ["--upstream-url=http://127.0.0.1:80"]}, WEB), []),
        (({**APP, "args": ["--url=http://127.0.0.1:80"]}, WEB), [AMONG]),
        ((using(6379, name="backup"), REDIS), []),
        ((using(), {**WEB, "ports": [UDP]}), []),
        ((using(), {**WEB, "ports": [UDP, {"containerPort": 80, "protocol": "TCP"}]}), [AMONG]),
        ((using(5432, name="backup"), {"name": "p", "image": "cloud-sql-proxy"}), [AMONG]),
        ((using(6379, name="sync-agent"), REDIS), [AMONG]),
        (({**APP, "env": [env("CORS_ORIGIN", "http://localhost:80")]}, WEB), []),
        ((using(6379), REDIS), [AMONG]),
        ((using(6379, image="oauth2-proxy"), REDIS), [AMONG]),
        ((using(6379, name="redis-exporter"), REDIS), []),
        ((using(6379), {**REDIS, "command": ["redis-cli", "monitor"]}), []),
        ((using(command=["wait4x", "tcp", "localhost:80", "--", "app"]), WEB), []),
        ((using(), {**WEB, "name": "fluent-bit"}), []),
        ((using(9901), {"name": "envoy", "image": "envoy"}), [AMONG]),
        ((APP, {"name": "sql", "image": "cloud-sql-proxy"}), [AMONG]),
        (({"name": "sql", "image": "cloud-sql-proxy"},), []),
        ((using(3307), {"name": "p", "image": "gce-proxy", "command": SQL_PROXY}), [AMONG]),
    ],
)
def test_a_main_container_that_another_one_needs_is_no_sidecar(
    main: tuple[Fields, ...], rules: list[str]
) -> None:
    assert rules_of(pod(main=main)) == rules


def test_a_hook_that_waits_holds_what_is_behind_it_and_not_what_is_in_front() -> None:
    waiting = hooked("timeout 60 sh -c 'until nc -z localhost 80; do sleep 1; done'")
    serving = {**waiting, "ports": [{"containerPort": 80}]}

    assert rules_of(pod(FIRST, main=(serving, using()))) == [FAILS_OPEN]
    assert rules_of(pod(FIRST, main=(using(), serving))) == [AMONG]


@pytest.mark.parametrize(
    ("annotations", "rules"), [({"dapr.io/enabled": "true"}, []), ({}, [AMONG])]
)
def test_what_an_injector_writes_is_where_the_injector_writes_it(
    annotations: dict[str, str], rules: list[str]
) -> None:
    text = pod(main=(using(3500), {"name": "daprd", "image": "daprd"}))
    name = json.dumps({"name": "shop", "annotations": annotations})

    assert rules_of(text.replace('{"name": "shop"}', name)) == rules


PROXY: Fields = {"name": "istio-proxy", "image": "proxyv2", "args": ["proxy", "sidecar"]}
HELD: Fields = {**PROXY, "lifecycle": {"postStart": {"exec": {"command": ["pilot-agent", "wait"]}}}}


@pytest.mark.parametrize(
    ("main", "rules"),
    [((APP, PROXY), [AMONG]), ((PROXY, APP), [AMONG]), ((HELD, APP), []), ((APP, HELD), [AMONG])],
)
def test_all_traffic_goes_to_a_mesh_s_proxy_that_may_not_be_up(
    main: tuple[Fields, ...], rules: list[str]
) -> None:
    redirecting = {"name": "istio-init", "image": "proxyv2", "args": ["istio-iptables"]}

    assert rules_of(pod(redirecting, main=main)) == rules
    assert rules_of(pod(FIRST, main=main)) == []


def test_what_a_mesh_is_told_to_leave_alone_needs_no_proxy() -> None:
    redirecting = {"name": "linkerd-init", "image": "proxy-init"}
    text = pod(redirecting, main=(APP, {"name": "linkerd-proxy", "image": "proxy"}))
    skipping = '"annotations": {"config.linkerd.io/skip-subnets": "10.0.0.0/8"}, "name": "shop"'

    assert rules_of(text) == [AMONG]
    assert rules_of(text.replace('"name": "shop"', skipping)) == []


@pytest.mark.parametrize(
    "note", ["traffic.sidecar.istio.io/excludeOutboundPorts", "proxy.istio.io/config"]
)
def test_a_pod_that_tells_istio_s_injector_something_is_written_by_it(note: str) -> None:
    text = pod({"name": "istio-init", "image": "proxyv2", "args": ["x"]}, main=(APP, PROXY))
    told = f'"annotations": {{"{note}": "80"}}, "name": "shop"'

    assert rules_of(text.replace('"name": "shop"', told)) == []


def test_nobody_connects_to_a_udp_port() -> None:
    daemon = {"name": "xray-daemon", "image": "xray", "restartPolicy": "Always", "ports": [UDP]}

    assert rules_of(pod(daemon, main=(using(),))) == []
