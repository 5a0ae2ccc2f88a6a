"""How long gate may wait before time alone has changed everything that it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gate.config.dependencies import ConfiguredDependency
    from gate.config.settings import Settings


def longest_wait(settings: Settings, wanted: Iterable[ConfiguredDependency]) -> float:
    """Return the seconds after which `serve` has said, and given up, what it ever will.

    Whoever restarts it sooner starts all deadlines anew: one that is given up late never is.
    0 where nothing bounds the wait.
    """
    if settings.timeout is not None and settings.on_timeout != "wait":
        return settings.timeout  # that ends it, whatever deadline is still to come
    ends = [each.dependency.deadline or 0.0 for each in wanted]
    return max(settings.timeout or 0.0, *ends, 0.0)
