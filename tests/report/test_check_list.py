from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gate.checks.catalogue import Entry, Extra, Option
from gate.core.errors import UsageError
from gate.report import check_list
from tests.process import run_gate

TLS = tuple(Option(name, f"{name}=…") for name in ("ca", "cert", "insecure", "key", "server-name"))
HTTP = (*TLS, Option("header", "header=…", is_repeatable=True))
HTTP2 = Extra("http2", "h2", "option http2", is_installed=False)
OURS = Entry(scheme="http", package="podgate", version="1", ready="it answers", options=HTTP)
MOON = Entry(
    scheme="moon",
    package="gate-moon",
    version="1.2",
    ready="the moon is full",
    documentation="moon://sky -- the moon is full.\n",
    options=(Option("phase", "phase=…"), *HTTP),
    extras=(HTTP2,),
)
BROKEN = replace(OURS, scheme="gone", ready="", options=(), problem="cannot be used: KeyError")
HEAD = "SCHEME                  READY MEANS, options, extras\n"


def test_the_table_says_by_one_word_what_many_checks_have() -> None:
    entries = [OURS, replace(OURS, scheme="https"), MOON, BROKEN]
    text = check_list.as_text(entries, is_whole=False)

    assert text.startswith(
        f"{HEAD}"
        "http https              it answers\n"
        "                        header=…* TLS\n"
        "moon                    the moon is full\n"
        "                        phase=… and those of http\n"
        "                        from gate-moon 1.2\n"
        "gone                    cannot be used: KeyError\n"
        "\n…* may be given several times."
    )


def test_of_one_scheme_all_is_said() -> None:
    text = check_list.as_text([MOON], is_whole=True)

    assert text == (
        f"{HEAD}"
        "moon                    the moon is full\n"
        "                        phase=… ca=… cert=… insecure=… key=… server-name=… header=…*\n"
        "                        option http2: the extra http2 is not installed; "
        "pip install 'podgate[http2]'\n"
        "                        from gate-moon 1.2\n"
        "\nmoon://sky -- the moon is full.\n\n"
    )


def test_an_extra_that_is_there_is_told_too() -> None:
    text = check_list.as_text(
        [replace(BROKEN, extras=(replace(HTTP2, is_installed=True),))], is_whole=False
    )

    assert "option http2: the extra http2 is installed\n" in text


def test_json_has_it_all() -> None:
    (found,) = json.loads(check_list.as_json([MOON]))["checks"]

    assert (found["scheme"], found["package"]) == ("moon", "gate-moon")
    assert found["options"][-1] == {"name": "header", "form": "header=…", "is_repeatable": True}
    assert found["extras"] == [
        {"name": "http2", "package": "h2", "purpose": "option http2", "is_installed": False}
    ]


@pytest.mark.parametrize(
    ("scheme", "hint"), [("mon", "did you mean moon?"), ("x", "there are http, moon")]
)
def test_a_scheme_that_nobody_has_is_refused(scheme: str, hint: str) -> None:
    with pytest.raises(UsageError) as refusal:
        check_list.chosen([OURS, MOON], ["http", scheme])

    assert str(refusal.value) == f"checks: argument 2 is no scheme; {hint}"


def test_without_a_scheme_all_are_chosen() -> None:
    assert check_list.chosen([OURS, MOON], []) == [OURS, MOON]


def test_the_command_prints_what_is_asked_for() -> None:
    code, out, err = run_gate("checks", "redis", "--output", "json")
    assert (code, err) == (0, "")
    assert [check["scheme"] for check in json.loads(out)["checks"]] == ["redis"]

    code, out, err = run_gate("checks")
    assert (code, err) == (0, "")
    assert "\nredis valkey            PING is answered" in out
