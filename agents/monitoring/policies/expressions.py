"""The language of conditions: a safe subset of Python expressions over signals.

A condition is compiled to Python source that is True only where the condition is *known* to hold: a
signal that is unknown makes a comparison neither true nor false (Kleene's strong logic of three
values), so `not seller_verified` does not fire for a seller nobody knows. For that each expression
can be compiled towards True or towards False.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from agents.monitoring.signals import Signal

ValueType = Literal["bool", "number", "text"]

MAX_CHARS: Final = 2000
MAX_DEPTH: Final = 40

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[str, str]]] = {
    ast.Lt: ("<", ">="),
    ast.LtE: ("<=", ">"),
    ast.Gt: (">", "<="),
    ast.GtE: (">=", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
}
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}


class ExpressionError(ValueError):
    """A condition that is refused; `column` counts from 0 in the condition's text."""

    def __init__(self, text: str, column: int = 0) -> None:
        super().__init__(text)
        self.column = column


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed and type-checked condition."""

    text: str
    tree: ast.expr
    signals: frozenset[str]


def parse(
    text: str, signals: Mapping[str, Signal], definitions: Mapping[str, Condition]
) -> Condition:
    """Return the condition of a text, which must be of type bool.

    Raises:
        ExpressionError: naming what is wrong and where.
    """
    if len(text) > MAX_CHARS:
        raise ExpressionError(f"longer than {MAX_CHARS} characters: split it into definitions")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = (getattr(error, "offset", None) or 1) - 1
        raise ExpressionError(f"not an expression: {_first_line(error)}", column) from None
    checker = _Checker(signals, definitions)
    type_ = checker.type_of(tree, 0)
    if type_ != "bool":
        raise ExpressionError(f"a condition must be true or false, this is a {type_}")
    return Condition(text, tree, frozenset(checker.used))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


class _Checker:
    def __init__(self, signals: Mapping[str, Signal], definitions: Mapping[str, Condition]) -> None:
        self._signals = signals
        self._definitions = definitions
        self.used: set[str] = set()

    def type_of(self, node: ast.expr, depth: int) -> ValueType:
        if depth > MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {MAX_DEPTH}", node.col_offset)
        match node:
            case ast.BoolOp(values=values):
                for value in values:
                    self._expect(value, "bool", depth)
                return "bool"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._expect(operand, "bool", depth)
                return "bool"
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self._expect(operand, "number", depth)
                return "number"
            case ast.BinOp(left=left, op=op, right=right) if _ARITHMETIC.get(type(op)):
                self._expect(left, "number", depth)
                self._expect(right, "number", depth)
                return "number"
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                type_ = self.type_of(left, depth + 1)
                for comparison, right in zip(ops, comparators, strict=True):
                    if type(comparison) not in _COMPARISONS:
                        raise ExpressionError("only < <= > >= == != compare", right.col_offset)
                    self._expect(right, type_, depth)
                    if type_ != "number" and not isinstance(comparison, ast.Eq | ast.NotEq):
                        raise ExpressionError(
                            f"a {type_} has no order: use == or !=", right.col_offset
                        )
                return "bool"
            case ast.Name(id=name):
                return self._name(name, node)
            case ast.Constant(value=bool()):
                return "bool"
            case ast.Constant(value=int() | float()):
                return "number"
            case ast.Constant(value=str()):
                return "text"
        raise ExpressionError(
            f"{type(node).__name__} is not part of the language: signals, definitions, numbers, "
            "texts, + - *, comparisons, and, or, not are",
            node.col_offset,
        )

    def _expect(self, node: ast.expr, wanted: ValueType, depth: int) -> None:
        type_ = self.type_of(node, depth + 1)
        if type_ != wanted:
            raise ExpressionError(f"expected a {wanted}, this is a {type_}", node.col_offset)

    def _name(self, name: str, node: ast.expr) -> ValueType:
        if name in self._definitions:
            self.used |= self._definitions[name].signals
            return "bool"
        signal = self._signals.get(name)
        if signal is None:
            close = difflib.get_close_matches(name, [*self._signals, *self._definitions], 1, 0.5)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            raise ExpressionError(f"unknown name '{name}'{hint}", node.col_offset)
        self.used.add(name)
        return signal.type


def source(
    node: ast.expr,
    wanted: bool,
    signals: Mapping[str, Signal],
    definitions: Mapping[str, Condition],
    *,
    hopeful: bool = False,
) -> str:
    """Return Python that is True exactly where `node` is known to be `wanted`.

    Signals stand as local variables of their names. `hopeful` takes a signal of the store that is
    unknown for whatever is wanted: the store may still say it. Others that are unknown stay so.
    """

    def emit(node: ast.expr, wanted: bool) -> str:
        match node:
            case ast.BoolOp(op=op, values=values):
                word = " and " if isinstance(op, ast.And) == wanted else " or "
                return "(" + word.join(emit(value, wanted) for value in values) + ")"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return emit(operand, not wanted)
            case ast.Name(id=name) if name in definitions:
                return emit(definitions[name].tree, wanted)
            case ast.Name(id=name) if hopeful and signals[name].from_store:
                return f"({name} is not {not wanted})"
            case ast.Name(id=name):
                return f"({name} is {wanted})"
            case ast.Constant(value=value):
                return str(value is wanted)
            case ast.Compare():
                return compare(node, wanted)
        raise AssertionError(ast.dump(node))  # `parse` has refused everything else

    def compare(node: ast.Compare, wanted: bool) -> str:
        operands = [node.left, *node.comparators]
        parts = []
        for left, op, right in zip(operands, node.ops, operands[1:], strict=False):
            names = unknowable(left, right)
            awaited = [name for name in names if hopeful and signals[name].from_store]
            known = [f"{name} is not None" for name in names if name not in awaited]
            symbol = _COMPARISONS[type(op)][0 if wanted else 1]
            compared = " or ".join(
                [*(f"{name} is None" for name in awaited), f"{value(left)} {symbol} {value(right)}"]
            )
            parts.append("(" + " and ".join([*known, f"({compared})"]) + ")")
        return "(" + (" and " if wanted else " or ").join(parts) + ")"

    def unknowable(*nodes: ast.expr) -> list[str]:
        names = {
            child.id
            for node in nodes
            for child in ast.walk(node)
            if isinstance(child, ast.Name) and child.id in signals and signals[child.id].optional
        }
        return sorted(names)

    def value(node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return name
            case ast.Constant(value=constant):
                return repr(constant)
            case ast.UnaryOp(operand=operand):
                return f"(-{value(operand)})"
            case ast.BinOp(left=left, op=op, right=right):
                return f"({value(left)} {_ARITHMETIC[type(op)]} {value(right)})"
        raise AssertionError(ast.dump(node))

    return emit(node, wanted)
