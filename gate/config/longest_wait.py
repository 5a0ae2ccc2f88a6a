"""The longest time that gate may wait before every deadline has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gate.config.dependencies import ConfiguredDependency
    from gate.config.settings import Settings


def longest_wait(settings: Settings, wanted: Iterable[ConfiguredDependency]) -> float:
    """Return the seconds after which every deadline has passed; 0 where nothing bounds the wait.

    A probe that restarts gate sooner starts all deadlines anew, so that a late one never passes.
    """
    if settings.timeout is not None and settings.on_timeout != "wait":
        return settings.timeout  # that ends it, whatever deadline is still to come
    ends = [each.dependency.deadline or 0.0 for each in wanted]
    return max(settings.timeout or 0.0, *ends, 0.0)
