"""The hosts to ask first, as the URL names them or as DNS does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gate.core.url import Host


@dataclass(frozen=True, slots=True)
class Seeds:
    """The hosts to ask and what DNS says of them: options by lower-case name."""

    hosts: tuple[Host, ...]
    options: tuple[tuple[str, str], ...] = ()

    async def __call__(self) -> Seeds:
        """Return itself: the hosts are those of the URL."""
        return self


class FindSeeds(Protocol):
    """Finds the hosts, at each attempt; raises `CheckFailed`."""

    async def __call__(self) -> Seeds: ...  # noqa: D102 -- the class says it
