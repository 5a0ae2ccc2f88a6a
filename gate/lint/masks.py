"""Takes out of a line what may be a secret, before it is shown."""

from __future__ import annotations

import re

_MASKS = (
    (re.compile(r"(\bvalue['\"]?\s*:\s*).*"), r"\1…"),
    (re.compile(r"(://)[^/\s]*@"), r"\1…@"),
    (
        re.compile(r"(?i)((?:passw\w*|token|secret|apikey|api[-_]key|authorization|bearer)\b).*"),
        r"\1…",
    ),
)


def masked(line: str) -> str:
    """Return *line* without values of variables, userinfo of URLs, and what follows `password`."""
    for pattern, mark in _MASKS:
        line = pattern.sub(mark, line)
    return line
