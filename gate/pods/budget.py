"""How long a startup probe lets a container wait."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from gate.core import durations
from gate.pods import commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gate.pods.pod import Probe


def hold_of(probe: Probe) -> float | None:
    """Return the seconds a probe asks gate to hold it, None where it does not."""
    if probe.action.kind == "httpGet":
        query = dict(parse_qsl(probe.action.path.partition("?")[2]))
        return seconds(query.get("hold"))
    return seconds(option(commands.gate_words(probe.action.command), "--hold"))


def of(probe: Probe) -> float:
    """Return the seconds until the kubelet kills the container.

    One probe lasts as long as it is held, but no longer than its timeout, and no shorter than
    the period.
    """
    held = min(hold_of(probe) or 0.0, float(probe.timeout))
    return probe.initial_delay + probe.failures * max(float(probe.period), held)


def option(words: Sequence[str], name: str) -> str | None:
    """Return what *words* give for the option *name*, as two words or with `=`."""
    for index, word in enumerate(words):
        key, equals, value = word.partition("=")
        if key == name:
            return value if equals else next(iter(words[index + 1 : index + 2]), None)
    return None


def seconds(text: str | None) -> float | None:
    """Return the duration *text*, None where there is none."""
    try:
        return durations.parse(text) if text else None
    except ValueError:
        return None
