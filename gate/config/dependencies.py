"""Dependencies: from lines and variables to `Dependency` and `Target`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gate.config import names, words
from gate.config.references import undefined
from gate.core import url as urls
from gate.core.errors import Problem
from gate.core.model import Dependency, Until
from gate.core.target import Target, positive_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gate.config.settings import Settings

OPTIONAL_DEADLINE = 30.0


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
    variables: tuple[str, ...] = ()
    """The variables that hold it alone."""
    is_app: bool = False
    """Whether they are the app's own: of the URL only scheme, host and port are shown."""
    defaults: tuple[str, ...] = ()
    """Options for those that *text* does not have."""


@dataclass(frozen=True, slots=True)
class Line:
    """One dependency in words, its URL in parts."""

    source: Source
    place: str
    name: str
    url: urls.Url
    options: tuple[tuple[str, str | None], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConfiguredDependency:
    """A dependency, and the target its check is made from."""

    dependency: Dependency
    target: Target
    source: Source = field(default=Source("", ""), repr=False)

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
    right = [line for line in lines if isinstance(line, Line)]
    called = iter(names.chosen([(line.name, line.url) for line in right]))
    entries: list[ConfiguredDependency | Problem] = []
    first: dict[str, str] = {}
    for line in lines:
        if isinstance(line, Problem):
            entries.append(line)
            continue
        entries.append(wanted := _wanted(line, next(called), settings))
        if (taken := first.setdefault(wanted.target.name, line.place)) != line.place:
            wanted.target.problem(f"has the same name as {taken}; {_remedy(line)}")
    _refuse_ambiguous_parts(entries)
    return entries


def _remedy(line: Line) -> str:
    if line.source.is_app:
        return "leave one of the two out"
    return "give each its own" if line.name else "write a name before each"


def _refuse_ambiguous_parts(entries: Iterable[ConfiguredDependency | Problem]) -> None:
    """Note a problem where a group has a dependency's name, as `/startupz/NAME` would mean both."""
    found = [entry for entry in entries if isinstance(entry, ConfiguredDependency)]
    taken = {entry.dependency.name for entry in found}
    for entry in found:
        if entry.dependency.part in taken:
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
        word, *defaults = _as_gate_writes(found[0])
        url = urls.parse(word)
        options = [_option(word) for word in found[1:]]
        given = {key for key, _ in options}
        more = [_option(default) for default in (*source.defaults, *defaults)]
        options += [option for option in more if option[0] not in given]
        return Line(source, place, name, url, tuple(options))
    except ValueError as exc:
        return Problem(place, str(exc))


def _as_gate_writes(word: str) -> list[str]:
    """Return the URL *word*, of Java's what it means to gate, maybe with options behind it."""
    if urls.scheme_of(word) not in {"jdbc", "r2dbc"}:
        return [word]
    from gate.config import app_url  # noqa: PLC0415 -- only where it is needed

    return words.split(app_url.translate("", word))


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
    if name and not names.is_name(name):
        msg = f"a name is {names.FORM}"
        raise ValueError(msg)
    return name, found


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
    if not names.is_name(text):
        msg = f"the name of a group is {names.FORM}"
        raise ValueError(msg)
    return text


def _until(target: Target) -> Until:
    choices = (Until.DOWN, Until.GONE, Until.BLOCKED)
    until = Until(target.choice("until", choices, Until.READY))
    if until is Until.BLOCKED and target.url.scheme != "tcp":
        target.problem("until: blocked goes with tcp://host:port alone")
    return until


def _wanted(line: Line, name: str, settings: Settings) -> ConfiguredDependency:
    target = Target(name=name, place=line.place, url=line.url, options=line.options)
    timeout = target.seconds("timeout", settings.check_timeout)
    target.timeout = timeout
    optional = target.flag("optional")
    deadline = target.read("deadline", positive_duration, OPTIONAL_DEADLINE if optional else None)
    dependency = Dependency(
        name=name,
        url=_shown(line, target),
        timeout=timeout,
        interval=target.seconds("interval", settings.interval),
        successes=target.number("successes", settings.successes, least=1),
        deadline=deadline,
        optional=optional,
        group=target.read("any", _group, None),
        part=target.read("group", _group, None),
        monitor=target.flag("monitor"),
        until=_until(target),
        is_local=line.url.is_local,
    )
    return ConfiguredDependency(dependency, target, line.source)


def _shown(line: Line, target: Target) -> str:
    """Return the URL as it is shown.

    In the variable of an app the path of HTTP is as good a place for a secret as any.
    """
    url = line.url
    if not line.source.is_app or not url.hosts:
        return str(url)
    if url.scheme.startswith("http"):
        target.keep_secret(url.path)
    return str(replace(url, path=""))
