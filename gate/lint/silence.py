"""Findings that somebody has silenced, with a reason, beside the line or in an annotation.

    # gate-lint: ignore=RULE the reason

on the line of the finding or the one above it, several rules with `,` between. For a whole pod:
the annotation `gate-lint/ignore.RULE: the reason`, in the pod's own metadata.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gate.lint.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from gate.lint.pod import Pod

MARK = "gate-lint:"
ANNOTATION = "gate-lint/ignore."
_COMMENT = re.compile(r"#\s*gate-lint:\s*ignore(?:=(\S+))?[ \t]*(.*)")


class Silence(NamedTuple):
    """One rule that shall say nothing of some lines."""

    rule: str
    line: int
    last: int
    reason: str


def comments(lines: Sequence[str]) -> list[Silence]:
    """Return the silences written as comments; one holds to the next line with more than that."""
    found = []
    for number, line in enumerate(lines, start=1):
        if MARK not in line or not (match := _COMMENT.search(line)):
            continue
        last = number
        while last < len(lines) and lines[last - 1].lstrip().startswith("#"):
            last += 1
        names = (match[1] or "").split(",")
        found += [Silence(name, number, last, match[2].strip()) for name in names]
    return found


def of_pod(pod: Pod) -> list[Silence]:
    """Return the silences of *pod* as a whole."""
    return [
        Silence(name.removeprefix(ANNOTATION), pod.line, pod.line, reason.strip())
        for name, reason in pod.annotations.items()
        if name.startswith(ANNOTATION)
    ]


def is_silent(name: str, line: int, silences: Iterable[Silence]) -> bool:
    """Whether one of *silences*, with a reason, holds for rule *name* at *line*."""
    return any(
        each.rule == name and each.reason and each.line <= line <= each.last for each in silences
    )


def faults(silences: Iterable[Silence], known: Collection[str]) -> Iterator[Hit]:
    """Return what is wrong with the silences themselves."""
    for each in silences:
        if each.rule not in known:
            text = "this silences no rule there is"
            yield Hit(each.line, text, "write ignore=RULE; gate lint --explain all lists them")
        elif not each.reason:
            text = f"this silences {each.rule} without a reason, so it does not count"
            yield Hit(each.line, text, f"write ignore={each.rule} and the reason behind it")
