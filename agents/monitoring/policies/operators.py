"""The operators of conditions: how they are written, their contraries, what they make of ranges."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Final

from agents.monitoring.signals import Signal

MAX_NUMBER: Final = 1e12
"""Numbers of a condition lie between it and its negative."""

SYMBOLS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
"""How a comparison is written."""
NEGATED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
"""What holds exactly where a comparison, both sides known, does not."""
MIRRORED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
"""The same comparison with its sides changed."""
ARITHMETIC: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
"""How an operation of two numbers is written."""


def bounds(node: ast.expr, signals: Mapping[str, Signal]) -> tuple[float, float]:
    """Return between which numbers a value lies, by interval arithmetic; infinite at the worst."""
    anything = (-math.inf, math.inf)
    match node:
        case ast.Constant(value=int() | float() as value):
            return (float(value), float(value)) if abs(value) <= MAX_NUMBER else anything
        case ast.Name(id=name) if name in signals:
            return signals[name].low, signals[name].high
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            low, high = bounds(operand, signals)
            return -high, -low
        case ast.BinOp(left=left, op=op, right=right):
            a, b = bounds(left, signals), bounds(right, signals)
            match op:
                case ast.Add():
                    found = [a[0] + b[0], a[1] + b[1]]
                case ast.Sub():
                    found = [a[0] - b[1], a[1] - b[0]]
                case ast.Mult():
                    found = [x * y for x in a for y in b]
                case ast.Div() if b[0] > 0 or b[1] < 0:
                    found = [x / y for x in a for y in b]
                case _:
                    return anything
            # Zero times infinity, and infinity less infinity: nothing is known then.
            return anything if any(map(math.isnan, found)) else (min(found), max(found))
    return anything


def decided(a: tuple[float, float], op: type[ast.cmpop], b: tuple[float, float]) -> bool | None:
    """Return what a comparison of numbers in these ranges always says; None if it depends."""
    if op in (ast.Gt, ast.GtE):
        return decided(b, MIRRORED[op], a)
    if op is ast.Lt:
        return True if a[1] < b[0] else False if a[0] >= b[1] else None
    if op is ast.LtE:
        return True if a[1] <= b[0] else False if a[0] > b[1] else None
    apart = a[1] < b[0] or b[1] < a[0]
    same = a == b and a[0] == a[1]
    if op is ast.Eq:
        return False if apart else True if same else None
    return True if apart else False if same else None
