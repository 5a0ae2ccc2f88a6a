"""What `gate status` has found, for every form of output; each text is one printable line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.status.services import Lead

if TYPE_CHECKING:
    from datetime import datetime

    from gate.core.target import Target
    from gate.status.graph import Count, Cycle, Edge
    from gate.status.seen import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One dependency of a pod."""

    name: str
    url: str
    """Without user, password and query."""
    state: str
    """As in `/status`; `unknown` where gate could not be asked."""
    reason: str
    attempts: int | None
    is_pending: bool
    """Whether it holds the pod now."""
    is_required: bool
    """Whether the gate cannot open without it: neither optional nor one of several."""
    target: Target | None
    """What can be read of where it leads, from the pod's spec where it stands there."""
    lead: Lead = field(default_factory=Lead)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPod:
    """A pod that gate holds back."""

    namespace: str
    name: str
    workload: Workload
    container: str
    state: str
    """`waiting`, `overdue`, `starting`, `failing`."""
    since: datetime | None
    reason: str
    """What is known beyond the dependencies: why gate fails, what an event says."""
    source: str
    """Who said it: `status` (gate itself), `event`, `termination message`, `pod`."""
    unasked: str
    """Why gate itself could not be asked, empty where it could."""
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The pods of one namespace, or of all."""

    where: str
    at: datetime
    gated: int
    """How many pods have gate."""
    held: tuple[HeldPod, ...]
    notes: tuple[str, ...]
    """What could not be looked at."""
    counts: dict[Workload, Count]
    edges: tuple[Edge, ...]
    cycles: tuple[Cycle, ...]
    missing: tuple[tuple[Workload, str, str], ...]
    """Workload, name of its dependency, and what should be there and is not."""

    @property
    def roots(self) -> list[tuple[str, str, int]]:
        """What is waited for in the end: URL, reason, and how many pods it holds, the most first.

        A dependency that leads to pods which are held themselves is not the end.
        """
        found: dict[tuple[str, str], int] = {}
        for pod in self.held:
            for need in pod.needs:
                if need.is_pending and not any(self._is_held(each) for each in need.lead.workloads):
                    key = (need.url or need.name, need.reason)
                    found[key] = found.get(key, 0) + 1
        return sorted(((*key, count) for key, count in found.items()), key=lambda each: -each[2])

    def _is_held(self, workload: Workload) -> bool:
        return self.counts[workload].held > 0 and not self.counts[workload].ready

    @property
    def shown(self) -> list[Workload]:
        """The workloads of the graph: who waits, who is waited for."""
        ends = {end for edge in self.edges for end in (edge.start, edge.end)}
        return sorted(ends | {each[0] for each in self.missing} | {p.workload for p in self.held})
