"""The variables of the container: values as given, secrets as references to a Secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate import config
from gate.config import words
from gate.core.url import scheme_of
from gate.pods.editing.emitter import Commented

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gate.config import Config, ConfiguredDependency

_SHOWN = {"timeout", "interval", "successes", "deadline", "optional", "any", "monitor", "until"}
"""The options whose values are never secret."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A dependency, and how it was written."""

    configured: ConfiguredDependency
    text: str = field(repr=False)

    @property
    def variable(self) -> str:
        """Its own variable; empty if it was in the list."""
        return next(iter(self.configured.source.variables), "")

    @property
    def is_secret(self) -> bool:
        """Whether a URL's password or query, a header or the like must not be seen."""
        target = self.configured.target
        if len(self.configured.source.variables) > 1:
            return False  # what is secret stands in another of them
        names = () if target.url.is_opaque else target.url.query
        is_named_so = any("pass" in name.lower() for name, _ in names)
        return bool(target.url.password or target.secrets or is_named_so)

    @property
    def own_variable(self) -> str:
        """The name of a variable of its own."""
        name = self.configured.dependency.name.upper()
        stem = "".join(char if char.isalnum() else "_" for char in name)
        return self.variable or config.PREFIX + stem

    @property
    def options(self) -> list[str]:
        """The words after its URL."""
        if self.configured.source.is_app:
            return []
        found = words.split(self.text)
        return found[2 if scheme_of(found[0]) is None else 1 :]


def entries(read: Config, environ: Mapping[str, str]) -> list[Entry]:
    """Return the dependencies of *read*, which has no problems, with their texts."""
    listed = iter([text.strip() for _, text in words.lines(environ.get(config.LIST, ""))])
    return [
        Entry(wanted, environ[names[0]].strip() if names else next(listed))
        for wanted in read.dependencies
        for names in [wanted.source.variables]
    ]


def variables(found: Sequence[Entry], environ: Mapping[str, str], secret: str) -> list[object]:
    """Return the container's `env`; *secret* is what a Secret is called until it is filled in."""
    return [
        *_dependencies(found, secret),
        *_beside(found, environ, secret),
        *_options(environ, secret),
        *_settings(environ),
    ]


def _dependencies(found: Sequence[Entry], secret: str) -> Iterator[object]:
    listed = [each.text for each in found if not each.variable and not each.is_secret]
    if listed:
        end = "\n" if len(listed) > 1 else ""
        yield _variable(config.LIST, "\n".join(listed) + end)
    taken = {each.own_variable for each in found if each.variable or not each.is_secret}
    for each in found:
        if each.is_secret:
            name = each.variable or _free(each.own_variable, taken)
            yield _reference(name, each, secret)
        elif each.variable:
            yield _variable(each.variable, each.text)


def _beside(found: Sequence[Entry], environ: Mapping[str, str], secret: str) -> Iterator[object]:
    """Yield the variables of the app beside that of a host: its port, and libpq's login."""
    for name in [name for each in found for name in each.configured.source.variables[1:]]:
        if name.endswith("PASSWORD"):
            source = {"secretKeyRef": {"name": secret, "key": name.lower()}}
            notes = ("Fill in the Secret and the key which hold it.",)
            yield Commented({"name": name, "valueFrom": source}, notes)
        else:
            yield _variable(name, environ[name])


def _options(environ: Mapping[str, str], secret: str) -> Iterator[object]:
    """Yield the options that have a variable of their own, by reference where one may be secret."""
    for name in sorted(each for each in environ if each.startswith(config.OPTIONS)):
        options = words.split(environ[name])
        if all(_masked(option) == option for option in options):
            yield _variable(name, environ[name])
            continue
        key = name.removeprefix("GATE_").lower().replace("_", "-")
        source = {"secretKeyRef": {"name": secret, "key": key}}
        masked = " ".join(_masked(option) for option in options)
        notes = ("Fill in the Secret and the key which hold:", f"  {masked}")
        yield Commented({"name": name, "valueFrom": source}, notes)


def _settings(environ: Mapping[str, str]) -> Iterator[object]:
    for setting in config.SETTINGS:
        if value := environ.get(setting.variable, "").strip():
            yield _variable(setting.variable, value)


def _free(stem: str, taken: set[str]) -> str:
    """Return *stem*, with a number if another dependency has the same variable."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name)
    return name


def _variable(name: str, value: str) -> object:
    # Kubernetes turns $$ into $, and replaces $(NAME) by a variable.
    return {"name": name, "value": value.replace("$", "$$")}


def _reference(name: str, entry: Entry, secret: str) -> object:
    dependency = entry.configured.dependency
    source = {"secretKeyRef": {"name": secret, "key": dependency.name}}
    holds = dependency.url + _left_out(entry)
    if entry.options:
        holds = f"{holds}, then {' '.join(_masked(option) for option in entry.options)}"
    notes = ("Fill in the Secret and the key which hold:", f"  {holds}")
    return Commented({"name": name, "valueFrom": source}, notes)


def _left_out(entry: Entry) -> str:
    url = entry.configured.target.url
    parts = {"user": url.username, "password": url.password, "query": url.raw_query}
    named = [part for part, value in parts.items() if value]
    return f" with its {', '.join(named)}" if named else ""


def _masked(option: str) -> str:
    key, equals, _ = option.partition("=")
    return option if key in _SHOWN or not equals else f"{key}=…"


def needs(found: Sequence[Entry]) -> Iterator[str]:
    """Yield what else gate needs to check its dependencies."""
    targets = [entry.configured.target for entry in found]
    if paths := dict.fromkeys(path for target in targets for path in target.paths):
        yield f"Give it the volumes that hold {', '.join(paths)}."
    commands = [target.name for target in targets if target.url.scheme == "exec"]
    if commands:
        yield f"Give it an image that has what {', '.join(commands)} runs: gate's has Python only."
    parts = dict.fromkeys(part for e in found if (part := e.configured.dependency.part))
    if parts:
        yield f"What needs a part alone ({', '.join(parts)}): `gate hold PART` in front of it."
    if any(target.url.scheme == "k8s" for target in targets):
        yield "Give the pod a serviceAccountName that may see what it waits for (rbac-k8s.yaml)."
