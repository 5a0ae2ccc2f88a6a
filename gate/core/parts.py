"""Parts of a pod that open on their own: a group of dependencies, or a single one.

Several containers of a pod may need different things. Each can wait for its part, while the whole
gate still holds the rest. A part is a latch like the whole: once open, it stays open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gate.core.model import Phase, State

if TYPE_CHECKING:
    from gate.core.model import DependencyView, Snapshot


def of_group(group: Snapshot, whole: Snapshot) -> Snapshot:
    """Return the part as *group*, its own latch, has it; what opens the whole opens it too."""
    return _opened_with(whole, group) if whole.is_open else group


def of_dependency(name: str, whole: Snapshot) -> Snapshot | None:
    """Return the part that is the dependency *name* alone, None if there is none.

    It is open once the dependency has been ready, or, where it is optional, was given up.
    """
    view = next((each for each in whole.dependencies if each.dependency.name == name), None)
    if view is None:
        return None
    part = replace(
        whole,
        phase=Phase.WAITING,
        dependencies=(view,),
        pending=(name,),
        transitions=(),
    )
    if view.has_been_ready or view.state is State.GIVEN_UP:
        degraded = "" if view.has_been_ready else f"opened without {name}: {_why(view)}"
        return replace(part, phase=Phase.OPEN, opened=view.since, degraded=degraded, pending=())
    if whole.is_open:
        return _opened_with(whole, part)
    is_overdue = view.state is State.OVERDUE or whole.phase is Phase.OVERDUE
    return replace(part, phase=Phase.OVERDUE) if is_overdue else part


def _opened_with(whole: Snapshot, part: Snapshot) -> Snapshot:
    """Return *part* as the opening of *whole* leaves it."""
    if part.is_open:
        return part
    return replace(part, phase=Phase.OPEN, opened=whole.opened, degraded=whole.degraded, pending=())


def _why(view: DependencyView) -> str:
    return view.reason or "no answer yet"
