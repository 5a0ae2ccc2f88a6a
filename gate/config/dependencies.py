"""Dependencies: from lines and variables to `Dependency` and `Target`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gate.config import words
from gate.config.references import undefined
from gate.core import url as urls
from gate.core.errors import Problem
from gate.core.model import Dependency, Until
from gate.core.target import Target, positive_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gate.config.settings import Settings

OPTIONAL_DEADLINE = 30.0
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST_NAME = 63
_NAME_FORM = f"1 to {_LONGEST_NAME} letters, digits and . _ -, a letter or digit first"


@dataclass(frozen=True, slots=True)
class Source:
    """One place where a dependency is written; *name* is set where the text has none."""

    place: str
    text: str = field(repr=False)
    name: str = ""
    is_part: bool = False
    """Whether the line has a `;` in it.

    Then what looks like a name may be a piece of a password.
    """
    is_argument: bool = False
    """Whether it is an argument of the command line, where it must be one word for the shell."""


@dataclass(frozen=True, slots=True)
class Line:
    """One dependency in words, its URL in parts."""

    place: str
    name: str
    url: urls.Url
    options: tuple[tuple[str, str | None], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConfiguredDependency:
    """A dependency, and the target its check is made from."""

    dependency: Dependency
    target: Target

    @property
    def place(self) -> str:
        """Where it is written."""
        return self.target.place

    @property
    def dependency_with_secrets(self) -> Dependency:
        """The dependency with all secrets that its check has registered so far."""
        return replace(self.dependency, secrets=self.target.secrets)


def read(sources: Iterable[Source], settings: Settings) -> list[ConfiguredDependency | Problem]:
    """Return for each of *sources* the dependency, or why there is none.

    More that is wrong with a dependency is in its target.
    """
    lines = [_line(source) for source in sources]
    names = iter(_names([line for line in lines if isinstance(line, Line)]))
    entries: list[ConfiguredDependency | Problem] = []
    first: dict[str, str] = {}
    for line in lines:
        if isinstance(line, Problem):
            entries.append(line)
            continue
        entries.append(wanted := _wanted(line, next(names), settings))
        if (taken := first.setdefault(wanted.target.name, line.place)) != line.place:
            remedy = "give each its own" if line.name else "write a name before each"
            wanted.target.problem(f"has the same name as {taken}; {remedy}")
    _refuse_ambiguous_parts(entries)
    return entries


def _refuse_ambiguous_parts(entries: Iterable[ConfiguredDependency | Problem]) -> None:
    """Note a problem where a group has a dependency's name, as `/startupz/NAME` would mean both."""
    found = [entry for entry in entries if isinstance(entry, ConfiguredDependency)]
    names = {entry.dependency.name for entry in found}
    for entry in found:
        if entry.dependency.part in names:
            entry.target.problem(
                f"group={entry.dependency.part}: a dependency has that name; "
                "call the group something else"
            )


def _line(source: Source) -> Line | Problem:
    place = source.place
    try:
        found = words.split(source.text)
        is_command = "exec" in map(urls.scheme_of, found)
        if wrong := undefined(source.text, is_command=is_command):
            return Problem(place, wrong)
        name, found = _take_name(source, found)
        if name and not source.name and not source.is_part:
            place = f"{place} ({name})"
        url = urls.parse(found[0])
        return Line(place, name, url, tuple(_option(word) for word in found[1:]))
    except ValueError as exc:
        return Problem(place, str(exc))


def _take_name(source: Source, found: list[str]) -> tuple[str, list[str]]:
    """Return the name, empty if none is given, and of the words *found* those from the URL on."""
    name = source.name
    if not found:
        msg = "is empty; give it a URL or remove it (is the key in the Secret empty?)"
        raise ValueError(msg)
    if not name and urls.scheme_of(found[0]) is None:
        name, found = found[0], found[1:]
    if not found or urls.scheme_of(found[0]) is None:
        form = "scheme://host:port [option=value …]"
        form = f"{form} without a name" if source.name else f"[name] {form}"
        form = f"{form}, in one pair of quotes" if source.is_argument else form
        msg = f"no URL; write {form} (in a URL a ; is written %3B, a space %20)"
        raise ValueError(msg)
    if name and not _is_name(name):
        msg = f"a name is {_NAME_FORM}"
        raise ValueError(msg)
    return name, found


def _is_name(name: str) -> bool:
    return _NAME_CHARS.issuperset(name) and name[0].isalnum() and len(name) <= _LONGEST_NAME


def _option(word: str) -> tuple[str, str | None]:
    key, equals, value = word.partition("=")
    if "@" in key:
        msg = "an option holds an @; a space in a URL is written %20"
        raise ValueError(msg)
    if "://" in key:
        msg = "a second URL; write one dependency a line (a YAML text with lines begins with |)"
        raise ValueError(msg)
    return key, value if equals else None


def _group(text: str) -> str:
    if not _is_name(text):
        msg = f"the name of a group is {_NAME_FORM}"
        raise ValueError(msg)
    return text


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


def _wanted(line: Line, name: str, settings: Settings) -> ConfiguredDependency:
    target = Target(name=name, place=line.place, url=line.url, options=line.options)
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
        group=target.read("any", _group, None),
        part=target.read("group", _group, None),
        monitor=target.flag("monitor"),
        until=Until(target.choice("until", (Until.DOWN, Until.GONE), Until.READY)),
        is_local=line.url.is_local,
    )
    return ConfiguredDependency(dependency, target)
