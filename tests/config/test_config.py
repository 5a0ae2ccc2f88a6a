from __future__ import annotations

from typing import Any

import pytest

from gate import checks, config
from gate.config import SETTINGS, Config, Settings
from gate.core.model import Dependency, Until


def dependencies(text: str, **more: str) -> dict[str, Dependency]:
    """Return what `GATE_DEPENDENCIES` is read as, by name; nothing may be wrong."""
    read = config.read({"GATE_DEPENDENCIES": text, **more})
    assert read.all_problems() == ()
    return {wanted.dependency.name: wanted.dependency for wanted in read.dependencies}


def names(text: str, **more: str) -> list[str]:
    return list(dependencies(text, **more))


def problems(environ: dict[str, str], **options: Any) -> list[str]:
    read = config.read(environ, **options)
    for wanted in read.dependencies:
        checks.load(wanted.target)
    return [str(problem) for problem in read.all_problems()]


# -- dependencies


def test_a_dependency_has_the_defaults_of_the_documentation() -> None:
    assert dependencies("db postgresql://app:hunter2@db:5432/app") == {
        "db": Dependency(
            name="db",
            url="postgresql://db:5432/app",
            timeout=3.0,
            interval=1.0,
            successes=1,
            deadline=None,
            optional=False,
            group=None,
            monitor=False,
            until=Until.READY,
            is_local=False,
        )
    }


def test_every_common_option_is_taken() -> None:
    line = "a tcp://a:1 timeout=1s interval=2s successes=3 deadline=4s optional any=g monitor"

    assert dependencies(f"{line} until=down") == {
        "a": Dependency(
            name="a",
            url="tcp://a:1",
            timeout=1.0,
            interval=2.0,
            successes=3,
            deadline=4.0,
            optional=True,
            group="g",
            monitor=True,
            until=Until.DOWN,
        )
    }


@pytest.mark.parametrize(
    ("options", "deadline"),
    [("", None), ("optional", 30.0), ("optional deadline=5s", 5.0), ("optional=no", None)],
)
def test_an_optional_one_has_a_deadline_in_any_case(options: str, deadline: float | None) -> None:
    assert dependencies(f"a tcp://a:1 {options}")["a"].deadline == deadline


def test_settings_are_the_defaults_of_options() -> None:
    found = dependencies(
        "a tcp://a:1\nb tcp://b:1 interval=1s timeout=2s successes=3",
        GATE_INTERVAL="7s",
        GATE_CHECK_TIMEOUT="8s",
        GATE_SUCCESSES="9",
    )

    assert (found["a"].interval, found["a"].timeout, found["a"].successes) == (7.0, 8.0, 9)
    assert (found["b"].interval, found["b"].timeout, found["b"].successes) == (1.0, 2.0, 3)


def test_the_list_is_first_in_its_order_then_the_variables_by_name() -> None:
    assert names(
        "z tcp://z:1\ny tcp://y:1 ; x tcp://x:1",
        GATE_DEPENDENCY_C="tcp://c:1",
        GATE_DEPENDENCY_A_B="tcp://ab:1",
    ) == ["z", "y", "x", "a-b", "c"]


def test_the_order_of_the_environment_does_not_matter() -> None:
    environ = {f"GATE_DEPENDENCY_{name}": f"tcp://{name}:1" for name in "QWERTY"}
    read = config.read(environ)
    turned = config.read(dict(reversed(environ.items())))

    assert [each.dependency for each in read.dependencies] == [
        each.dependency for each in turned.dependencies
    ]
    assert [each.dependency.name for each in read.dependencies] == sorted("qwerty")


def test_a_secret_file_s_last_line_break_is_no_part_of_the_url() -> None:
    read = config.read({"GATE_DEPENDENCY_DB": "tcp://db:5432\n"})

    assert read.dependencies[0].target.url.port == 5432


def test_in_a_single_variable_a_semicolon_is_a_character() -> None:
    read = config.read({"GATE_DEPENDENCY_DB": "redis://:a;b@db:1"})

    assert read.dependencies[0].target.url.password == "a;b"


def test_a_dollar_is_a_character() -> None:
    """Kubernetes has made one of `$$` by then; `$(` alone or `$NAME` is no reference."""
    for password in ("a$b", "a$$b", "a$(b", "a$NAME", "a$()b", "a$(1)b", "a$(b c)"):
        read = config.read({"GATE_DEPENDENCY_DB": f"'redis://:{password}@db:1'"})

        assert read.all_problems() == ()
        assert read.dependencies[0].target.url.password == password


@pytest.mark.parametrize("reference", ["$(DB_URL)", "x$(A)y", "$$(B)", "$(C_1) $(d)"])
def test_a_reference_left_over_is_undefined(reference: str) -> None:
    (problem,) = problems({"GATE_DEPENDENCY_DB": reference})

    assert problem.startswith(f"GATE_DEPENDENCY_DB: {reference[reference.index('$(') :][:4]}")
    assert "is not defined; define it before this one" in problem


def test_a_reference_left_over_is_told_with_its_line_and_hides_no_other_problem() -> None:
    text = "# uses $(HOST)\ndb tcp://$(my.name):1\nx tcp://y:1 timout=3s"
    first, second = problems({"GATE_DEPENDENCIES": text})

    assert first.startswith("GATE_DEPENDENCIES line 2: a $(…) in it is not defined")
    assert second == "GATE_DEPENDENCIES line 3 (x): timout: unknown option; did you mean timeout?"


def test_a_reference_left_over_in_an_argument_is_undefined() -> None:
    (problem,) = problems({}, arguments=["tcp://$(DB_HOST):5432"])

    assert problem.startswith("argument 1: $(DB_HOST) is not defined")


def test_a_command_may_use_what_the_shell_puts_in() -> None:
    line = "'exec:test $(hostname) = shop-0' shell"

    assert problems({"GATE_DEPENDENCIES": line}) == []
    assert problems({"GATE_DEPENDENCIES": line.replace("hostname", "HOST")}) != []


@pytest.mark.parametrize(
    "text", ["db http://h/caf\udce9", "caf\udce9 http://h", "db tcp://h:1 any=\udce9"]
)
def test_bytes_that_are_not_utf_8_are_a_problem_of_their_variable(text: str) -> None:
    told = problems({"GATE_DEPENDENCIES": text})

    assert told[0] == "GATE_DEPENDENCIES: holds bytes that are not UTF-8; write it in UTF-8"
    assert problems({}, arguments=[text])[0].startswith("argument 1: holds bytes that are not")


def test_a_gate_is_disabled_in_whatever_letters() -> None:
    read = config.read({"GATE_DISABLED": "caf\udce9"})

    assert read.settings.disabled == "caf?"


def test_two_dependencies_in_one_line_are_told_apart_from_options() -> None:
    (problem,) = problems({"GATE_DEPENDENCIES": "db tcp://db:1 cache tcp://cache:1"})

    assert problem.startswith("GATE_DEPENDENCIES line 1 (db): a second URL; write one dependency")


def test_what_looks_like_a_piece_of_a_password_is_not_shown_as_a_reference() -> None:
    (problem,) = problems({"GATE_DEPENDENCY_DB": "redis://:$(hunter2)@db:1"})

    assert problem.startswith("GATE_DEPENDENCY_DB: a $(…) in it is not defined")


# -- names made from URLs


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("tcp://db:5432", ["db"]),
        ("tcp://db.prod.svc:5432", ["db.prod.svc"]),
        ("tcp://db:1\ntcp://db:2", ["db-1", "db-2"]),
        ("tcp://db:1\ntcp://db:2\ntcp://cache:1", ["db-1", "db-2", "cache"]),
        ("http://h:1/a\nhttp://h:1/b", ["h-1-a", "h-1-b"]),
        ("http://h/a\nhttp://h/b", ["h-a", "h-b"]),
        ("tcp://h:1\ntls://h:1", ["tcp-h-1", "tls-h-1"]),
        ("h tcp://x:1\ntcp://h:2", ["h", "h-2"]),
        ("tcp://[::1]:1", ["1"]),
        ("kafka://a:1,b:2", ["a-b"]),
        ("unix:///run/app.sock", ["run-app.sock"]),
        ("k8s:job/migrate", ["job-migrate"]),
        ("sidecar:istio", ["istio"]),
        ("exec:pg_isready", ["pg_isready"]),
        ("tcp://" + "x" * 80 + ":1", ["x" * 63]),
    ],
)
def test_a_missing_name_is_made_from_the_url(text: str, made: list[str]) -> None:
    assert names(text) == made


def test_a_made_name_does_not_depend_on_the_order() -> None:
    lines = ["tcp://db:1", "tcp://db:2", "http://db:2/x", "tcp://cache:1", "db tcp://x:1"]
    expected = sorted(names("\n".join(lines)))

    assert len(set(expected)) == 5
    for turn in range(5):
        assert sorted(names("\n".join(lines[turn:] + lines[:turn]))) == expected


def test_a_name_is_taken_as_it_is_written() -> None:
    assert names("My_db.1-x tcp://a:1") == ["My_db.1-x"]
    assert names("", GATE_DEPENDENCY_MY_DB="tcp://a:1") == ["my-db"]


# -- arguments and flags


def test_arguments_stand_instead_of_the_environment_s_dependencies() -> None:
    environ = {"GATE_DEPENDENCIES": "db tcp://db:1", "GATE_DEPENDENCY_X": "tcp://x:1"}
    read = config.read(environ, arguments=["cache tcp://cache:1 timeout=1s", "tcp://y:1"])

    assert [each.dependency.name for each in read.dependencies] == ["cache", "y"]


def test_an_argument_is_told_by_its_number() -> None:
    assert problems({}, arguments=["tcp://a:1", "b tcp://b:1 timout=1s", "c"]) == [
        "argument 2 (b): timout: unknown option; did you mean timeout?",
        (
            "argument 3: no URL; write [name] scheme://host:port [option=value …], "
            "in one pair of quotes (in a URL a ; is written %3B, a space %20)"
        ),
    ]


def test_a_flag_wins_over_its_variable() -> None:
    read = config.read(
        {"GATE_TIMEOUT": "broken"}, flags={"GATE_TIMEOUT": "7s"}, arguments=["tcp://a:1"]
    )

    assert read.settings.timeout == 7.0
    assert read.problems == ()


def test_a_wrong_flag_is_told_as_the_flag() -> None:
    flags = {"GATE_ON_TIMEOUT": "explode"}

    assert problems({"GATE_DEPENDENCY_A": "tcp://a:1"}, flags=flags) == [
        "--on-timeout: 'explode' is not one of wait, open, exit"
    ]


# -- settings


def test_every_setting_has_a_field_a_flag_and_a_default() -> None:
    assert {setting.field for setting in SETTINGS} == set(Settings.__slots__)
    assert config.read({"GATE_ALLOW_EMPTY": "on"}) == Config(Settings(allow_empty=True), (), ())


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("GATE_LISTEN", "127.0.0.1:80", ("127.0.0.1", 80)),
        ("GATE_TIMEOUT", "5m", 300.0),
        ("GATE_ON_TIMEOUT", "exit", "exit"),
        ("GATE_INTERVAL", "0.5", 0.5),
        ("GATE_CHECK_TIMEOUT", "10s", 10.0),
        ("GATE_SUCCESSES", "2", 2),
        ("GATE_FRESHNESS", "1m", 60.0),
        ("GATE_STATE_FILE", "/state/opened", "/state/opened"),
        ("GATE_TERMINATION_LOG", "off", "off"),
        ("GATE_TERMINATION_LOG", "/tmp/x", "/tmp/x"),
        ("GATE_LOG_LEVEL", "debug", "debug"),
        ("GATE_LOG_FORMAT", "console", "console"),
        ("GATE_DISABLED", " database moves ", "database moves"),
        ("GATE_DEGRADED_EVENT", "False", False),
        ("GATE_ALLOW_EMPTY", "YES", True),
        ("GATE_EVENTS", "on", True),
        ("GATE_POD_CONDITION", "example.com/dependencies-ready", "example.com/dependencies-ready"),
        ("GATE_POD_CONDITION", "a.b-c.d/E_f.g", "a.b-c.d/E_f.g"),
    ],
)
def test_a_setting_is_read(variable: str, text: str, value: object) -> None:
    read = config.read({"GATE_DEPENDENCY_A": "tcp://a:1", variable: text})

    assert getattr(read.settings, variable.removeprefix("GATE_").lower()) == value
    assert read.problems == ()


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "off"])
def test_a_gate_is_not_disabled_by_saying_no(text: str) -> None:
    (problem,) = problems({"GATE_DEPENDENCY_A": "tcp://a:1", "GATE_DISABLED": text})

    assert "remove the variable to keep the gate" in problem


@pytest.mark.parametrize(
    "text",
    [
        "Ready",
        "/a",
        "example.com/",
        "a/b/c",
        "Example.com/a",
        "a_b.com/a",
        "a..b/c",
        "-a.b/c",
        "a.b/-c",
        "a.b/é",
        f"a.b/{'x' * 64}",
    ],
)
def test_a_condition_is_one_that_kubernetes_takes_and_of_a_domain(text: str) -> None:
    (problem,) = problems({"GATE_DEPENDENCY_A": "tcp://a:1", "GATE_POD_CONDITION": text})

    assert "write e.g. example.com/dependencies-ready" in problem


def test_no_setting_can_be_taken_for_an_injected_variable() -> None:
    for setting in SETTINGS:
        assert not setting.variable.endswith(("_PORT", "_HOST", "_ADDR", "_PROTO"))
        assert "_SERVICE" not in setting.variable


# -- what is wrong


def test_no_dependency_is_told_beside_other_problems() -> None:
    assert problems({"GATE_TIMEOUT": "x"}) == [
        "GATE_TIMEOUT: 'x' is not a duration; write 250ms, 3s, 1m30s, 2h or seconds",
        (
            "GATE_DEPENDENCIES: no dependency; set it, or GATE_ALLOW_EMPTY=true if there is none "
            "on purpose"
        ),
    ]


@pytest.mark.parametrize("environ", [{"GATE_DEPENDENCYS": "x"}, {"GATE_DEPENDENCIES": "$(X)"}])
def test_no_dependency_is_not_told_where_a_slip_explains_it(environ: dict[str, str]) -> None:
    assert len(problems(environ)) == 1


def test_problems_are_in_the_order_of_writing_whoever_finds_them() -> None:
    text = "a tcp://a:1 timout=1s\nb\nc tcp://c:1 timeout=x\nd tcp://d\ne tcp://e:x"
    places = [problem.partition(":")[0] for problem in problems({"GATE_DEPENDENCIES": text})]

    assert places == [
        "GATE_DEPENDENCIES line 1 (a)",
        "GATE_DEPENDENCIES line 2",
        "GATE_DEPENDENCIES line 3 (c)",
        "GATE_DEPENDENCIES line 4 (d)",
        "GATE_DEPENDENCIES line 5 (e)",
    ]


def test_a_variable_s_name_cannot_break_the_message() -> None:
    (problem,) = problems({"GATE_DEPENDENCY_A": "tcp://a:1", "GATE_X\n\x1b[31m": "1"})

    assert problem.startswith(r"'GATE_X\n\x1b[31m': unknown variable")


def test_dependencies_carry_the_secrets_their_checks_must_not_tell() -> None:
    read = config.read({"GATE_DEPENDENCY_DB": "redis://:hunter2@db:1"})

    assert read.dependencies[0].dependency_with_secrets.secrets == ("hunter2",)
