"""`gate lint --baseline`: only what is new is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.cli import main
from tests.lint.corpus import text_of

BROKEN = "a: [\n"


class Deploy:
    """A folder with one manifest, linted from there."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys

    def write(self, text: str, name: str = "shop.yaml") -> None:
        (self._folder / name).write_text(text)

    def lint(self, *words: str, file: str = "shop.yaml") -> tuple[int, str]:
        code = main.main(["lint", *words, file])
        told = self._capsys.readouterr()
        return code, told.out or told.err

    def keep(self, file: str = "shop.yaml") -> None:
        self.write(self.lint("--output", "json", file=file)[1], "known.json")

    def lint_new(self, file: str = "shop.yaml") -> tuple[int, str]:
        return self.lint("--baseline", "known.json", file=file)


@pytest.fixture
def deploy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Deploy:
    monkeypatch.chdir(tmp_path)
    return Deploy(tmp_path, capsys)


def test_what_was_there_before_is_not_told_wherever_it_stands_now(deploy: Deploy) -> None:
    deploy.write(text_of("bad", "probe-host"))
    deploy.keep()
    deploy.write("# a comment\n\n" + text_of("bad", "probe-host"))

    code, told = deploy.lint_new("./shop.yaml")

    assert code == 0
    assert told == "1 pod in 1 file: nothing found (1 more in the baseline)\n"


def test_what_is_new_is_told(deploy: Deploy) -> None:
    deploy.write(text_of("bad", "probe-host"))
    deploy.keep()
    deploy.write(text_of("bad", "probe-host") + "---\n" + text_of("bad", "init-never-ends"))

    code, told = deploy.lint_new()

    assert code == 1
    assert ": error: init-never-ends\n" in told
    assert "probe-host" not in told


def test_one_more_of_the_same_is_new(deploy: Deploy) -> None:
    deploy.write(text_of("bad", "probe-host"))
    deploy.keep()
    deploy.write(text_of("bad", "probe-host") + "---\n" + text_of("bad", "probe-host"))

    code, told = deploy.lint_new()

    assert code == 1
    assert told.endswith(": 1 error (1 more in the baseline)\n")


def test_what_cannot_be_read_is_told_again_and_again(deploy: Deploy) -> None:
    deploy.write(BROKEN)
    deploy.keep()

    code, told = deploy.lint_new()

    assert code == 2
    assert ": error: yaml\n" in told


def test_how_many_are_known_stands_in_the_json(deploy: Deploy) -> None:
    deploy.write(text_of("bad", "probe-host"))
    deploy.keep()

    code, told = deploy.lint("--baseline", "known.json", "--output", "json")

    assert (code, json.loads(told)["known"]) == (0, 1)


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "1", "{}", '{"findings": 1}', '{"findings": [{"file": 1}]}']
)
def test_another_file_is_no_baseline(text: str, deploy: Deploy) -> None:
    deploy.write(text_of("bad", "probe-host"))
    deploy.write(text, "known.json")

    assert deploy.lint_new() == (
        2,
        (
            "gate: --baseline known.json: not a report of gate lint --output json; "
            "gate lint --output json FILE… > known.json writes one\n"
        ),
    )


def test_a_baseline_that_is_not_there_is_told(deploy: Deploy) -> None:
    assert deploy.lint_new() == (2, "gate: known.json: no such file or directory\n")
