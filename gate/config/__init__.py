"""From environment, flags and arguments to a `Config`, or to every problem there is.

It opens no file and knows no scheme: each check reads its own options from the same `Target`
(`gate.checks.load`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gate.config import dependencies, separate_options, service_links, settings, words
from gate.config.dependencies import ConfiguredDependency, Source
from gate.config.longest_wait import longest_wait
from gate.config.references import undefined
from gate.config.settings import SETTINGS, Settings
from gate.config.settings import read as read_settings
from gate.core.errors import Problem
from gate.core.names import IMAGE_VARIABLE
from gate.core.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "SETTINGS",
    "Config",
    "ConfiguredDependency",
    "Settings",
    "longest_wait",
    "read",
    "read_settings",
]

LIST = "GATE_DEPENDENCIES"
PREFIX = "GATE_DEPENDENCY_"
OPTIONS = separate_options.PREFIX
FROM_ENV = "GATE_FROM_ENV"


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration as far as it could be read, and what is wrong with it."""

    settings: Settings
    dependencies: tuple[ConfiguredDependency, ...]
    problems: tuple[Problem, ...]
    """What is wrong, apart from the problems that the targets of `dependencies` hold."""
    order: tuple[str, ...] = ()
    """The places of the dependencies, as they were written."""

    def all_problems(self) -> tuple[Problem, ...]:
        """Return every problem, those in the targets too, in the order of writing.

        Complete once each target's check has been loaded.
        """
        rank = {place: number for number, place in enumerate(self.order)}
        problems = [
            *self.problems,
            *(p for each in self.dependencies for p in each.target.problems),
        ]
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
        if name.startswith("GATE_") and not service_links.is_injected(name, environ)
    }
    # Everything that can be read is read, because there may be more that is wrong.
    texts = {name: _readable(value) for name, value in own.items()}
    named = {f"argument {number}": text for number, text in enumerate(arguments, start=1)}
    mistaken = [*_unknown(own), *_unreadable({**own, **named}, places), *_undefined(texts, places)]
    found, wrong = settings.read(
        {name: value for name, value in texts.items() if not undefined(value)}, places
    )
    sources = _arguments(named) if named else _sources(texts, places)
    if not named:
        sources, lost = _completed(found.from_env, sources, environ, texts)
        mistaken += [Problem(places.get(place, place), text) for place, text in lost]
    entries = dependencies.read(sources, found)
    wanted = tuple(entry for entry in entries if isinstance(entry, ConfiguredDependency))
    problems = [*mistaken, *wrong, *(entry for entry in entries if isinstance(entry, Problem))]
    # A misspelt variable is probably the one that should have held them.
    if not (sources or mistaken or found.allow_empty or found.disabled):
        text = "no dependency; set it, or GATE_ALLOW_EMPTY=true if there is none on purpose"
        problems.append(Problem(LIST, text))
    order = tuple(entry.place for entry in entries)
    return Config(found, wanted, tuple(problems), order)


def _unknown(own: Mapping[str, str]) -> list[Problem]:
    known = {*settings.VARIABLES, LIST}
    problems = []
    for name in sorted(own):
        if (
            name in (*known, IMAGE_VARIABLE)
            or _has_more_than(PREFIX, name)
            or _has_more_than(OPTIONS, name)
        ):
            continue
        near = closest(name, {*known, PREFIX + "NAME", OPTIONS + "NAME"})
        hint = (
            f"did you mean {near}?"
            if near
            else f"gate has {PREFIX}<NAME>, {OPTIONS}<NAME>, {', '.join(sorted(known))}"
        )
        # A variable's name can hold anything but `=`, line breaks included.
        place = name if name.isprintable() else ascii(name)
        problems.append(Problem(place, f"unknown variable; {hint}"))
    return problems


def _has_more_than(prefix: str, name: str) -> bool:
    return name.startswith(prefix) and name != prefix


def _readable(text: str) -> str:
    """Return *text* with a ? for each byte that is not UTF-8 (Python has surrogates there)."""
    return text.encode(errors="replace").decode()


def _unreadable(own: Mapping[str, str], places: Mapping[str, str]) -> list[Problem]:
    return [
        Problem(places.get(name, name), "holds bytes that are not UTF-8; write it in UTF-8")
        for name, value in sorted(own.items())
        if name.isprintable() and _readable(value) != value
    ]


def _undefined(own: Mapping[str, str], places: Mapping[str, str]) -> list[Problem]:
    """Return the undefined references in settings.

    Lines of dependencies are checked one by one elsewhere.
    """
    told = {
        places.get(name, name): undefined(value)
        for name, value in sorted(own.items())
        if name != LIST and not name.startswith((PREFIX, OPTIONS))
    }
    return [Problem(place, text) for place, text in told.items() if text]


def _arguments(named: Mapping[str, str]) -> list[Source]:
    return [Source(place, _readable(text), is_argument=True) for place, text in named.items()]


def _sources(own: Mapping[str, str], places: Mapping[str, str]) -> list[Source]:
    """Return the lines of the list in order, then the single variables by name."""
    place = places.get(LIST, LIST)
    found = words.lines(own.get(LIST, ""))
    listed = [Source(f"{place} {line}", text, is_part="part" in line) for line, text in found]
    single = [
        Source(name, own[name], _lower(name.removeprefix(PREFIX)), variables=(name,))
        for name in sorted(own)
        if _has_more_than(PREFIX, name)
    ]
    return listed + single


def _lower(name: str) -> str:
    return name.lower().replace("_", "-")


def _completed(
    from_env: Sequence[str],
    sources: list[Source],
    environ: Mapping[str, str],
    own: Mapping[str, str],
) -> tuple[list[Source], list[Problem]]:
    """Return *sources*, the app's own too, with the options that have variables of their own."""
    problems: list[Problem] = []
    if from_env:
        from gate.config import from_env as the_app_s  # noqa: PLC0415 -- only where asked for

        readable = {name: _readable(value) for name, value in environ.items()}
        found = the_app_s.sources(from_env, readable)
        problems = [each for each in found if isinstance(each, Problem)]
        sources = sources + [each for each in found if isinstance(each, Source)]
    sources, lost = separate_options.applied(own, sources)
    # Where a variable is wrong, its options are not what is.
    return sources, problems or lost
