"""Commands of a GitHub workflow: findings appear beside the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gate.lint.run import Report

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}
_TEXT = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def write(report: Report) -> str:
    """Return one line for each finding."""
    return "".join(
        f"::{_COMMANDS[each.severity.word]} file={each.file.translate(_PROPERTY)},"
        f"line={each.line},title=gate lint%3A {each.rule}::{each.text.translate(_TEXT)}\n"
        for each in report.findings
    )
