"""What `docs/` says of settings, options, checks and rules is what the code has."""

from __future__ import annotations

import re

import pytest

from gate import checks
from gate.core import probe_arguments
from gate.lint import rules
from tests.docs import reference
from tests.docs.pages import DOCS, PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_current(page: str) -> None:
    text = (DOCS / page).read_text()

    assert reference.current(text) == text, "run `make docs`, and commit what it writes"


def test_each_part_that_is_made_of_the_code_is_used() -> None:
    used = {name for page in PAGES for _, name, _ in reference.BLOCK.findall(text_of(page))}

    assert used == set(reference.PARTS)


def text_of(page: str) -> str:
    return (DOCS / page).read_text()


def test_the_table_of_common_options_has_those_that_every_dependency_takes() -> None:
    table = text_of("configuration.md").partition("### Options of every dependency")[2]
    rows = re.findall(r"^\| `([\w-]+)` \|", table.partition("\n## ")[0], re.MULTILINE)

    assert set(rows) == reference.common_options()


def test_the_table_of_tls_has_its_options() -> None:
    table = text_of("checks.md").partition("## TLS")[2].partition("\n## ")[0]

    assert set(re.findall(r"`([\w-]+)(?:=\w+)?`(?=[,| ])", table)) >= reference.TLS


def test_the_table_of_http_has_its_options() -> None:
    table = text_of("checks.md").partition("## HTTP")[2].partition("\n## ")[0]
    named = set(re.findall(r"[`, ]([\w-]+)(?=[`=])", table))

    assert named >= reference.options("http").keys() - reference.TLS


def test_every_scheme_and_every_rule_has_its_place() -> None:
    assert [name for name in checks.SCHEMES if f"`{name}`" not in text_of("checks.md")] == []
    assert [name for name in rules.IDS if f"\n### {name}\n" not in text_of("lint.md")] == []


def test_every_command_has_its_place() -> None:
    first = text_of("commands.md").partition("## Exit codes")[0]
    others = set(probe_arguments._OPTIONS)

    assert set(re.findall(r"`gate (\w+)`", first)) == {*reference.COMMANDS, *others}
    for command in others:
        flags = {f"{command} {flag}" for flag in probe_arguments._OPTIONS[command]}
        flags -= {f"{command} --listen"}  # has a row for both
        assert [flag for flag in flags if f"`{flag}" not in text_of("commands.md")] == []
