"""`gate lint` on the command line: files, standard input, options, exit codes."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.cli import main
from gate.lint import rules
from gate.lint.finding import Severity
from gate.lint.rule import Rule
from gate.pods.hit import Hit
from gate.pods.pod import Pod
from tests.lint.corpus import HERE, text_of
from tests.test_architecture import loaded_by, tops

GOOD = str(HERE / "good" / "init-never-ends.yaml")
BAD = str(HERE / "bad" / "init-never-ends.yaml")
INFO = str(HERE / "bad" / "slow-probe.yaml")
BROKEN = str(HERE / "bad" / "yaml.yaml")


def lint(*arguments: str) -> int:
    return main.main(["lint", *arguments])


@pytest.mark.parametrize(
    ("files", "code"), [([GOOD], 0), ([BAD], 1), ([INFO], 0), ([BROKEN], 2), ([GOOD, BAD], 1)]
)
def test_the_exit_code_says_whether_there_is_something_to_act_on(
    files: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lint(*files) == code
    assert capsys.readouterr().err == ""


def test_a_dash_is_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = io.BytesIO(text_of("bad", "init-never-ends").encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))

    assert lint("-") == 1
    assert capsys.readouterr().out.startswith("stdin:")


@pytest.mark.parametrize("text", [b"", b" \n\n"])
def test_an_empty_standard_input_is_no_success(
    text: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))

    assert lint("-") == 2
    assert capsys.readouterr().err == (
        "gate: nothing came on standard input; did the command before the pipe fail?\n"
    )


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--select", "probe-host"], 0),
        (["--select", "probe-host,init-never-ends"], 1),
        (["--ignore", "init-never-ends"], 0),
        (["--select", "init-never-ends", "--ignore", "init-never-ends"], 0),
        (["--select", "probe-host", "--select", "init-never-ends"], 1),
    ],
)
def test_rules_can_be_selected_and_ignored(options: list[str], code: int) -> None:
    assert lint(*options, BAD) == code


def test_what_cannot_be_read_cannot_be_ignored() -> None:
    assert lint("--ignore", "yaml", BROKEN) == 2


@pytest.mark.parametrize(
    ("version", "code"),
    [("1.28", 1), ("v1.28.4", 1), ("1.28+", 1), ("1.29", 0), ("1.36.2", 0)],
)
def test_features_are_held_against_the_version(version: str, code: int) -> None:
    assert lint("--kubernetes-version", version, GOOD) == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no file; name manifests"),
        (["/no/such.yaml"], "/no/such.yaml: no such file or directory"),
        ([str(HERE)], f"{HERE}: is a directory; name the files in it"),
        (["--select", "probe-hots", GOOD], "probe-hots: no rule of this name; did you mean"),
        (["--ignore", "xyzzy", GOOD], "xyzzy: no rule of this name; gate lint --explain all"),
        (["--kubernetes-version", "2", GOOD], "--kubernetes-version 2: want a version such as"),
        (["--explain", "probe-hots"], "probe-hots: no rule of this name"),
        (["--output", "xml", GOOD], "invalid choice; there are text, json, github"),
        (["--outptu", "json", GOOD], "unknown argument --outptu; did you mean --output?"),
    ],
)
def test_a_wrong_command_line_is_told(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lint(*arguments) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_no_text_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")

    assert lint(str(path)) == 2
    assert capsys.readouterr().err == f"gate: {path}:2: not a text in UTF-8\n"


def test_all_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint("--explain", "all") == 0

    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == [rule.id for rule in rules.EVERY]


def test_a_rule_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint("--explain", "probe-host") == 0

    told = capsys.readouterr().out
    assert told.startswith("probe-host (error, kubelet fact 3.10)\n\nA probe goes to `host:")


def test_a_service_may_stand_in_another_file(tmp_path: Path) -> None:
    service, workload = text_of("bad", "waits-for-own-service").split("---\n")
    (tmp_path / "a.yaml").write_text(workload)
    (tmp_path / "b.yaml").write_text(service)

    assert lint(str(tmp_path / "a.yaml")) == 0
    assert lint(str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")) == 1


def test_only_lint_loads_lint() -> None:
    found = loaded_by("import gate.cli.main", "import gate.config.flags")

    assert "yaml" not in found
    assert not {name for name in found if name.startswith("gate.lint")}


def test_lint_itself_loads_no_check_and_no_server() -> None:
    found = loaded_by("import gate.lint.command")

    assert not tops(found) & {"aiohttp", "httpx", "structlog", "jmespath"}
    assert not {name for name in found if name.startswith("gate.checks.")}


def test_a_rule_that_fails_itself_hides_no_other_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def look(pod: Pod) -> Iterator[Hit]:
        raise KeyError(pod.name)

    broken = Rule("probe-host", Severity.ERROR, "", look)
    monkeypatch.setattr(rules, "ALL", (broken, *rules.ALL))

    assert lint(BAD) == 2
    told = capsys.readouterr()
    assert told.err == ""
    assert "error: init-never-ends\n" in told.out
    assert f"{BAD}:5: error: probe-host\n" in told.out
    assert "gate lint itself failed here (KeyError): this rule was not looked for" in told.out
    assert "KeyError: 'shop'" not in told.out
