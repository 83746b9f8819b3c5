"""Evaluates a condition by walking its tree: 200 times slower than compiled, and it can say why.

What is compiled has to agree with it, which a property test asserts; the coverage of rules' tests
asks it what would have been, had one branch said something else.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from agents.monitoring.policies.expressions import Condition
from agents.monitoring.signals import Facts

_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def evaluate(
    node: ast.expr,
    facts: Facts,
    definitions: Mapping[str, Condition],
    instead: Mapping[int, bool] | None = None,
) -> bool | None:
    """Return whether a condition holds; None is unknown.

    `instead` has what a branch, by `id` of its node, is taken to say instead of what it says.
    """
    if instead is not None and id(node) in instead:
        return instead[id(node)]
    match node:
        case ast.BoolOp(op=op, values=values):
            found = [evaluate(value, facts, definitions, instead) for value in values]
            decisive = isinstance(op, ast.Or)
            if decisive in found:
                return decisive
            return None if None in found else not decisive
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            holds = evaluate(operand, facts, definitions, instead)
            return None if holds is None else not holds
        case ast.Name(id=name) if name in definitions:
            return evaluate(definitions[name].tree, facts, definitions, instead)
        case ast.Name(id=name):
            known: bool | None = getattr(facts, name)
            return known
        case ast.Constant(value=bool() as constant):
            return constant
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            operands = [_value(each, facts) for each in (left, *comparators)]
            links = [
                None if _unknown(a) or _unknown(b) else _COMPARE[type(op)](a, b)
                for a, op, b in zip(operands, ops, operands[1:], strict=False)
            ]
            return False if False in links else None if None in links else True
    raise AssertionError(ast.dump(node))  # `parse` has refused everything else


def _unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _value(node: ast.expr, facts: Facts) -> Any:
    match node:
        case ast.Name(id=name):
            return getattr(facts, name)
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Constant(value=constant):
            return constant
        case ast.UnaryOp(operand=operand):
            value = _value(operand, facts)
            return None if value is None else -value
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _value(left, facts), _value(right, facts)
            if a is None or b is None or (isinstance(op, ast.Div) and b == 0):
                return None
            match op:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult():
                    return a * b
            return a / b
    raise AssertionError(ast.dump(node))


def branches(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what a condition is put together from by and, or, not; a definition is one branch."""
    match node:
        case ast.BoolOp(values=values):
            for value in values:
                yield from branches(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from branches(operand)
        case _:
            yield node
