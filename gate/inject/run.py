"""From files to files with gate in them, and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.core.errors import UsageError
from gate.inject import app_variables, parts, plan, sources, workloads
from gate.inject.findings import Findings, url_of
from gate.inject.graph import Graph
from gate.pods.editing import rewriting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gate.core.errors import Problem
    from gate.inject.plan import InjectOptions
    from gate.inject.workloads import Workload
    from gate.pods.editing.changes import Change
    from gate.pods.editing.documents import Piece


@dataclass(slots=True)
class Outcome:
    """What became of the input."""

    files: list[tuple[str, str, str]]
    """Name, text before and text after of each file."""
    told: list[str] = field(default_factory=list)
    """What was done and why, for people."""

    @property
    def is_changed(self) -> bool:
        """Whether any file has changed."""
        return any(before != after for _, before, after in self.files)


def inject(inputs: Sequence[tuple[str, str]], wish: InjectOptions) -> Outcome:
    """Put gate into the pods of *inputs*, pairs of a file's name and its text.

    Raises `UsageError` with everything that is wrong; nothing is half done.
    """
    pieces = rewriting.read(inputs)
    found, around = workloads.read(each for own in pieces for each in own)
    graph = Graph(found, around)
    told: list[str] = []
    problems: dict[str, list[Problem]] = {}
    changes: list[tuple[Piece, Change]] = []
    for workload in found:
        if wrong := plan.mistakes(workload):
            problems[f"{workload.place}: {workload.name}"] = wrong
        elif why := plan.why_not(workload):
            told.append(f"{workload.name}: {why}")
        else:
            findings = _findings(workload, wish, graph)
            if not findings.is_empty:
                change, wrong = plan.change(workload, findings, wish)
                if wrong:
                    problems[f"{workload.place}: {workload.name}"] = wrong
                changes.append((workload.piece, change))
            told += _told(workload, findings)
    if problems:
        raise UsageError(plan.described(problems))
    _make(changes)
    return _outcome(inputs, pieces, told)


def remove(inputs: Sequence[tuple[str, str]]) -> Outcome:
    """Take out of the pods of *inputs* what `inject` has put in."""
    pieces = rewriting.read(inputs)
    found, _ = workloads.read(each for own in pieces for each in own)
    told = []
    changes: list[tuple[Piece, Change]] = []
    for workload in found:
        if change := plan.removal(workload):
            changes.append((workload.piece, change))
            told.append(f"{workload.name}: gate is taken out")
    _make(changes)
    return _outcome(inputs, pieces, told)


def _make(changes: Sequence[tuple[Piece, Change]]) -> None:
    """Make the changes of each piece at once."""
    by_piece: dict[int, tuple[Piece, list[Change]]] = {}
    for piece, change in changes:
        by_piece.setdefault(id(piece), (piece, []))[1].append(change)
    for piece, made in by_piece.values():
        rewriting.make(piece, made)


def _findings(workload: Workload, wish: InjectOptions, graph: Graph) -> Findings:
    found = Findings()
    found.add(wish.dependencies, "--dependency")
    ways: dict[str, Callable[[], None]] = {
        "annotation": lambda: _annotated(workload, found),
        "sidecars": lambda: sources.from_sidecars(workload, found),
        "waits": lambda: sources.from_wait_containers(workload, found),
        "env": lambda: app_variables.add(workload, found, graph),
    }
    for name in sources.SOURCES:
        if name in wish.sources:
            ways[name]()
    return found


def _annotated(workload: Workload, found: Findings) -> None:
    sources.from_annotation(workload, found)
    parts.add(workload, found)


def _told(workload: Workload, found: Findings) -> list[str]:
    """Return what is done to one pod, and why. URLs are shown without what may be secret."""
    if found.is_empty:
        head = f"{workload.name}: nothing found to wait for"
    else:
        head = f"{workload.name}: gate waits for"
    lines = [f"  {_shown(each.text)} ({each.why})" for each in found.wanted]
    lines += [
        f"  what {entry} says in the pod ({why})"
        for entry, why in zip(found.from_env, found.reasons, strict=True)
    ]
    return [head, *lines, *(f"  note: {note}" for note in found.notes)]


def _shown(text: str) -> str:
    url = url_of(text)
    return str(url) if url else "a dependency that cannot be read"


def _outcome(
    inputs: Sequence[tuple[str, str]], pieces: Sequence[Sequence[Piece]], told: list[str]
) -> Outcome:
    return Outcome(rewriting.outcome(inputs, pieces), told)
