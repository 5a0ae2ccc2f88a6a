"""What is known already: the findings of an earlier run, as `--output json` wrote them.

A finding is the same while file, rule and subject are: lines move, and texts get better. Of several
alike as many are known as the earlier run had, in the order of their lines.
"""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gate.lint import rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.lint.finding import Finding
    from gate.lint.run import Report

    Key = tuple[str, str, str]

_KEYS = ("file", "rule", "subject")


class BaselineError(ValueError):
    """The text is no report of `gate lint --output json`."""


def read(text: str) -> Counter[Key]:
    """Return how often each finding is in the report *text*; raises `BaselineError`."""
    try:
        return Counter(_key(*(each[name] for name in _KEYS)) for each in _findings(text))
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        msg = "not a report of gate lint --output json"
        raise BaselineError(msg) from exc


def _findings(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["findings"]
    return found


def without_known(report: Report, known: Counter[Key]) -> Report:
    """Return *report* without the findings of *known*, and with the number of those left out."""
    left = tuple(_new(report, Counter(known)))
    return replace(report, findings=left, known=len(report.findings) - len(left))


def _new(report: Report, known: Counter[Key]) -> Iterator[Finding]:
    for each in report.findings:
        key = _key(each.file, each.rule, each.subject)
        # What cannot be read hides what else there may be.
        if known[key] > 0 and each.rule != rules.YAML.id:
            known[key] -= 1
        else:
            yield each


def _key(file: str, rule: str, subject: str) -> Key:
    return posixpath.normpath(file), rule, subject
