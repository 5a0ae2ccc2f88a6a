from __future__ import annotations

import pytest

from gate import checks, config
from gate.config import Config, from_env
from gate.config.dependencies import Source
from gate.core.errors import ConfigError
from tests.checks.servers.redis import redis
from tests.process import run_gate

SHARE = "give gate the env or envFrom of the app, or leave it out of GATE_FROM_ENV"


def load(from_env: str, **environ: str) -> Config:
    read = config.read({"GATE_FROM_ENV": from_env, **environ})
    for wanted in read.dependencies:
        checks.load(wanted.target)
    return read


def found(from_env: str, **environ: str) -> dict[str, str]:
    """Return the URLs by the names of their dependencies; nothing may be wrong."""
    read = load(from_env, **environ)
    assert read.all_problems() == ()
    return {each.dependency.name: str(each.target.url) for each in read.dependencies}


def wrong(from_env: str, **environ: str) -> list[str]:
    return [str(problem) for problem in load(from_env, **environ).all_problems()]


def test_a_variable_of_the_app_is_a_dependency() -> None:
    app = {"DATABASE_URL": "jdbc:postgresql://db/app?user=u", "KAFKA_BROKERS": "a:1,b:2"}

    assert found("DATABASE_URL, KAFKA_BROKERS", **app) == {
        "database": "postgresql://db/app",
        "kafka": "kafka://a:1,b:2",
    }


@pytest.mark.parametrize("item", ["REDIS_HOST:REDIS_PORT", "REDIS_HOST", "REDIS_*", "?EDIS_HOST"])
def test_a_host_has_its_port_from_the_variable_beside_it(item: str) -> None:
    app = {"REDIS_HOST": "r", "REDIS_PORT": "6380", "REDIS_PASSWORD": "hunter2"}

    assert found(item, **app) == {"redis": "redis://r:6380"}


LIBPQ = {
    "PGHOST": "a,b",
    "PGPORT": "1",
    "PGUSER": "u",
    "PGPASSWORD": r"it's \ x",
    "PGDATABASE": "d",
}


@pytest.mark.parametrize(
    ("item", "left_out", "url"),
    [
        ("PG*", "", "postgresql://u:it%27s%20%5C%20x@a:1,b:1/d"),
        ("PG*", "PGUSER", "postgresql://a:1,b:1/d"),
        ("PG*", "PGPORT", "postgresql://u:it%27s%20%5C%20x@a,b/d"),
        ("PGHOS?", "", "postgresql://a:1,b:1"),
        ("PGHOST", "", "postgresql://a:1,b:1"),
        ("PGHOST:PGPORT", "", "postgresql://a:1,b:1"),
    ],
)
def test_a_glob_takes_the_login_of_libpq_s_variables_too(
    item: str, left_out: str, url: str
) -> None:
    app = {name: value for name, value in LIBPQ.items() if name != left_out}
    (source,) = from_env.sources([item], app)

    assert isinstance(source, Source)
    assert (source.text, source.name) == (url, "postgres")


def test_the_port_may_be_in_any_variable() -> None:
    assert found("WHERE:WHICH", WHERE="h", WHICH="1") == {"where": "tcp://h:1"}


def test_a_glob_leaves_out_what_kubernetes_injects_for_a_service() -> None:
    service = {
        "REDIS_SERVICE_HOST": "10.0.0.1",
        "REDIS_SERVICE_PORT": "6379",
        "REDIS_PORT": "tcp://10.0.0.1:6379",
        "REDIS_PORT_6379_TCP_ADDR": "10.0.0.1",
    }

    assert found("REDIS_*", REDIS_HOST="r", **service) == {"redis": "redis://r"}
    assert found("REDIS_*", REDIS_HOST="r", **{**service, "REDIS_PORT": "7"}) == {
        "redis": "redis://r:7"
    }
    assert "no variable that it matches names a dependency" in wrong("REDIS_*", **service)[0]


def test_a_variable_that_is_named_twice_is_one_dependency() -> None:
    assert found("*_URL REDIS_URL", REDIS_URL="redis://r") == {"redis": "redis://r"}


def test_gate_s_own_variables_are_not_the_app_s() -> None:
    own = {"GATE_DEPENDENCY_URL": "redis://r"}

    assert "no variable that it matches" in wrong("*", **own)[0]
    assert found("*", REDIS_URL="redis://r", **own) == {"redis": "redis://r", "url": "redis://r"}


def test_options_have_a_variable_of_their_own() -> None:
    options = {"GATE_OPTIONS_SPRING_DATASOURCE": "optional deadline=20s"}
    (wanted,) = load(
        "SPRING_DATASOURCE_URL", SPRING_DATASOURCE_URL="jdbc:mysql://db/x", **options
    ).dependencies

    assert (wanted.dependency.optional, wanted.dependency.deadline) == (True, 20.0)


def test_what_http_takes_for_an_answer_can_be_said_otherwise() -> None:
    usual = load("API_URL", API_URL="http://api/v1")
    strict = load("API_URL", API_URL="http://api/v1", GATE_OPTIONS_API="status=204")
    statuses = [each.dependencies[0].target.text("status") for each in (usual, strict)]

    assert (usual.all_problems(), strict.all_problems()) == ((), ())
    assert statuses == ["2xx,3xx,4xx", "204"]


def test_the_options_go_with_a_variable_of_gate_s_own_as_well() -> None:
    read = config.read({"GATE_DEPENDENCY_DB": "tcp://db:1\n", "GATE_OPTIONS_DB": "timeout=1s"})

    assert read.all_problems() == ()
    assert read.dependencies[0].dependency.timeout == 1.0


@pytest.mark.parametrize(
    ("from_env", "environ", "problem"),
    [
        ("A_URL", {}, f"A_URL: is not set in gate's own container; {SHARE}"),
        ("A:B", {"A": "h"}, f"B: is not set in gate's own container; {SHARE}"),
        ("X*", {}, f"GATE_FROM_ENV: X*: no variable that it matches names a dependency; {SHARE}"),
        ("A_URL", {"A_URL": " "}, "A_URL: is empty; set it or leave it out"),
        ("PG*", {"PGHOST": " ", "PGUSER": "u"}, "PGHOST: is empty; set it or leave it out"),
        ("PG*", {"PGHOST": "h", "PGDATABASE": "$(B)"}, "PGDATABASE: $(B) is not defined"),
        ("PG*", {"PGHOST": "h", "PGPORT": "x"}, "PGPORT: is not a port, a number from 1"),
        ("A:B", {"A": "h", "B": "x"}, "B: is not a port, a number from 1 to 65535"),
        ("A_URL", {"A_URL": "$(B)"}, "A_URL: $(B) is not defined"),
        ("A_URL", {"A_URL": "hunter2"}, "A_URL: names no host and port; write host:port"),
        ("A_URL", {"A_URL": "redis://r/x"}, "A_URL: the URL's path is the number of a database"),
        (
            "A_URL",
            {"A_URL": "redis://r", "GATE_OPTIONS_A": "timout=1s"},
            "A_URL with GATE_OPTIONS_A: timout: unknown option; did you mean timeout?",
        ),
        (
            "A_URL",
            {"A_URL": "redis://r", "GATE_OPTIONS_B": "optional"},
            "GATE_OPTIONS_B: no variable holds a dependency of this name; there may be GATE_OP",
        ),
        (
            "",
            {"GATE_DEPENDENCIES": "b tcp://b:1", "GATE_OPTIONS_B": "optional"},
            "GATE_OPTIONS_B: no variable holds a dependency of this name; GATE_FROM_ENV and GATE_",
        ),
        (
            "A_URL",
            {"A_URL": "redis://r", "GATE_DEPENDENCY_A": "tcp://a:1"},
            "A_URL: has the same name as GATE_DEPENDENCY_A; leave one of the two out",
        ),
        (
            "A_URL postgres://u:hunter2@db",
            {},
            "GATE_FROM_ENV: item 2 is no name; write e.g. DATABASE_URL,PG*,REDIS_HOST:REDIS_PORT",
        ),
        ("A_URL:", {}, "GATE_FROM_ENV: item 1 is no name"),
    ],
)
def test_what_is_wrong_is_told_by_the_name_of_the_variable_alone(
    from_env: str, environ: dict[str, str], problem: str
) -> None:
    told = wrong(from_env, **environ)

    assert told[0].startswith(problem)
    assert not [text for text in told if "hunter2" in text]


def test_the_options_of_a_variable_that_is_wrong_are_not_told_too() -> None:
    assert len(wrong("A_URL", GATE_OPTIONS_A="optional")) == 1


def test_of_an_app_s_url_only_scheme_host_and_port_are_shown() -> None:
    app = {
        "A_URL": "https://u:hunter2@h:1/hunter2/x?y=hunter2",
        "B_URL": "postgresql://u:hunter2@db/hunter2",
        "C_URL": "unix:///run/c.sock",
    }
    read = load("*_URL A_URL B_URL C_URL", **app)

    assert [each.dependency.url for each in read.dependencies] == [
        "https://h:1",
        "postgresql://db",
        "unix:///run/c.sock",
    ]
    assert "hunter2" not in str(ConfigError(read.all_problems()))
    assert "/hunter2/x" in read.dependencies[0].dependency_with_secrets.secrets


def test_arguments_stand_instead_of_the_app_s_variables_too() -> None:
    environ = {"GATE_FROM_ENV": "A_URL", "GATE_OPTIONS_A": "optional"}
    read = config.read(environ, arguments=["tcp://x:1"])

    assert read.all_problems() == ()
    assert [each.dependency.name for each in read.dependencies] == ["x"]


def test_what_java_writes_may_stand_in_gate_s_own_variables() -> None:
    listed = "db jdbc:postgresql://db/app?user=u optional\n'jdbc:sqlserver://h;databaseName=x'"
    read = config.read(
        {"GATE_DEPENDENCIES": listed, "GATE_DEPENDENCY_B": "jdbc:sqlserver://b:7;user=x"}
    )

    assert read.all_problems() == ()
    assert [each.dependency.url for each in read.dependencies] == [
        "postgresql://db/app",
        "mssql://h:1433",
        "mssql://b:7",
    ]


def test_a_real_server_is_waited_for_as_the_app_names_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with redis(tmp_path_factory.mktemp("redis"), "--requirepass hunter2") as server:
        app = {
            "REDIS_HOST": "127.0.0.1",
            "REDIS_PORT": str(server.port),
            "ConnectionStrings__Cache": f"127.0.0.1:{server.port}",
            "CELERY_BROKER_URL": f"redis://:hunter2@127.0.0.1:{server.port}/0",
            "SESSION_REDIS_DSN": f"redis://:hunter3@127.0.0.1:{server.port}/0",
        }
        named = "REDIS_*,ConnectionStrings__*,*_BROKER_URL,SESSION_REDIS_DSN"
        code, out, err = run_gate("wait", "--once", env={"GATE_FROM_ENV": named, **app})

    assert code == 1
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert [name for name in rows if "not ready" not in rows[name]] == [
        *("NAME", "redis", "cache", "celery-broker"),
    ]
    assert "login refused" in rows["session-redis"]
    assert "hunter" not in out + err


def test_the_variable_of_gate_inject_is_let_be() -> None:
    found = config.read({"GATE_IMAGE": "gate:1", "GATE_DEPENDENCIES": "tcp://db:1"})

    assert found.problems == ()
