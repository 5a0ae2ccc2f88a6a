"""How a report is written: one file for each form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.outputs import as_json, github, junit, plain, sarif

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.lint.run import Report

FORMS: dict[str, Callable[[Report], str]] = {
    "text": plain.write,
    "json": as_json.write,
    "github": github.write,
    "sarif": sarif.write,
    "junit": junit.write,
}
