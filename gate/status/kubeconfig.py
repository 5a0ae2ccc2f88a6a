"""Which cluster is meant, and as whom: the files that `kubectl` reads, by its rules.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig: of several
files the first one that has something wins, and paths in a file are relative to it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gate.core.errors import ConfigError, Problem
from gate.core.one_line import one_line
from gate.core.suggest import closest
from gate.pods import nodes
from gate.pods.nodes import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of a kubeconfig; a field of the wrong type raises `ConfigError`."""

    file: Path
    what: str
    """What it is, for people: `user admin`."""
    raw: Map

    def text(self, key: str) -> str:
        """Return the text *key*, empty where it is not given."""
        value = self.raw.get(key)
        if not isinstance(value, str | None):
            self.refuse(key, "is not a text; write it in quotes")
        return value or ""

    def flag(self, key: str) -> bool:
        """Return whether *key* is true."""
        value = self.raw.get(key)
        if not isinstance(value, bool | None):
            self.refuse(key, "is not true or false")
        return bool(value)

    def path(self, key: str) -> str:
        """Return the path *key*, made absolute, empty where it is not given."""
        written = self.text(key)
        return str((self.file.parent / written).absolute()) if written else ""

    def inner(self, key: str) -> Section:
        """Return the mapping *key*, an empty one where it is not given."""
        value = self.raw.get(key)
        if value is not None and not isinstance(value, Map):
            self.refuse(key, "is not a mapping")
        return Section(self.file, f"{self.what}, {key}", Map(0) if value is None else value)

    def items(self, key: str) -> list[object]:
        """Return the list *key*, an empty one where it is not given."""
        value = self.raw.get(key)
        if value is not None and not isinstance(value, Seq):
            self.refuse(key, "is not a list")
        return list(value or ())

    def refuse(self, key: str, text: str) -> NoReturn:
        """Raise the `ConfigError` that *key* is wrong; *text* holds no secret."""
        line = self.raw.lines.get(key, self.raw.line)
        place = f"{self.file}:{line}" if line else str(self.file)
        raise ConfigError([Problem(place, f"{self.what}: {key} {text}")])


@dataclass(frozen=True, slots=True)
class Context:
    """A cluster, and who asks it."""

    name: str
    namespace: str
    """Empty where none is written."""
    cluster: Section
    user: Section


def read(environ: Mapping[str, str], path: str, name: str) -> Context | None:
    """Return the context *name*, the current one where that is empty.

    The files are *path*, else those of `KUBECONFIG`, else `~/.kube/config`. Return None where
    there is none; raises `ConfigError`.
    """
    tops = [_top(file) for file in _files(environ, path)]
    if not tops:
        return None
    wanted = name or next(filter(None, (top.text("current-context") for top in tops)), "")
    if not wanted:
        tops[0].refuse("current-context", "is not set; write --context NAME")
    context = _named(tops, "contexts", "context", wanted)
    return Context(
        wanted,
        context.text("namespace"),
        _named(tops, "clusters", "cluster", context.text("cluster")),
        _named(tops, "users", "user", context.text("user")),
    )


def _files(environ: Mapping[str, str], path: str) -> list[Path]:
    """Return the files that are to be read; one that is asked for by its own must be there."""
    if path:
        return [Path(path)]
    listed = [Path(each) for each in environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    if not listed and environ.get("HOME"):
        listed = [Path(environ["HOME"], ".kube", "config")]
    return [each for each in listed if each.exists()]


def _top(file: Path) -> Section:
    try:
        text = file.read_bytes().decode()
    except OSError as exc:
        raise ConfigError([Problem(str(file), (exc.strerror or str(exc)).lower())]) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError([Problem(str(file), "is not a text in UTF-8")]) from exc
    document = next(nodes.documents(text), nodes.Document())
    if document.fault:
        place = f"{file}:{document.fault.line}"
        raise ConfigError([Problem(place, str(document.fault))]) from document.fault
    if not isinstance(document.value, Map):
        raise ConfigError([Problem(str(file), "is no kubeconfig")])
    return Section(file, "kubeconfig", document.value)


def _named(tops: list[Section], group: str, kind: str, name: str) -> Section:
    """Return the *kind* called *name* of the first file that has it."""
    pairs = [(top, item) for top in tops for item in top.items(group) if isinstance(item, Map)]
    found = next((pair for pair in pairs if pair[1].get("name") == name), None)
    if found is None:
        names = [str(item.get("name")) for _, item in pairs]
        near = closest(name, names)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(names) or 'none'}"
        tops[0].refuse(group, f"has no {_shown(name) or 'name'}; {_shown(hint)}")
    item = Section(found[0].file, kind, found[1])
    return replace(item.inner(kind), what=f"{kind} {_shown(name)}")


def _shown(text: str) -> str:
    return one_line(text, _LONGEST_NAME)
