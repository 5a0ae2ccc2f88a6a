"""For people: the place, the line, what will happen, and the remedy."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gate.lint.finding import Finding
    from gate.lint.run import Report


def write(report: Report) -> str:
    """Return the findings and a last line with their number."""
    return "".join(_finding(each) for each in report.findings) + _summary(report)


def _finding(finding: Finding) -> str:
    lines = [f"{finding.file}:{finding.line}: {finding.severity.word}: {finding.rule}"]
    if finding.subject:
        lines.append(f"    in {finding.subject}")
    if finding.excerpt:
        lines.append(f"  > {finding.excerpt}")
    lines += [f"    {finding.message}", f"    remedy: {finding.remedy}"]
    return "\n".join(lines) + "\n\n"


def _summary(report: Report) -> str:
    counts = Counter(finding.severity for finding in report.findings)
    parts = [
        _many(count, severity.word) if severity else f"{count} info"
        for severity, count in sorted(counts.items(), reverse=True)
    ]
    where = f"{_many(report.pods, 'pod')} in {_many(report.files, 'file')}"
    known = f" ({report.known} more in the baseline)" if report.known else ""
    return f"{where}: {', '.join(parts) or 'nothing found'}{known}\n"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
