"""Dependencies: from lines and variables to what is waited for, and with which options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gate import url as urls
from gate.config import words
from gate.errors import Problem
from gate.model import Dependency
from gate.target import Target, positive_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gate.config.settings import Settings

OPTIONAL_DEADLINE = 30.0
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Source:
    """Where a dependency is written: its place, its text, its name if that is outside."""

    place: str
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One dependency in words, its URL in parts."""

    place: str
    name: str
    url: urls.Url
    options: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A dependency, and the target its check is made from."""

    dependency: Dependency
    target: Target

    @property
    def dependency_with_secrets(self) -> Dependency:
        """The dependency with all secrets that its check has read by now."""
        return replace(self.dependency, secrets=self.target.secrets)


def read(sources: Iterable[Source], settings: Settings) -> tuple[list[Wanted], list[Problem]]:
    """Return the dependencies of *sources* in order, and what is wrong with them."""
    problems: list[Problem] = []
    lines = [line for source in sources if (line := _line(source, problems))]
    wanted: dict[str, Wanted] = {}
    for line, name in zip(lines, _names(lines), strict=True):
        if name in wanted:
            first = wanted[name].target.place
            problems.append(
                Problem(line.place, f"the name {name} is taken by {first}; give each its own")
            )
            continue
        wanted[name] = _wanted(line, name, settings)
    return list(wanted.values()), problems


def _line(source: Source, problems: list[Problem]) -> Line | None:
    place = source.place
    try:
        name, found = _take_name(source)
        if name and not source.name:
            place = f"{place} ({name})"
        url = urls.parse(found[0])
    except ValueError as exc:
        problems.append(Problem(place, str(exc)))
        return None
    return Line(place, name, url, tuple(_option(word) for word in found[1:]))


def _take_name(source: Source) -> tuple[str, list[str]]:
    """Return the name, empty if none is given, and the words from the URL on."""
    name, found = source.name, words.split(source.text)
    if not name and found and urls.scheme_of(found[0]) is None:
        name, found = found[0], found[1:]
    if not found or urls.scheme_of(found[0]) is None:
        msg = (
            "no URL; write [name] scheme://host:port [option=value …] as one text "
            "(a ; in a URL is written %3B, a space %20)"
        )
        raise ValueError(msg)
    if name and not _is_name(name):
        msg = f"a name is 1 to {_LONGEST_NAME} letters, digits and . _ -, no sign first"
        raise ValueError(msg)
    return name, found


def _is_name(name: str) -> bool:
    return _NAME_CHARS.issuperset(name) and name[0].isalnum() and len(name) <= _LONGEST_NAME


def _option(word: str) -> tuple[str, str | None]:
    key, equals, value = word.partition("=")
    return key, value if equals else None


def _names(lines: list[Line]) -> list[str]:
    """Return a name for each: its own, or its URL's host with as much more as is needed."""
    own = {line.name for line in lines}
    choices = [_name_choices(line.url) for line in lines]
    return [
        line.name or _first_free(index, choices, own | {""}) for index, line in enumerate(lines)
    ]


def _first_free(index: int, choices: list[tuple[str, ...]], own: set[str]) -> str:
    """Return the shortest of the choices at *index* that nobody else may use."""
    others = {name for i, names in enumerate(choices) if i != index for name in names}
    for name in choices[index]:
        if name not in own and name not in others:
            return name
    return choices[index][-1]


def _name_choices(url: urls.Url) -> tuple[str, ...]:
    """Return host, host-port, host-port-path and the scheme before them, cleaned."""
    hosts = "-".join(host.name for host in url.hosts)
    ports = "-".join(str(host).replace(":", "-") for host in url.hosts)
    path = str(url).partition(":")[2] if url.is_opaque else url.path
    forms = (hosts, ports, f"{ports}-{path}", f"{url.scheme}-{ports}-{path}")
    return tuple(filter(None, (_clean(form) for form in forms)))


def _clean(text: str) -> str:
    kept = "".join(char if char in _NAME_CHARS else "-" for char in text)
    while "--" in kept:
        kept = kept.replace("--", "-")
    return kept.strip("-._")[-_LONGEST_NAME:].lstrip("-._")


def _wanted(line: Line, name: str, settings: Settings) -> Wanted:
    place = line.place if line.name else f"{line.place} ({name})"
    target = Target(name=name, place=place, url=line.url, options=line.options)
    timeout = target.seconds("timeout", settings.check_timeout)
    target.timeout = timeout
    optional = target.flag("optional")
    deadline = target.read("deadline", positive_duration, OPTIONAL_DEADLINE if optional else None)
    dependency = Dependency(
        name=name,
        url=str(line.url),
        timeout=timeout,
        interval=target.seconds("interval", settings.interval),
        successes=target.number("successes", settings.successes, least=1),
        deadline=deadline,
        optional=optional,
        group=target.text("any") or None,
        monitor=target.flag("monitor"),
        until_down=target.choice("until", ("down",), "") == "down",
        is_local=line.url.is_local,
    )
    return Wanted(dependency, target)
