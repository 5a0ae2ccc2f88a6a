"""The rules, by subject; each file holds a few small functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.rules import (
    budgets,
    environment,
    gate_probes,
    hooks,
    init_containers,
    probes,
    reading,
    resources,
    restarts,
    sidecars,
    versions,
    waiting,
)
from gate.lint.rules.reading import DUPLICATE_KEY, SILENCE, WRONG_TYPE, YAML

if TYPE_CHECKING:
    from gate.lint.rule import Rule

__all__ = ["ALL", "DUPLICATE_KEY", "EVERY", "IDS", "SILENCE", "WRONG_TYPE", "YAML"]

ALL: tuple[Rule, ...] = (
    *sidecars.RULES,
    *init_containers.RULES,
    *waiting.RULES,
    *hooks.RULES,
    *probes.RULES,
    *gate_probes.RULES,
    *budgets.RULES,
    *resources.RULES,
    *restarts.RULES,
    *environment.RULES,
    *versions.RULES,
)
"""What is looked for in each pod."""

EVERY: tuple[Rule, ...] = (*reading.RULES, *ALL)
IDS = frozenset(each.id for each in EVERY)
