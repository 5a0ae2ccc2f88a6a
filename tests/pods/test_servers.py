"""What runs until it is killed, and what only looks so."""

from __future__ import annotations

import pytest

from gate.pods import servers
from tests.lint.building import APP, Fields, init, pod, rules_of


@pytest.mark.parametrize(
    "script",
    [
        "tail -f /dev/null",
        "touch x && exec tail -F x",
        "sleep infinity",
        "trap 'exit 0' TERM; while true; do date; sleep 1; done",
        "while :\ndo\n date\ndone",
        "mkdir x || true; nginx -g 'daemon off;'",
        "exec cloud-sql-proxy --port=5432 inst",
        "until nc -z db 1; do sleep 1; done; tail -f log",
        "echo $(date) 'a; b' > x\n# nothing\ntail -f x > y 2>&1",
    ],
)
def test_a_script_that_never_ends(script: str) -> None:
    assert servers.ends_never(["sh", "-c", script], [], "")


@pytest.mark.parametrize(
    "script",
    [
        "tail -f log & migrate",
        "sleep 5; tail -n 3 x",
        "timeout 20 tail -f log || true",
        "timeout -s KILL 20 sh -c 'tail -f log'",
        "tail -f log | grep -q -m1 ready",
        "tail --pid=7 -f log",
        "echo 'use tail -f log' > README",
        'echo "tail -f log"; echo sleep infinity',
        "cat > run.sh <<'EOF'\nwhile true; do date; done\nEOF\nchmod +x run.sh",
        "cat > run.sh <<-EOF\n\ttail -f x\n\tEOF\nls",
        "w() { while true; do if nc -z $1 $2; then return 0; fi; sleep 1; done }; w db 5432",
        "function w { tail -f x; }; date",
        "while true; do nc -z a 1 && break; sleep 1; done",
        "while true; do nc -z a 1 && exec true; sleep 1; done",
        "while true; do nc -z a 1 && kill -TERM $$; sleep 1; done",
        "out() { exit 0; }; while true; do nc -z a 1 && out; sleep 1; done",
        "(while true; do date; sleep 1; done) &",
        "while true; do date; sleep 1; done | head -3",
        "migrate || sleep infinity",
        "migrate || { echo failed; sleep infinity; }",
        '[ -n "$DEBUG" ] && sleep infinity; migrate',
        'if [ -n "$DEBUG" ]; then sleep infinity; fi; migrate',
        'if [ -n "$DEBUG" ]; then while true; do date; done; fi; migrate',
        "case $1 in a) tail -f x ;; esac; migrate",
        "A=(tail -f x); migrate",
        "command -v redis-server; sudo -u postgres createdb x",
        "nginx",
        "for i in 1 2; do sleep 1; done",
        "sh -c",
        'eval "$(',
        "",
    ],
)
def test_a_script_that_ends(script: str) -> None:
    assert not servers.ends_never(["sh", "-c", script], [], "")


@pytest.mark.parametrize(
    "words",
    [
        "cloud-sql-proxy --port=5432 inst",
        "envoy -c /etc/envoy.yaml",
        "/otelcol --config=/etc/otel.yaml",
        "/daprd --app-id x",
        "redis-server /etc/redis.conf",
        "gunicorn app:app -b :80",
        "vault server -dev",
        "pilot-agent proxy sidecar",
        "tini -- tail -f /dev/null",
        "/usr/bin/dumb-init -- envoy -c x",
        "docker-entrypoint.sh postgres -c fsync=off",
        "gosu redis redis-server",
        "tail -n 0 -F x",
        "python3 -m http.server 80",
    ],
)
def test_a_server_with_its_arguments_never_ends(words: str) -> None:
    assert servers.ends_never(words.split(), [], "")


@pytest.mark.parametrize(
    "words",
    [
        "cloud-sql-proxy --version",
        "cloud-sql-proxy wait",
        "envoy --mode validate -c x",
        "otelcol validate --config=x",
        "daprd --version",
        "redis-server --daemonize yes",
        "gunicorn --check-config app",
        "nginx -t",
        "postgres --single",
        "mysqld --initialize-insecure",
        "haproxy -c -f x",
        "vault agent -exit-after-auth -config=x",
        "vault agent -config=says-there-whether-it-ends",
        "vault status",
        "pilot-agent istio-iptables",
        "tini -- migrate",
        "timeout 5 envoy -c x",
    ],
)
def test_a_form_of_a_server_that_ends(words: str) -> None:
    assert not servers.ends_never(words.split(), [], "")


@pytest.mark.parametrize(
    ("image", "args", "never"),
    [
        ("nginx", [], True),
        ("migrate", [], False),
        ("proxyv2", ["istio-iptables", "-p", "1"], False),
        ("proxyv2", ["proxy", "sidecar"], True),
        ("cloud-sql-proxy", ["p:r:i"], True),
        ("cloud-sql-proxy", ["--version"], False),
        ("redis", ["--port", "1"], True),
        ("redis", ["redis-cli", "ping"], False),
        ("migrate", ["--port", "1"], False),
        ("tools", ["tail", "-f", "x"], True),
    ],
)
def test_arguments_alone_are_for_the_program_of_the_image(
    image: str, args: list[str], never: object
) -> None:
    assert servers.ends_never([], args, image) is never


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"args": ["-m", "gate", "serve"]}, ["init-never-ends"]),
        ({"args": ["-m", "gate", "wait"]}, []),
        ({"args": ["-m", "other", "serve"]}, []),
    ],
)
def test_gate_as_a_module_is_gate(fields: Fields, rules: list[str]) -> None:
    dependencies = {"name": "GATE_DEPENDENCIES", "value": "tcp://db:1"}
    one = init("python", env=[dependencies], **fields)

    assert rules_of(pod(one, main=(APP,))) == rules
