"""The JSON of `/status`: everything, with times as UTC and as seconds since the start.

version          1; a field may be added without a new version, none goes or changes
gate, pod        gate's own version; the pod's name, as POD_NAME or the host name has it
state            "waiting", "overdue" or "open"
open, degraded   whether the app may start; how the opening was degraded, or ""
stopping         gate has been told to end
revision         grows by one with each transition; for `?hold=25s&seen=REVISION`
now, started     moments; a moment is {"time": UTC, "after_seconds": since the start}
opened           a moment, or null
elapsed_seconds  from the start to the opening, or to now
pending          names of those that hold the gate now
slowest          {"dependency", "seconds"} of what has held it longest, or null
dependencies     in the order of writing:
  name, url      the URL without user, password and query
  state          "waiting", "ready", "overdue" or "given up"
  reason         why it is not ready (monitored: not fit), or ""
  hint           what usually causes that, once the reason has stood for a minute, or ""
  attempts       how many have ended
  attempted      [start, seconds taken] of at most 60 of them, spread over the wait
  waited_seconds until it was ready; until now, or the opening, if it was not
  since          the moment at which the present state began
  fit            of a monitored one, after the opening, whether it is fine; else null
  left_out       how many of its changes during the wait are not in `transitions` any more
  options        as in the configuration, durations in seconds, null where not given
transitions      oldest first, 500 of the wait and 500 of the time after it; where there were more,
                 the oldest of whoever has the most are left out:
  time, after_seconds, event (as in the log), dependency ("": the gate), reason
                 `revision` less their number is how many were left out
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gate import __version__
from gate.core.model import Until
from gate.report import hints, plain_text, pod_identity

if TYPE_CHECKING:
    from gate.core.attempt_counters import AttemptCounter
    from gate.core.model import Dependency, DependencyView, Snapshot, Transition
    from gate.runtime.board import Board

VERSION = 1


def document(board: Board) -> dict[str, Any]:
    """Return what *board* knows as plain values for JSON."""
    snapshot = board.snapshot()
    slowest = plain_text.slowest(snapshot)
    return {
        "version": VERSION,
        "gate": __version__,
        "pod": pod_identity.name(),
        "state": str(snapshot.phase),
        "open": snapshot.is_open,
        "degraded": snapshot.degraded,
        "stopping": board.is_stopping,
        "revision": snapshot.revision,
        "now": _moment(snapshot, snapshot.at),
        "started": _moment(snapshot, snapshot.started),
        "opened": None if snapshot.opened is None else _moment(snapshot, snapshot.opened),
        "elapsed_seconds": _rounded(snapshot.elapsed),
        "pending": list(snapshot.pending),
        "slowest": slowest
        and {"dependency": slowest[0].dependency.name, "seconds": _rounded(slowest[1])},
        "dependencies": [
            _dependency(view, snapshot, board.attempt_counters[view.dependency.name])
            for view in snapshot.dependencies
        ],
        "transitions": [transition(one, snapshot) for one in snapshot.transitions],
    }


def transition(transition: Transition, snapshot: Snapshot) -> dict[str, Any]:
    """Return *transition* as plain values for JSON."""
    return {
        **_moment(snapshot, transition.at),
        "event": str(transition.kind),
        "dependency": transition.name,
        "reason": transition.reason,
    }


def _dependency(
    view: DependencyView, snapshot: Snapshot, attempt_counters: AttemptCounter
) -> dict[str, Any]:
    dependency = view.dependency
    return {
        "name": dependency.name,
        "url": dependency.url,
        "state": str(view.state),
        "reason": view.reason,
        "hint": hints.hint(view, snapshot),
        "attempts": view.attempts,
        "attempted": [
            [_rounded(start - snapshot.started), _rounded(end - start)]
            for start, end in attempt_counters.marks
        ],
        "waited_seconds": _rounded(view.waited),
        "since": _moment(snapshot, view.since),
        "fit": view.is_fit if dependency.monitor and snapshot.is_open else None,
        "left_out": snapshot.left_out.get(dependency.name, 0),
        "options": _options(dependency),
    }


def _options(dependency: Dependency) -> dict[str, Any]:
    return {
        "timeout": dependency.timeout,
        "interval": dependency.interval,
        "successes": dependency.successes,
        "deadline": dependency.deadline,
        "optional": dependency.optional,
        "any": dependency.group,
        "group": dependency.part,
        "monitor": dependency.monitor,
        "until": None if dependency.until is Until.READY else dependency.until,
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
