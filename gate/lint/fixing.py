"""`gate lint --fix`: writes the remedies into the manifests; all other lines stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.core.errors import UsageError
from gate.lint import fixes, rules
from gate.pods import documents as manifests
from gate.pods.around import Around
from gate.pods.documents import Found
from gate.pods.editing import rewriting
from gate.pods.editing.changes import Change, KeyEdit, ListEdit, Move
from gate.pods.editing.documents import paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.lint.fixes import Edit, Fix
    from gate.lint.run import Report
    from gate.pods.editing.documents import Piece
    from gate.pods.editing.rewriting import File
    from gate.pods.nodes import Map
    from gate.pods.pod import Pod


def fix(
    inputs: Sequence[tuple[str, str]],
    report: Report,
    version: tuple[int, int] | None,
    *,
    unsafe: bool = False,
) -> list[File]:
    """Return the files with what can be fixed of *report*: what it leaves out is let be.

    Raises `UsageError` where something cannot be read or written.
    """
    wanted = fixes.SAFE | (fixes.UNSAFE if unsafe else {})
    told = {(each.file, each.line, each.rule) for each in report.findings}
    pieces = rewriting.read(inputs)
    around = Around(version=version)
    changes = []
    for piece in (each for own in pieces for each in own):
        found = Found()
        manifests.read(piece.read.value, piece.file, around, found)
        changes.append((piece, found))
    for piece, found in changes:
        if made := _changes(piece, found, told, wanted):
            _make(piece, made)
    return rewriting.outcome(inputs, pieces)


def _changes(
    piece: Piece, found: Found, told: set[tuple[str, int, str]], wanted: dict[str, Fix]
) -> list[Change]:
    made = []
    places = paths(piece.read.value)
    for pod, template in zip(found.pods, found.templates, strict=True):
        edits = list(_edits(pod, template, piece.file, told, wanted))
        if edits:
            path = places[id(template)]
            moves = _moves(edits, pod)
            made.append(Change(keys=_keys(edits), lists=_lists(edits), moves=moves, path=path))
    return made


def _edits(
    pod: Pod, template: Map, file: str, told: set[tuple[str, int, str]], wanted: dict[str, Fix]
) -> Iterator[Edit]:
    containers = {each.name: each for each in pod.containers}
    for rule in (each for each in rules.ALL if each.id in wanted):
        for hit in rule.look(pod):
            if (file, hit.line, rule.id) in told and hit.container in containers:
                place = fixes.Place(containers[hit.container], pod, template)
                yield from wanted[rule.id](place)


def _keys(edits: list[Edit]) -> tuple[KeyEdit, ...]:
    """Return the edits of keys, each key once: of two numbers the greater one."""
    chosen: dict[tuple[object, ...], KeyEdit] = {}
    for edit in edits:
        if isinstance(edit, KeyEdit):
            name = (*edit.path, edit.key)
            other = chosen.get(name)
            if other is None or _is_more(edit.value, other.value):
                chosen[name] = edit
    return tuple(chosen.values())


def _is_more(one: object, other: object) -> bool:
    return isinstance(one, int) and isinstance(other, int) and one > other


def _lists(edits: list[Edit]) -> tuple[ListEdit, ...]:
    return tuple(edit for edit in edits if isinstance(edit, ListEdit))


def _moves(edits: list[Edit], pod: Pod) -> tuple[Move, ...]:
    """Return the moves, none where no main container would be left."""
    moves = tuple(edit for edit in edits if isinstance(edit, Move))
    return moves if len(moves) < len(pod.main) else ()


def _make(piece: Piece, made: list[Change]) -> None:
    try:
        rewriting.make(piece, made)
    except ModuleNotFoundError as exc:
        msg = f"{piece.file}: to write in braces, --fix needs ruamel.yaml; pip install ruamel.yaml"
        raise UsageError(msg) from exc
