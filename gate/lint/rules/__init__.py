"""The rules, by subject; each file holds a few small functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.rules import (
    budgets,
    environment,
    gate_probes,
    hooks,
    init_containers,
    liveness,
    main_containers,
    ports,
    probes,
    reading,
    replicas,
    resources,
    restarts,
    secrets,
    service_waits,
    sidecars,
    slow_starts,
    versions,
    wait_containers,
    waiting,
    workloads,
)
from gate.lint.rules.reading import DUPLICATE_KEY, NO_IMAGE, SILENCE, WRONG_TYPE, YAML

if TYPE_CHECKING:
    from gate.lint.rule import Rule

__all__ = [
    "ALL",
    "DUPLICATE_KEY",
    "EVERY",
    "IDS",
    "NO_IMAGE",
    "OF_PODS",
    "SILENCE",
    "SILENCEABLE",
    "WRONG_TYPE",
    "YAML",
]

ALL: tuple[Rule, ...] = (
    *sidecars.RULES,
    *main_containers.RULES,
    *init_containers.RULES,
    *waiting.RULES,
    *workloads.RULES,
    *service_waits.RULES,
    *replicas.RULES,
    *wait_containers.RULES,
    *hooks.RULES,
    *probes.RULES,
    *liveness.RULES,
    *gate_probes.RULES,
    *ports.RULES,
    *budgets.RULES,
    *slow_starts.RULES,
    *resources.RULES,
    *restarts.RULES,
    *environment.RULES,
    *secrets.RULES,
    *versions.RULES,
)
"""What is looked for in each pod."""

EVERY: tuple[Rule, ...] = (*reading.RULES, *ALL)
IDS = frozenset(each.id for each in EVERY)
OF_PODS = frozenset(each.id for each in ALL)
"""Those that an annotation silences for a whole pod."""
SILENCEABLE = IDS - {YAML.id, SILENCE.id}
"""Those that a comment silences beside a line."""
