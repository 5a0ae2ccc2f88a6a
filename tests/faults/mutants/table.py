"""The table of MUTATION.md: what may live, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.mutants.changes import Mutant
    from tests.faults.mutants.trying import Verdict

TABLE = Path(__file__).parents[1] / "MUTATION.md"
ARROW = " → "
ANY = "any"
"""Stands for every change of what begins so: numbers that are chosen, say."""


@dataclass(frozen=True, slots=True)
class Row:
    """One change that the table explains, or several of one place."""

    module: str
    before: str
    after: str

    def explains(self, module: str, mutant: Mutant) -> bool:
        """Whether *mutant* of *module* is meant."""
        if module != self.module:
            return False
        if self.after == ANY:
            return mutant.whole.startswith(self.before)
        return (mutant.before, mutant.after) == (self.before, self.after)

    def __str__(self) -> str:
        return f"{self.module}: {self.before}{ARROW}{self.after}"


def rows(text: str) -> list[Row]:
    """Return what the tables in *text* explain: `| module | change<br>change | why |`."""
    found = []
    for line in text.splitlines():
        module, *rest = line.removeprefix("| ").split(" | ")
        for change in rest[0].split("<br>") if rest else ():
            before, arrow, after = change.strip("`").replace("\\|", "|").partition(ARROW)
            if arrow:
                found.append(Row(module.strip("`"), before, after))
    return found


@dataclass(slots=True)
class Outcome:
    """What has become of the mutants of a module."""

    module: str
    made: int = 0
    explained: int = 0
    left: list[str] = field(default_factory=list)
    """Those that live, and stand in no row of the table."""

    def take(self, verdict: Verdict, known: Sequence[Row]) -> str:
        """Count *verdict*; return what is to be told of it, empty if nothing is."""
        self.made += 1
        change = f"{verdict.mutant.before}{ARROW}{verdict.mutant.after}"
        if not verdict.lives:
            return ""
        if any(row.explains(self.module, verdict.mutant) for row in known):
            self.explained += 1
            return ""
        unseen = "" if verdict.is_run else "  (no test comes by)"
        self.left.append(change)
        return f"gate/{self.module}:{verdict.mutant.line}: {change}{unseen}"

    def row(self) -> str:
        """Return the row of the totals."""
        noticed = self.made - self.explained - len(self.left)
        return f"| `{self.module}` | {self.made} | {noticed} | {self.explained + len(self.left)} |"
