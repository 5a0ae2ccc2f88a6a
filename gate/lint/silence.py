"""Findings that somebody has silenced, with a reason, beside the line or in an annotation.

    # gate-lint: ignore=RULE the reason

on the line of the finding or the one above it, several rules with `,` between. For a whole pod:
the annotation `gate-lint/ignore.RULE: the reason`, in the pod's metadata or its workload's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gate.pods.hit import Hit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from gate.pods.pod import Pod

MARK = "gate-lint:"
_OURS = "gate-lint/"
_ANNOTATION = f"{_OURS}ignore."
_COMMENT = re.compile(r"#\s*gate-lint:\s*(?:ignore=(\S+))?[ \t]*(.*)")


class Silence(NamedTuple):
    """One rule that shall say nothing of some lines."""

    rule: str
    """Empty where it cannot be read."""
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
        Silence(_named(each.name), each.line, each.line, each.value.strip())
        for each in pod.notes
        if each.name.startswith(_OURS)
    ]


def _named(annotation: str) -> str:
    return annotation.removeprefix(_ANNOTATION) if annotation.startswith(_ANNOTATION) else ""


def is_silent(name: str, line: int, silences: Iterable[Silence]) -> bool:
    """Whether one of *silences*, with a reason, holds for rule *name* at *line*."""
    return any(
        each.rule == name and each.reason and each.line <= line <= each.last for each in silences
    )


def faults(
    silences: Iterable[Silence], known: Collection[str], elsewhere: Collection[str] = ()
) -> Iterator[Hit]:
    """Return what is wrong with the silences themselves.

    *known* are the rules that can be silenced there, *elsewhere* those that can be beside a line.
    """
    for each in silences:
        if each.rule in elsewhere:
            text = f"{each.rule} cannot be silenced for a whole pod, so this does nothing"
            remedy = f"write # gate-lint: ignore={each.rule} and the reason beside the line"
            yield Hit(each.line, text, remedy)
        elif each.rule not in known:
            text = "this silences no rule that can be silenced"
            yield Hit(each.line, text, "write ignore=RULE; gate lint --explain all lists them")
        elif not each.reason:
            text = f"this silences {each.rule} without a reason, so it does not count"
            yield Hit(each.line, text, f"write ignore={each.rule} and the reason behind it")
