"""What a check is made from: a URL and options, read key by key.

Reading collects problems instead of raising at the first one. It remembers which options were read,
so an unknown option is recognised without a second list.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from gate.core import durations
from gate.core.attempt import SHORTEST_SECRET
from gate.core.errors import Problem
from gate.core.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gate.core.url import Url

T = TypeVar("T")
TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})


class Target:
    """The URL and the options of one dependency, for `parse()` of a check.

    Every reading method returns a usable value whatever is written there, and notes a
    problem, with the place, where that is wrong. Durations are seconds.
    """

    def __init__(
        self,
        *,
        name: str,
        place: str,
        url: Url,
        options: Sequence[tuple[str, str | None]] = (),
        timeout: float = 3.0,
    ) -> None:
        self.name = name
        self.place = place
        self.url = url
        self.timeout = timeout
        """Limit of one attempt; for libraries that want one of their own."""
        self.problems: list[Problem] = []
        self.paths: list[str] = []
        """What its check looks at on the machine: in a pod, on a volume."""
        self._options = tuple(options)
        self._known: set[str] = set()
        self._shown: set[str] = set()
        self._secrets = [url.password or ""]

    def toward(self, url: Url, defaults: Sequence[tuple[str, str]] = ()) -> Target:
        """Return this target with another URL, and with *defaults* for options not given.

        It shares problems, secrets and known options with this one.
        """
        there = copy(self)
        there.url = url
        given = {name for name, _ in self._options}
        there._options = (  # noqa: SLF001 -- its own class
            *(pair for pair in defaults if pair[0] not in given),
            *self._options,
        )
        return there

    def problem(self, text: str) -> None:
        """Note that this dependency is configured wrong; *text* holds no secret."""
        self.problems.append(Problem(self.place, text))

    def keep_secret(self, value: str) -> None:
        """Have *value* taken out of every text that is shown, a server's answer included."""
        self._secrets.append(value)

    def keep_path(self, *paths: str) -> None:
        """Note what the check looks at on the machine; what is no absolute path is not."""
        self.paths += [path for path in paths if path.startswith("/")]

    def show(self, *parameters: str) -> None:
        """Let the values of *parameters* of the URL's query be shown: they hold no secret.

        Named as by `plain`. The value of a parameter that the check does not name is a secret.
        """
        self._shown.update(parameters)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values to take out, the longest first."""
        found = {*self._secrets, *self._hidden(self.url.query)}
        # As a URL writes them too, this one and others: servers and libraries repeat those.
        found |= {quote(value, safe="", errors="replace") for value in found}
        found |= self._hidden(self.url.query_as_written)
        found = {value for value in found if len(value) >= SHORTEST_SECRET}
        return tuple(sorted(found, key=len, reverse=True))

    def _hidden(self, query: Iterable[tuple[str, str]]) -> set[str]:
        return {value for name, value in query if plain(name) not in self._shown}

    def many(self, key: str, *, secret: bool = False) -> tuple[str, ...]:
        """Return every value of the repeatable option *key*."""
        self._known.add(key)
        values = []
        for name, value in self._options:
            if name == key and not value:
                self.problem(f"{key}: wants a value, {key}=…")
            elif name == key and value:
                values.append(value)
        for value in values if secret else ():
            self.keep_secret(value)
        return tuple(values)

    def text(self, key: str, default: str = "", *, secret: bool = False) -> str:
        """Return the value of *key*, or *default* where it is not given."""
        values = self.many(key, secret=secret)
        if len(values) > 1:
            self.problem(f"{key}: given {len(values)} times, wanted once")
        return values[0] if values else default

    def flag(self, key: str) -> bool:
        """Return whether the option *key* is there (`key`, `key=true`)."""
        self._known.add(key)
        given = [value for name, value in self._options if name == key]
        if not given:
            return False
        value = (given[-1] if given[-1] is not None else "true").lower()
        if value not in TRUE | FALSE:
            self.problem(f"{key}: is on or off; write {key} or {key}=false")
        return value in TRUE

    def read(self, key: str, convert: Callable[[str], T], default: T) -> T:
        """Return what *convert* makes of *key*; its `ValueError` becomes a problem."""
        text = self.text(key)
        if not text:
            return default
        try:
            return convert(text)
        except ValueError as exc:
            self.problem(f"{key}: {exc}")
            return default

    def seconds(self, key: str, default: float) -> float:
        """Return the duration *key*, which must be above 0."""
        return self.read(key, positive_duration, default)

    def number(self, key: str, default: int, *, least: int = 0) -> int:
        """Return the whole number *key*, not below *least*."""
        return self.read(key, lambda text: whole_number(text, least), default)

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """Return the value of *key*, one of *choices*."""
        return self.read(key, lambda text: one_of(text, choices), default)

    def host_and_port(self, default_port: int | None = None) -> tuple[str, int]:
        """Return the host and port of the URL; without a port, *default_port*."""
        port = self.url.port or default_port
        if len(self.url.hosts) != 1 or port is None:
            form = f"{self.url.scheme}://host:port"
            self.problem(f"the URL wants one host and a port; write {form}")
            return "localhost", 1
        return self.url.host, port

    def wants_only(
        self, form: str, *, is_path_read: bool = False, is_host_read: bool = True
    ) -> None:
        """Note a problem for parts of the URL that *form*, which the check reads, does not have.

        Call it after the options are read: it says which of them were put into the query by
        mistake.
        """
        url = self.url
        parts = {
            "user": url.username is not None or url.password is not None,
            "host": not is_host_read and bool(url.hosts),
            "path": not is_path_read and url.path.strip("/") != "",
            "query": url.raw_query != "",
        }
        found = [part for part, is_there in parts.items() if is_there]
        if found:
            options = [f"{name}=…" for name, _ in url.query if name in self._known]
            after = f" {' '.join(options or ['option=…'])}" if parts["query"] else ""
            self.problem(f"the URL wants no {' and no '.join(found)}; write {form}{after}")

    def unknown_options(self) -> None:
        """Note a problem for each option that was not read.

        The word is shown only where it is close to a known option: it may be a piece of a password
        with a space in it.
        """
        far = []
        for position, (key, _) in enumerate(self._options, start=1):
            if key in self._known:
                continue
            near = closest(key, self._known) if key.replace("-", "").isalnum() else ""
            if near:
                self.problem(f"{key}: unknown option; did you mean {near}?")
            else:
                far.append(str(position))
        if far:
            has_comment = any(key.startswith("#") for key, _ in self._options)
            space = "a space in a URL is written %20"
            hint = "a comment stands on a line of its own" if has_comment else space
            options = f"{self.url.scheme} takes {', '.join(sorted(self._known))}"
            self.problem(f"option {', '.join(far)}: unknown; {options}; {hint}")


def plain(parameter: str) -> str:
    """Return the name of *parameter* in one form for all drivers: `ssl_ca` is `sslca`."""
    return parameter.lower().replace("_", "").replace("-", "")


def positive_duration(text: str) -> float:
    """Return the seconds of *text*; raises `ValueError` for nothing or less."""
    seconds = durations.parse(text)
    if seconds <= 0:
        msg = f"{text!r} is no time at all; it must be more than 0"
        raise ValueError(msg)
    return seconds


def whole_number(text: str, least: int = 0) -> int:
    """Return *text* as an integer not below *least*; raises `ValueError`."""
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:  # noqa: PLR2004 -- nine digits
        msg = f"{text[:40]!r} is not a whole number from {least}"
        raise ValueError(msg)
    return int(text)


def one_of(text: str, choices: Sequence[str]) -> str:
    """Return *text* if it is one of *choices*; raises `ValueError`."""
    if text not in choices:
        near = closest(text, choices)
        hint = f"; did you mean {near}?" if near else ""
        msg = f"{text[:40]!r} is not one of {', '.join(choices)}{hint}"
        raise ValueError(msg)
    return text
