"""SARIF 2.1.0, as code scanning takes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gate import __version__
from gate.lint import rules

if TYPE_CHECKING:
    from gate.lint.finding import Finding
    from gate.lint.run import Report

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def write(report: Report) -> str:
    """Return the report as SARIF, with the rules that it names."""
    used = sorted({each.rule for each in report.findings})
    known = {rule.id: rule for rule in rules.EVERY}
    described = [
        {
            "id": name,
            "shortDescription": {"text": known[name].title},
            "fullDescription": {"text": known[name].text},
            "defaultConfiguration": {"level": _LEVELS[known[name].severity.word]},
        }
        for name in used
    ]
    driver = {"name": "gate lint", "version": __version__, "rules": described}
    run = {"tool": {"driver": driver}, "results": [_result(each) for each in report.findings]}
    whole = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _result(finding: Finding) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": quote(finding.file)},
        "region": {"startLine": finding.line},
    }
    return {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity.word],
        "message": {"text": finding.text},
        "locations": [{"physicalLocation": place}],
    }
