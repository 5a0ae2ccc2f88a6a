"""Each rule has a manifest that it finds, at the right line, and one that it leaves alone."""

from __future__ import annotations

import pytest

from gate.lint import rules
from gate.lint.rule import Rule
from tests.lint.corpus import also, expected_lines, linted, names, rule_of, text_of


def test_each_rule_has_a_bad_and_a_good_manifest() -> None:
    assert {rule_of(name) for name in names("bad")} == set(rules.IDS)
    assert names("good") == names("bad")


@pytest.mark.parametrize("name", names("bad"))
def test_a_bad_manifest_is_found_where_it_is_bad(name: str) -> None:
    text = text_of("bad", name)

    findings = linted("bad", name).findings

    lines = [finding.line for finding in findings if finding.rule == rule_of(name)]
    assert lines == expected_lines(text)
    assert {finding.rule for finding in findings} == {rule_of(name)} | also(text)


@pytest.mark.parametrize("name", names("good"))
def test_nothing_is_found_in_a_good_manifest(name: str) -> None:
    assert linted("good", name).findings == ()


@pytest.mark.parametrize("rule", rules.EVERY, ids=lambda rule: rule.id)
def test_a_rule_explains_itself_with_its_fact_and_the_remedy(rule: Rule) -> None:
    facts = [number for number in rule.facts.split(", ") if number]

    assert "Remedy:" in rule.text or "remedy" in rule.text
    assert rule.title[0].isupper()
    assert all(number in rule.text for number in facts), "the text names its facts"
