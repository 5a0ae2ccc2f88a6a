"""From environment, flags and arguments to a `Config`, or to every problem there is.

Opens no file and knows no scheme: what a URL's own options mean is for its check to say,
with the same `Target` (`gate.checks.load`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.config import dependencies, links, settings, words
from gate.config.dependencies import Source, Wanted
from gate.config.settings import SETTINGS, Settings
from gate.errors import Problem
from gate.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SETTINGS", "Config", "Settings", "Wanted", "read"]

LIST = "GATE_DEPENDENCIES"
PREFIX = "GATE_DEPENDENCY_"


@dataclass(frozen=True, slots=True)
class Config:
    """What was configured, as far as it could be read, and what was wrong with it."""

    settings: Settings
    wanted: tuple[Wanted, ...]
    problems: tuple[Problem, ...]
    """What was wrong, but for what the targets of `wanted` hold."""
    order: tuple[str, ...] = ()
    """The places of the dependencies, as they were written."""

    def all_problems(self) -> tuple[Problem, ...]:
        """Return every problem, those in the targets too, in the order of writing.

        Complete once each target's check has been loaded.
        """
        rank = {place: number for number, place in enumerate(self.order)}
        problems = [*self.problems, *(p for each in self.wanted for p in each.target.problems)]
        return tuple(sorted(problems, key=lambda problem: rank.get(problem.place, -1)))


def read(
    environ: Mapping[str, str],
    *,
    flags: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
) -> Config:
    """Return the configuration in *environ*.

    *flags* (by variable name) win over their variables; *arguments* are dependencies that
    stand instead of the environment's.
    """
    places = {name: "--" + name[5:].lower().replace("_", "-") for name in flags or {}}
    own = {
        name: value
        for name, value in {**environ, **(flags or {})}.items()
        if name.startswith("GATE_") and not links.is_injected(name, environ)
    }
    mistaken = _unknown(own) + _undefined(own, places)
    sane = {name: value for name, value in own.items() if _reference(value) is None}
    found, wrong = settings.read(sane, places)
    sources = _arguments(arguments) if arguments else _sources(sane, places)
    entries = dependencies.read(sources, found)
    wanted = tuple(entry for entry in entries if isinstance(entry, Wanted))
    problems = [*mistaken, *wrong, *(entry for entry in entries if isinstance(entry, Problem))]
    # A mistaken variable is likely the one that should have held them.
    if not (sources or mistaken or found.allow_empty or found.disabled):
        text = "no dependency; set it, or GATE_ALLOW_EMPTY=true if there is none on purpose"
        problems.append(Problem(LIST, text))
    order = tuple(entry.place for entry in entries)
    return Config(found, wanted, tuple(problems), order)


def _unknown(own: Mapping[str, str]) -> list[Problem]:
    known = {*settings.VARIABLES, LIST}
    problems = []
    for name in sorted(own):
        if name in known or (name.startswith(PREFIX) and name != PREFIX):
            continue
        near = closest(name, {*known, PREFIX + "NAME"})
        hint = (
            f"did you mean {near}?"
            if near
            else f"gate has {PREFIX}<NAME>, {', '.join(sorted(known))}"
        )
        # A name can hold anything but `=`, a line break too.
        place = name if name.isprintable() else ascii(name)
        problems.append(Problem(place, f"unknown variable; {hint}"))
    return problems


def _undefined(own: Mapping[str, str], places: Mapping[str, str]) -> list[Problem]:
    """Kubernetes leaves `$(NAME)` as it is where NAME is not defined (fact 11.1)."""
    problems = []
    for name, value in sorted(own.items()):
        reference = _reference(value)
        if reference is None:
            continue
        # As variables are mostly written; anything else may be a piece of a password.
        what = f"$({reference})" if reference.isupper() else "a $(…) in it"
        text = (
            f"{what} is not defined; define it before this one in the container's env, "
            "check its spelling (a $ that is meant is written %24 in a URL)"
        )
        problems.append(Problem(places.get(name, name), text))
    return problems


def _reference(value: str) -> str | None:
    """Return NAME of the first `$(NAME)` in *value*."""
    for part in value.split("$(")[1:]:
        name, closed, _ = part.partition(")")
        if closed and name[:1].isidentifier() and name.replace("-", "_").isidentifier():
            return name
    return None


def _arguments(arguments: Sequence[str]) -> list[Source]:
    return [Source(f"argument {number}", text) for number, text in enumerate(arguments, start=1)]


def _sources(own: Mapping[str, str], places: Mapping[str, str]) -> list[Source]:
    """Return the lines of the list in order, then the single variables by name."""
    place = places.get(LIST, LIST)
    found = words.lines(own.get(LIST, ""))
    listed = [Source(f"{place} {line}", text, is_part="part" in line) for line, text in found]
    single = [
        Source(name, own[name], name.removeprefix(PREFIX).lower().replace("_", "-"))
        for name in sorted(own)
        if name.startswith(PREFIX) and name != PREFIX
    ]
    return listed + single
