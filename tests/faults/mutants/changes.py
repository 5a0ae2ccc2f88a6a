"""The mutants of a module: each has one place changed, and says in which function that is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.faults.mutants.alternatives import alternatives

Function = tuple[str, int]
"""The qualified name of a function, and its first line: that of a decorator, if it has one."""

TELLING = 30
"""Characters that are shown of what stands before and after the change."""
LEAST_CUT = 12
"""Characters that are worth an ellipsis."""
_CONDITIONS = {("If", "test"), ("While", "test"), ("IfExp", "test"), ("comprehension", "ifs")}
_UNSEEN = {"annotation", "returns", "type_params", "decorator_list"}
_LEFT_OUT = (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Pass, ast.Assert)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One place of a tree with something else in it."""

    line: int
    whole: str
    """What is changed: a statement, or a clause of one."""
    before: str
    """The part of it that tells what is changed, and where; the rest is cut off."""
    after: str
    function: Function | None
    """Where it is in the body of one; None: it is noticed by importing the module anew."""
    lines: range
    """Those of its statement, or of its own where that holds others."""
    slot: Slot
    node: Any

    @property
    def seen_in(self) -> range | None:
        """The lines by which a test has to come; None: those of the whole module."""
        return None if self.function is None else self.lines

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Have the tree changed for a while."""
        with self.slot.holding(self.node):
            yield


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a tree: a field of a node, or an entry of a list that is one."""

    holder: Any
    key: Any

    def get(self) -> Any:
        return (
            self.holder[self.key] if isinstance(self.key, int) else getattr(self.holder, self.key)
        )

    def put(self, node: Any) -> None:
        if isinstance(self.key, int):
            self.holder[self.key] = node
        else:
            setattr(self.holder, self.key, node)

    @contextmanager
    def holding(self, node: Any) -> Iterator[None]:
        kept = self.get()
        self.put(node)
        try:
            yield
        finally:
            self.put(kept)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the walk through a tree is."""

    slot: Slot
    above: tuple[Slot, ...] = ()
    """From the module to what is around it."""
    names: tuple[str, ...] = ()
    function: Function | None = None
    is_condition: bool = False

    @property
    def is_compared(self) -> bool:
        """Whether it is a side of a comparison, which is changed as a whole."""
        return bool(self.above) and isinstance(self.above[-1].get(), ast.Compare)


def mutants(tree: ast.Module) -> list[Mutant]:
    """Return all mutants of *tree*, which must not be changed as long as they are used."""
    found = []
    for spot in _walk(_Spot(Slot(tree, "body"))):
        for node in _changes(spot):
            ast.copy_location(node, spot.slot.get())
            ast.fix_missing_locations(node)
            found.append(_mutant(spot, node))
    return found


def _mutant(spot: _Spot, node: Any) -> Mutant:
    statement = next(
        each.get()
        for each in reversed((*spot.above, spot.slot))
        if isinstance(each.get(), ast.stmt)
    )
    shown = _shown(spot)
    whole = _text(shown)
    with spot.slot.holding(node):
        before, after = _cut(whole, _text(shown))
    place = spot.slot.get()
    line = place.lineno if hasattr(place, "lineno") else statement.lineno
    lines = range(line, line + 1)
    if not hasattr(statement, "body"):
        lines = range(statement.lineno, (statement.end_lineno or line) + 1)
    return Mutant(line, whole, before, after, spot.function, lines, spot.slot, node)


def _shown(spot: _Spot) -> Slot:
    """Return the largest slot around *spot* that is one line of code: a statement, or a clause."""
    chosen = spot.slot
    for slot in reversed(spot.above):
        around = slot.get()
        is_block = isinstance(around, ast.stmt) and hasattr(around, "body")
        if is_block or isinstance(chosen.get(), ast.stmt):
            break
        chosen = slot
    return chosen


def _text(slot: Slot) -> str:
    node = slot.get()
    return ast.unparse(node).partition("\n")[0]


def _cut(before: str, after: str) -> tuple[str, str]:
    """Return both without what is the same in them, but for some of it that tells the place."""
    start = _same(before, after)
    end = min(_same(before[::-1], after[::-1]), min(len(before), len(after)) - start)
    first, rest = (cut if cut >= LEAST_CUT else 0 for cut in (start - TELLING, end - TELLING))
    head, tail = ("…" if cut else "" for cut in (first, rest))
    before, after = (f"{head}{text[first : len(text) - rest]}{tail}" for text in (before, after))
    return before, after


def _same(one: str, other: str) -> int:
    """Return how many characters are the same from the start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _walk(spot: _Spot) -> Iterator[_Spot]:
    """Yield every place in and below *spot* that may be changed, from the top."""
    content = spot.slot.get()
    if isinstance(content, list):
        for index in range(len(content)):
            inner = Slot(content, index)
            yield from _walk(_Spot(inner, spot.above, spot.names, spot.function, spot.is_condition))
    elif isinstance(content, ast.AST) and not _is_left_out(content):
        yield spot
        for name in content._fields:
            if name not in _UNSEEN:
                yield from _walk(_inside(spot, content, name))


def _inside(spot: _Spot, node: ast.AST, name: str) -> _Spot:
    names, function = spot.names, spot.function
    if isinstance(node, ast.ClassDef) and function is None:
        names = (*names, node.name)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and name == "body":
        first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
        function = function or (".".join((*names, node.name)), first)
    is_condition = (type(node).__name__, name) in _CONDITIONS
    return _Spot(Slot(node, name), (*spot.above, spot.slot), names, function, is_condition)


def _is_left_out(node: ast.AST) -> bool:
    """Whether *node* says nothing that happens: imports, docstrings, what only types need."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.ClassDef):
        return any(ast.unparse(base) == "Protocol" for base in node.bases)
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) in {"__slots__", "__all__", "TYPE_CHECKING"}
    return isinstance(node, _LEFT_OUT)


def _changes(spot: _Spot) -> Iterator[ast.AST]:
    """Yield what may stand at *spot* instead."""
    node = spot.slot.get()
    if isinstance(node, ast.Constant) and node.value is None and spot.is_compared:
        return
    yield from alternatives(node)
    if spot.is_condition and not isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), node)
