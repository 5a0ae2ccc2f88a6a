"""What may stand instead of a node of a syntax tree: small faults that a test ought to notice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import singledispatch

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_DROPPED = ast.Expr | ast.Raise | ast.Delete | ast.Continue | ast.Break


@singledispatch
def alternatives(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand instead of *node*."""
    if isinstance(node, _DROPPED):
        yield ast.Pass()


@alternatives.register
def _(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            operators = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            yield ast.Compare(node.left, operators, node.comparators)


@alternatives.register
def _(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for index in range(len(node.values)):
        left = node.values[:index] + node.values[index + 1 :]
        yield left[0] if len(left) == 1 else ast.BoolOp(node.op, left)


@alternatives.register
def _(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not):
        yield node.operand


@alternatives.register
def _(node: ast.BinOp) -> Iterator[ast.AST]:
    yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)


@alternatives.register
def _(node: ast.AugAssign) -> Iterator[ast.AST]:
    yield ast.AugAssign(node.target, _OPERATORS[type(node.op)](), node.value)
    yield ast.Pass()


@alternatives.register
def _(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)
    elif isinstance(value, str):
        yield ast.Constant("" if value else "XX")
    elif isinstance(value, bytes):
        yield ast.Constant(b"" if value else b"XX")
    elif value is None:
        yield ast.Constant(0)


@alternatives.register
def _(node: ast.Name) -> Iterator[ast.AST]:
    if node.id in _NAMES:
        yield ast.Name(_NAMES[node.id], node.ctx)


@alternatives.register
def _(node: ast.Call) -> Iterator[ast.AST]:
    for index in range(len(node.keywords)):
        left = node.keywords[:index] + node.keywords[index + 1 :]
        yield ast.Call(node.func, node.args, left)


@alternatives.register
def _(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is None:
        yield ast.Pass()
    elif not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield ast.Return(ast.Constant(None))


@alternatives.register(ast.Assign)
@alternatives.register(ast.AnnAssign)
def _(node: ast.Assign | ast.AnnAssign) -> Iterator[ast.AST]:
    # A plain name that is not set is noticed by whatever reads it.
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if node.value and isinstance(target, ast.Attribute | ast.Subscript | ast.Tuple):
        yield ast.Pass()
