"""docs/inject.md and docs/admission.md show what gate does with annotations, and says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from gate.core.names import ANNOTATION_PREFIX
from gate.inject import plan
from gate.inject.sources import SOURCES
from gate.lint import lint
from tests.docs.pages import ROOT, blocks, lines
from tests.process import run_gate

PAGE = "docs/inject.md"
TEXT = (ROOT / PAGE).read_text()


def test_the_example_says_and_does_what_the_page_tells(tmp_path: Path) -> None:
    (before,) = blocks("yaml", PAGE)
    told = next(block for block in blocks("console", PAGE) if "waits for" in block.text)
    command = shlex.split(lines(told)[0].partition(" >")[0])[1:]
    (tmp_path / "shop.yaml").write_text(before.text)

    code, after, said = run_gate(*command[:-1], str(tmp_path / command[-1]))

    assert code == 0
    assert said == told.text.partition("\n")[2]
    assert lint([("after", after)]).exit_code == 0
    assert "wait-for-db" not in after
    assert "secretKeyRef: {name: shop-db, key: url}" in after.partition("name: app\n")[0]


def test_the_tables_have_every_source_and_annotation() -> None:
    rows = re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE)
    named = re.findall(rf"`{re.escape(ANNOTATION_PREFIX)}/([\w-]+)", " ".join(rows))

    assert [f"`{source}`" for source in SOURCES] == rows[: len(SOURCES)]
    assert {*named, "injected"} == set(plan._KNOWN)
    assert f"`{plan.INJECTED}`" in TEXT


def test_the_annotations_of_the_admission_page_are_those_of_its_policies() -> None:
    policy = (ROOT / "examples" / "admission" / "policy.yaml").read_text()
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "docs" / "admission.md").read_text(), re.MULTILINE)
    (known,) = re.findall(r"unknown annotation; there are (.*?)\"", policy)
    named = re.findall(rf"{re.escape(ANNOTATION_PREFIX)}/[\w-]+", " ".join(rows))

    assert len(named) > 5
    assert set(named) <= set(known.split(", "))
