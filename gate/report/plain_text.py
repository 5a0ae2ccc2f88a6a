"""What people read: probe bodies, pending lines, the reason of a degraded opening."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.core import durations
from gate.core.model import State

if TYPE_CHECKING:
    from gate.core.model import DependencyView, Snapshot

BODY_LIMIT = 8 * 1024
"""Longest body of a probe, in bytes: the kubelet reads 10 KiB and drops the rest."""


def pending(snapshot: Snapshot) -> str:
    """Return names and reasons of what holds the gate, without counters or times.

    Only text that stays the same is aggregated in a pod's events.
    """
    return "; ".join(
        f"{view.dependency.name}: {view.reason or 'no answer yet'}" for view in snapshot.held_by
    )


def brief(snapshot: Snapshot) -> str:
    """Return the gate's state in one line: what `gate probe` prints; 8 KiB at most."""
    if snapshot.is_open:
        return cut(snapshot.degraded or "open", BODY_LIMIT - 1)
    word = "overdue, waiting for" if snapshot.phase == "overdue" else "waiting for"
    return cut(f"{word} {pending(snapshot)}", BODY_LIMIT - 1)


def verbose(snapshot: Snapshot) -> str:
    """Return a line for each dependency and one for the gate, as `/readyz?verbose` does."""
    last = f"gate is {snapshot.phase}"
    if snapshot.degraded:
        last += f", degraded: {snapshot.degraded}"
    return bounded([_line(view, snapshot) for view in snapshot.dependencies], last)


def slowest(snapshot: Snapshot) -> tuple[DependencyView, float] | None:
    """Return what has held the gate longest and its seconds; None if nothing was tried."""
    held: dict[str, tuple[DependencyView, float]] = {}
    for view in snapshot.dependencies:
        if not view.attempts:
            continue
        # One of a group is enough, so a group holds the gate as long as its fastest does.
        # A name cannot hold a space, so it cannot be taken for a group.
        group = view.dependency.group
        key = f"{group} of any" if group else view.dependency.name
        seconds = _held(view, snapshot)
        if key not in held or seconds < held[key][1]:
            held[key] = view, seconds
    return max(held.values(), key=lambda each: each[1], default=None)


def _held(view: DependencyView, snapshot: Snapshot) -> float:
    """Return how many seconds *view* held the gate: until ready, given up, or the opening."""
    given_up = view.state is State.GIVEN_UP
    seconds = view.since - snapshot.started if given_up else view.waited
    return min(seconds, snapshot.elapsed)


def readiness(snapshot: Snapshot, *, is_stopping: bool) -> str:
    """Return a line for each thing that readiness depends on, and the verdict."""
    lines = [f"[{'+' if snapshot.is_open else '-'}]gate {snapshot.phase}"]
    if is_stopping:
        lines.append("[-]gate is stopping")
    for view in snapshot.dependencies:
        if view.dependency.monitor:
            word = "fine" if view.is_fit else f"unfit: {view.reason}"
            lines.append(f"[{'+' if view.is_fit else '-'}]{view.dependency.name} {word}")
    verdict = "passed" if is_ready(snapshot, is_stopping=is_stopping) else "failed"
    return bounded(lines, f"readyz check {verdict}")


def is_ready(snapshot: Snapshot, *, is_stopping: bool) -> bool:
    """Whether gate is open, not stopping, and every monitored dependency is fine."""
    fit = all(view.is_fit for view in snapshot.dependencies if view.dependency.monitor)
    return snapshot.is_open and not is_stopping and fit


def bounded(lines: list[str], last: str) -> str:
    """Return *lines* and *last*, with lines left out so that it is 8 KiB at most."""
    last = cut(last, BODY_LIMIT // 2)
    kept, room = [], BODY_LIMIT - len(last.encode()) - 40
    for number, line in enumerate(lines):
        room -= len(line.encode()) + 1
        if room < 0:
            kept.append(f"… and {len(lines) - number} more")
            break
        kept.append(line)
    return "\n".join([*kept, last]) + "\n"


def cut(text: str, limit: int) -> str:
    """Return *text*, cut to *limit* bytes with an ellipsis if it is longer."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


def _line(view: DependencyView, snapshot: Snapshot) -> str:
    name = view.dependency.name
    if view.state is State.READY:
        return f"[+]{name} ready after {durations.show(view.waited)}"
    if view.attempts == 0 and snapshot.is_open:
        return f"[+]{name} not checked"
    tries = "1 attempt" if view.attempts == 1 else f"{view.attempts} attempts"
    reason = view.reason or "no answer yet"
    return f"[-]{name} {view.state}: {reason} ({tries}, {durations.show(view.waited)})"
