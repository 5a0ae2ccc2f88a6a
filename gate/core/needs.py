"""What the gate needs to open, and what an opening does without.

A need is a tuple of names of which one must be ready: a required dependency alone, or all members
of an `any` group. An optional dependency is needed until it is given up at its deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.core.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gate.core.dependency_state import DependencyState

    States = Mapping[str, DependencyState]

Needs = list[tuple[str, ...]]


def needs(states: States) -> Needs:
    """Return what must be ready now: of each tuple, one."""
    groups: dict[str, list[str]] = {}
    for name, state in states.items():
        if state.late is State.GIVEN_UP:
            continue
        group = state.dependency.group
        # A name cannot hold a space, so it cannot be taken for a group.
        groups.setdefault(f"{group} of any" if group else name, []).append(name)
    return [tuple(names) for names in groups.values()]


def is_met(need: tuple[str, ...], states: States) -> bool:
    """Whether one of *need* is ready."""
    return any(states[name].is_ready for name in need)


def unmet(states: States) -> set[str]:
    """Return the names of all needs that are not met."""
    return {name for need in needs(states) if not is_met(need, states) for name in need}


def is_late(need: tuple[str, ...], states: States) -> bool:
    """Whether all of *need* are past their deadlines; one that is ready is not late."""
    return all(states[name].late is State.OVERDUE for name in need)


def without(states: States) -> str:
    """Return how an opening now is degraded (`opened without …`), empty if it is not."""
    missing = unmet(states) | {
        name for name, state in states.items() if _is_given_up(state, states)
    }
    told = [
        f"{name}: {state.reason or 'no answer yet'}"
        for name, state in states.items()
        if name in missing
    ]
    return f"opened without {'; '.join(told)}" if told else ""


def _is_given_up(state: DependencyState, states: States) -> bool:
    """Whether *state* was given up, and no other of its group stands in for it."""
    group = state.dependency.group
    return state.late is State.GIVEN_UP and not (
        group is not None
        and any(other.is_ready for other in states.values() if other.dependency.group == group)
    )
