"""The forms of output: each makes a text of a `Report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.status.outputs import as_json, dot, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gate.status.report import Report

FORMS: dict[str, Callable[[Report], str]] = {
    "text": text.write,
    "json": as_json.write,
    "dot": dot.write,
}
