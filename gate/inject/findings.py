"""What the sources have found for one pod, collected in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gate.core import url as urls
from gate.pods import clients

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAINEST = ("tcp",)
"""Schemes that say less than any other of the same host and port."""


class Wanted(NamedTuple):
    """A dependency in the words of `GATE_DEPENDENCIES`, and why it is waited for."""

    text: str
    why: str


@dataclass(slots=True)
class Findings:
    """What gate shall wait for in one pod, and what makes way for it."""

    wanted: list[Wanted] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    """Names of init containers that gate stands for."""
    from_env: list[str] = field(default_factory=list)
    """Entries of `GATE_FROM_ENV`: read by gate when the pod runs."""
    entries: list[Any] = field(default_factory=list, repr=False)
    """Entries of `env` that bring them."""
    env_sources: list[Any] = field(default_factory=list)
    """Entries of `envFrom` that bring them."""
    reasons: list[str] = field(default_factory=list)
    """Why each of `from_env` is read."""
    notes: list[str] = field(default_factory=list)
    """What is left as it is, and why."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to wait for."""
        return not (self.wanted or self.from_env)

    def add(self, texts: Iterable[str], why: str) -> None:
        """Add dependencies; of two for the same host and port, the one that says more stays."""
        for text in texts:
            self._add(Wanted(text, why))

    def _add(self, new: Wanted) -> None:
        for index, old in enumerate(self.wanted):
            if old.text == new.text:
                return
            if not _places(old.text) or _places(old.text) != _places(new.text):
                continue
            if _scheme(new.text) in _PLAINEST:
                return
            if _scheme(old.text) in _PLAINEST:
                self.wanted[index] = new
                return
        self.wanted.append(new)


def url_of(text: str) -> urls.Url | None:
    """Return the URL in a line of `GATE_DEPENDENCIES`, None where there is none to be read."""
    for word in text.split()[:2]:
        if urls.scheme_of(word.strip("'\"")):
            try:
                return urls.parse(word.strip("'\""))
            except ValueError:
                return None
    return None


def _places(text: str) -> list[tuple[str, int | None]]:
    words = [word.strip("'\"") for word in text.split()[:2]]
    return next((sorted(clients.of_url(word)) for word in words if "://" in word), [])


def _scheme(text: str) -> str:
    url = url_of(text)
    return url.scheme if url else ""
