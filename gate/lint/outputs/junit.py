"""JUnit's XML, as CI servers show it: a failed test for each finding to act on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from gate.lint.finding import Severity

if TYPE_CHECKING:
    from gate.lint.finding import Finding
    from gate.lint.run import Report


def write(report: Report) -> str:
    """Return the report as XML; info is in it as a test that passed with some output."""
    failed = sum(each.severity > Severity.INFO for each in report.findings)
    cases = [_case(each) for each in report.findings]
    if not cases:
        cases = [f'    <testcase classname="gate lint" name="{report.pods} pods"/>\n']
    counts = f'tests="{len(cases)}" failures="{failed}"'
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    inner = f'  <testsuite name="gate lint" {counts}>\n{"".join(cases)}  </testsuite>\n'
    return f"{head}<testsuites {counts}>\n{inner}</testsuites>\n"


def _case(finding: Finding) -> str:
    name = _attribute(f"{finding.rule} {finding.file}:{finding.line}")
    text = _clean(f"{finding.file}:{finding.line}: {finding.subject}: {finding.text}")
    if finding.severity > Severity.INFO:
        kind, message = _attribute(finding.severity.word), _attribute(finding.message)
        inner = f"<failure type={kind} message={message}>{escape(text)}</failure>"
    else:
        inner = f"<system-out>{escape(text)}</system-out>"
    return f"    <testcase classname={_attribute(finding.file)} name={name}>{inner}</testcase>\n"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """Return *text* without the characters that XML cannot hold at all."""
    return "".join(char if char.isprintable() or char in "\n\t" else "?" for char in text)
