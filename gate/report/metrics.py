"""The metrics of `/metrics`: computed from the board at each scrape.

Brings prometheus_client, so it is imported by name at the first scrape: a gate that nobody
scrapes does without.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gate import __version__
from gate.core.attempt_counters import BUCKETS
from gate.core.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from gate.core.model import DependencyView, Snapshot
    from gate.runtime.board import Board

_BOUNDS = (*(str(bound) for bound in BUCKETS), "+Inf")


class Exposition:
    """The metrics of *board*."""

    def __init__(self, board: Board) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Gate(board))

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return body and content type: OpenMetrics where the `Accept` header asks for it."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class _Gate(Collector):
    def __init__(self, board: Board) -> None:
        self._board = board

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        snapshot = self._board.snapshot()
        yield InfoMetricFamily("gate_build", "The gate that runs.", {"version": __version__})
        yield from _of_gate(snapshot)
        yield from _of_dependencies(snapshot)
        yield from self._of_attempts(snapshot.dependencies)

    def _of_attempts(self, views: tuple[DependencyView, ...]) -> Iterator[Metric]:
        attempts = CounterMetricFamily(
            "gate_check_attempts", "Attempts that have ended.", labels=["dependency", "result"]
        )
        durations = HistogramMetricFamily(
            "gate_check_duration_seconds", "How long attempts took.", labels=["dependency"]
        )
        for view in views:
            name = view.dependency.name
            attempt_counters = self._board.attempt_counters[name]
            attempts.add_metric([name, "success"], attempt_counters.successes)
            attempts.add_metric([name, "failure"], attempt_counters.failures)
            buckets = list(zip(_BOUNDS, accumulate(attempt_counters.buckets), strict=True))
            durations.add_metric([name], buckets, attempt_counters.seconds)
        yield attempts
        yield durations


def _of_gate(snapshot: Snapshot) -> Iterator[Metric]:
    yield GaugeMetricFamily("gate_open", "1 once the app may start.", int(snapshot.is_open))
    yield GaugeMetricFamily(
        "gate_open_duration_seconds",
        "Seconds from gate's start until it opened; until now while it has not.",
        snapshot.elapsed,
    )
    yield GaugeMetricFamily(
        "gate_open_degraded",
        "1 if it opened although something was not ready.",
        int(bool(snapshot.degraded)),
    )


def _of_dependencies(snapshot: Snapshot) -> Iterator[Metric]:
    ready = GaugeMetricFamily(
        "gate_dependency_ready",
        "1 if it is ready, as last seen: after the opening only monitored ones are looked at.",
        labels=["dependency"],
    )
    pending = GaugeMetricFamily(
        "gate_dependency_pending",
        "1 while it holds the gate: neither given up nor made needless by another of its group.",
        labels=["dependency"],
    )
    waited = GaugeMetricFamily(
        "gate_dependency_wait_seconds",
        "Seconds from gate's start until it was ready; until now, or the opening, if it was not.",
        labels=["dependency"],
    )
    for view in snapshot.dependencies:
        name, is_ready = view.dependency.name, view.state is State.READY and view.is_fit
        ready.add_metric([name], int(is_ready))
        pending.add_metric([name], int(name in snapshot.pending))
        waited.add_metric([name], view.waited)
    yield ready
    yield pending
    yield waited
