"""`make bench`, or `make bench B="table plots"` for some of it."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.bench import goals, measuring, peers, plots, sections


def draw() -> None:
    """Print the table, and draw what it shows."""
    plots.plots(peers.table())


ALL: dict[str, Callable[[], object]] = {
    "table": peers.table,
    "goals": goals.goals,
    "light": goals.light,
    "plots": draw,
    "probe": sections.probe,
    "listening": sections.listening,
    "starting": sections.starting,
    "cold": sections.cold,
    "paths": sections.paths,
    "drivers": sections.drivers,
    "linting": sections.linting,
}
"""What can be asked for; without a word, the table and the goals."""


def main(names: list[str]) -> None:
    measuring.prepare()
    for name in names or ("table", "goals"):
        ALL[name]()


main(sys.argv[1:])
