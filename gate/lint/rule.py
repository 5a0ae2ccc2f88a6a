"""What a rule is: a small function from a pod to hits, with its id, severity and fact.

Its docstring is what `gate lint --explain` says.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.pods.hit import Hit
from gate.pods.pod import Pod

if TYPE_CHECKING:
    from gate.lint.finding import Severity

Hits = Iterator[Hit]
Look = Callable[[Pod], Hits]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for in a pod."""

    id: str
    severity: Severity
    facts: str
    """Numbers in the project's notes on the kubelet, empty where none applies."""
    look: Look

    @property
    def title(self) -> str:
        """The first line of what the rule says of itself."""
        return self.text.partition("\n")[0].rstrip(".")

    @property
    def text(self) -> str:
        """The whole of it."""
        return inspect.getdoc(self.look) or self.id


def rule(name: str, severity: Severity, facts: str = "") -> Callable[[Look], Rule]:
    """Make a rule of a function."""
    return lambda look: Rule(name, severity, facts, look)
