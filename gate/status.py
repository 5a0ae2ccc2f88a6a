"""The JSON of `/status`: everything, with times as UTC and as seconds since the start."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gate import __version__

if TYPE_CHECKING:
    from gate.model import DependencyView, Snapshot, Transition

VERSION = 1
"""Of the document's shape; a field may be added without a new one."""


def document(snapshot: Snapshot, is_stopping: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 -- two states
    """Return *snapshot* as plain values for JSON."""
    return {
        "version": VERSION,
        "gate": __version__,
        "state": str(snapshot.phase),
        "open": snapshot.is_open,
        "degraded": snapshot.degraded,
        "stopping": is_stopping,
        "revision": snapshot.revision,
        "started": _moment(snapshot, snapshot.started),
        "opened": None if snapshot.opened is None else _moment(snapshot, snapshot.opened),
        "elapsed_seconds": _rounded(snapshot.elapsed),
        "pending": list(snapshot.pending),
        "dependencies": [_dependency(view, snapshot) for view in snapshot.dependencies],
        "transitions": [_transition(one, snapshot) for one in snapshot.transitions],
    }


def _dependency(view: DependencyView, snapshot: Snapshot) -> dict[str, Any]:
    dependency = view.dependency
    return {
        "name": dependency.name,
        "url": dependency.url,
        "state": str(view.state),
        "reason": view.reason,
        "attempts": view.attempts,
        "waited_seconds": _rounded(view.waited),
        "since": _moment(snapshot, view.since),
        "fit": view.is_fit if dependency.monitor else None,
        "options": {
            "timeout": dependency.timeout,
            "interval": dependency.interval,
            "successes": dependency.successes,
            "deadline": dependency.deadline,
            "optional": dependency.optional,
            "any": dependency.group,
            "monitor": dependency.monitor,
            "until": "down" if dependency.until_down else None,
        },
    }


def _transition(transition: Transition, snapshot: Snapshot) -> dict[str, Any]:
    return {
        **_moment(snapshot, transition.at),
        "event": str(transition.happening),
        "dependency": transition.name,
        "reason": transition.reason,
    }


def _moment(snapshot: Snapshot, at: float) -> dict[str, Any]:
    """Return *at*, a time of the loop's clock, as people and programs want it."""
    wall = time.time() - (snapshot.at - at)
    stamp = datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
    return {
        "time": stamp.replace("+00:00", "Z"),
        "after_seconds": _rounded(at - snapshot.started),
    }


def _rounded(seconds: float) -> float:
    return round(seconds, 3)
