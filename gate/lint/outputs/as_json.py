"""For programs: one object; names are stable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gate.lint.run import Report


def write(report: Report) -> str:
    """Return the report as JSON."""
    findings = [
        {
            "file": each.file,
            "line": each.line,
            "rule": each.rule,
            "severity": each.severity.word,
            "subject": each.subject,
            "message": each.message,
            "remedy": each.remedy,
        }
        for each in report.findings
    ]
    counts = {"files": report.files, "pods": report.pods, "known": report.known}
    whole = {**counts, "findings": findings}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
