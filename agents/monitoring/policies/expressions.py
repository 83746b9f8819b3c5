"""The language of conditions: a safe subset of Python expressions over signals.

A condition is compiled to Python source that is True only where the condition is *known* to hold: a
signal that is unknown makes a comparison neither true nor false (Kleene's strong logic of three
values), so `not seller_verified` does not fire for a seller nobody knows. For that each expression
can be compiled towards True or towards False. A division by zero is unknown too.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from agents.monitoring.policies.problems import short
from agents.monitoring.signals import Signal

ValueType = Literal["bool", "number", "text"]

MAX_CHARS: Final = 2000
MAX_DEPTH: Final = 40
MAX_STEPS: Final = 400
"""Signals, numbers and operators of a condition, those of its definitions counted at each use."""
MAX_NUMBER: Final = 1e12
MAX_TEXT: Final = 200
MAX_FLAWS: Final = 20
"""Flaws that are told of one condition."""

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[str, str]]] = {
    ast.Lt: ("<", ">="),
    ast.LtE: ("<=", ">"),
    ast.Gt: (">", "<="),
    ast.GtE: (">=", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
}
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_NEWLINES: Final = str.maketrans("\r\n", "  ")
LANGUAGE: Final = (
    "a condition is made of signals, definitions, numbers, texts, + - * /, comparisons, and, or, "
    "not; see: assayer policy signals"
)
_REFUSED: Final[dict[type[ast.AST], tuple[str, str]]] = {
    ast.Call: ("nothing can be called", LANGUAGE),
    ast.Attribute: ("a signal has no parts: no '.' after a name", LANGUAGE),
    ast.Subscript: ("a signal has no parts: no '[' after a name", LANGUAGE),
    ast.ListComp: ("comprehensions are not part of the language", LANGUAGE),
    ast.SetComp: ("comprehensions are not part of the language", LANGUAGE),
    ast.DictComp: ("comprehensions are not part of the language", LANGUAGE),
    ast.GeneratorExp: ("comprehensions are not part of the language", LANGUAGE),
    ast.Lambda: ("functions are not part of the language", LANGUAGE),
    ast.IfExp: ("'if … else' is not part of the language", "write it with and, or, not"),
    ast.NamedExpr: ("':=' is not part of the language", "give it a name under 'definitions'"),
    ast.JoinedStr: ("texts with values in them are not part of the language", LANGUAGE),
}
_OPERATORS: Final[dict[type[ast.AST], tuple[str, str]]] = {
    ast.Pow: ("powers are not part of the language", "multiply, or write the number"),
    ast.BitAnd: ("'&' is not part of the language", "write 'and'"),
    ast.BitOr: ("'|' is not part of the language", "write 'or'"),
    ast.Invert: ("'~' is not part of the language", "write 'not'"),
    ast.UAdd: ("'+' before a value is not part of the language", "leave it out"),
    ast.Is: ("'is' is not part of the language", "write the signal alone, or 'not' before it"),
    ast.IsNot: ("'is not' is not part of the language", "write 'not' before the signal"),
    ast.In: ("'in' is not part of the language", "compare with == and 'or'"),
    ast.NotIn: ("'not in' is not part of the language", "compare with != and 'and'"),
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with the characters `start` to before `end` of a condition."""

    text: str
    hint: str
    start: int
    end: int


class ExpressionError(ValueError):
    """A condition that is refused, with everything that is wrong with it."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__("; ".join(flaw.text for flaw in flaws))
        self.flaws = tuple(flaws)


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed and type-checked condition."""

    text: str
    tree: ast.expr
    signals: frozenset[str]
    """Those of its definitions are among them."""
    steps: int = 1
    """How much there is to evaluate, definitions written out."""
    depth: int = 1


def parse(
    text: str, signals: Mapping[str, Signal], definitions: Mapping[str, Condition | None]
) -> Condition:
    """Return the condition of a text, which must be of type bool.

    A definition that is None was refused itself: its name is known, and nothing else of it.

    Raises:
        ExpressionError: naming what is wrong and where.
    """
    if len(text) > MAX_CHARS:
        flaw = f"{len(text):,} characters, and a condition may have {MAX_CHARS:,} at most"
        raise _refused(flaw, "split it into definitions", 0, 1)
    for character, name in (("#", "a comment"), ("\\", "a backslash")):
        if character in text:
            at = text.index(character)
            raise _refused(f"{name} has no place in a condition", LANGUAGE, at, at + 1)
    try:
        # Of as many characters, so that places stay: a condition may go over several lines.
        tree = ast.parse(text.translate(_NEWLINES), mode="eval").body
    except SyntaxError as error:
        at = max(0, (error.offset or 1) - 1)
        raise _refused(f"not an expression: {error.msg}", _way_out(text), at, at + 1) from None
    except (ValueError, RecursionError, MemoryError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise _refused(f"not an expression: {reason}", LANGUAGE, 0, 1) from None
    checker = _Checker(text, signals, definitions)
    try:
        type_ = checker.type_of(tree, 1)
    except _TooManyFlawsError:
        raise ExpressionError(checker.flaws) from None
    if type_ is not None and type_ != "bool":
        checker.flaw(tree, f"a condition is true or false, this is a {type_}", "compare it")
    if checker.steps > MAX_STEPS:
        checker.flaw(
            tree,
            f"too costly: {checker.steps:,} steps with its definitions written out, and a "
            f"condition may have {MAX_STEPS} at most",
            "make several rules of it",
        )
    if checker.flaws:
        raise ExpressionError(checker.flaws)
    return Condition(text, tree, frozenset(checker.used), checker.steps, checker.depth)


def _refused(text: str, hint: str, start: int, end: int) -> ExpressionError:
    return ExpressionError([Flaw(text, hint, start, end)])


def _way_out(text: str) -> str:
    if "&&" in text or "||" in text:
        return "write 'and' and 'or'"
    if "=" in text.replace("==", "").replace("!=", "").replace("<=", "").replace(">=", ""):
        return "compare with '=='"
    if "!" in text.replace("!=", ""):
        return "write 'not'"
    return LANGUAGE


def span(node: ast.expr, text: str) -> tuple[int, int]:
    """Return where a node stands in the text of its condition; Python counts in bytes."""
    if text.isascii():
        return node.col_offset, node.end_col_offset or node.col_offset + 1
    raw = text.encode()
    start, end = node.col_offset, node.end_col_offset or node.col_offset + 1
    return len(raw[:start].decode(errors="replace")), len(raw[:end].decode(errors="replace"))


class _TooManyFlawsError(Exception):
    """So much is wrong with a condition that it is no use to look for more."""


class _Checker:
    def __init__(
        self,
        text: str,
        signals: Mapping[str, Signal],
        definitions: Mapping[str, Condition | None],
    ) -> None:
        self._text = text
        self._signals = signals
        self._definitions = definitions
        self.used: set[str] = set()
        self.flaws: list[Flaw] = []
        self.steps = 0
        self.depth = 0

    def flaw(self, node: ast.expr, text: str, hint: str = "") -> None:
        if len(self.flaws) >= MAX_FLAWS:
            raise _TooManyFlawsError
        self.flaws.append(Flaw(text, hint, *span(node, self._text)))

    def type_of(self, node: ast.expr, depth: int) -> ValueType | None:
        """Return the type; None where something is wrong with it, which is noted."""
        self.steps += 1
        self.depth = max(self.depth, depth)
        if depth > MAX_DEPTH:
            if not any("nested deeper" in flaw.text for flaw in self.flaws):
                self.flaw(node, f"nested deeper than {MAX_DEPTH}", "split it into definitions")
            return None
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
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                self._expect(left, "number", depth)
                self._expect(right, "number", depth)
                if isinstance(op, ast.Div) and bounds(right, self._signals) == (0.0, 0.0):
                    self.flaw(right, "division by zero", "the quotient would never be known")
                return "number"
            case ast.Compare():
                return self._compare(node, depth)
            case ast.Name(id=name):
                return self._name(name, node, depth)
            case ast.Constant(value=value):
                return self._constant(value, node)
        self._refuse(node)
        return None

    def _refuse(self, node: ast.expr) -> None:
        operator = getattr(node, "op", node)
        told = _OPERATORS.get(type(operator)) or _REFUSED.get(type(node))
        if told is None and isinstance(node, ast.BinOp):
            told = ("this operator is not part of the language", LANGUAGE)
        self.flaw(node, *(told or (f"{type(node).__name__} is not part of the language", LANGUAGE)))

    def _expect(self, node: ast.expr, wanted: ValueType, depth: int) -> None:
        type_ = self.type_of(node, depth + 1)
        if type_ is None or type_ == wanted:
            return
        hint = ""
        if wanted == "bool":
            hint = "compare it" if type_ == "number" else "write what it is compared with"
        self.flaw(node, f"expected a {wanted}, this is a {type_}", hint)

    def _compare(self, node: ast.Compare, depth: int) -> ValueType | None:
        for operator in node.ops:
            if type(operator) not in _COMPARISONS:
                self.flaw(node, *_OPERATORS[type(operator)])
                return None
        operands = [node.left, *node.comparators]
        type_ = self.type_of(node.left, depth + 1)
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            if type_ is None:
                self.type_of(right, depth + 1)
                continue
            if type_ == "bool":
                self.type_of(right, depth + 1)
                self.flaw(
                    node,
                    "what is true or false is not compared",
                    f"write '{short(ast.unparse(left))}', or 'not' before it",
                )
                continue
            self._expect(right, type_, depth)
            if type_ == "text" and not isinstance(operator, ast.Eq | ast.NotEq):
                self.flaw(right, "a text has no order", "use == or !=")
        return "bool"

    def _constant(self, value: object, node: ast.expr) -> ValueType | None:
        match value:
            case bool():
                return "bool"
            case int() | float():
                if not (abs(value) <= MAX_NUMBER):
                    limit = f"{MAX_NUMBER:,.0f}"
                    self.flaw(node, "a number too large", f"up to {limit} are compared")
                    return None
                return "number"
            case str():
                if len(value) > MAX_TEXT:
                    self.flaw(node, f"a text longer than {MAX_TEXT} characters")
                    return None
                return "text"
            case None:
                self.flaw(
                    node,
                    "None is not part of the language",
                    "a rule abstains by itself where what it needs is unknown",
                )
            case _:
                self.flaw(node, f"a {type(value).__name__} is not part of the language", LANGUAGE)
        return None

    def _name(self, name: str, node: ast.expr, depth: int) -> ValueType | None:
        if name in self._definitions:
            definition = self._definitions[name]
            if definition is None:
                return None  # told where it stands
            self.used |= definition.signals
            self.steps += definition.steps
            self.depth = max(self.depth, depth + definition.depth)
            if depth + definition.depth > MAX_DEPTH:
                self.flaw(node, f"nested deeper than {MAX_DEPTH} with its definitions written out")
                return None
            return "bool"
        signal = self._signals.get(name)
        if signal is None:
            if hasattr(builtins, name):
                hint = "names of Python are not part of the language; see: assayer policy signals"
            else:
                hint = did_you_mean(name, [*self._signals, *self._definitions])
            self.flaw(node, f"unknown name '{short(name)}'", hint or "see: assayer policy signals")
            return None
        self.used.add(name)
        return signal.type


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the hint with the known name that is nearest, empty where none is near."""

    def likeness(other: str) -> float:
        # 'prise' is meant for 'price_ratio'.
        parts = [part for part in other.split("_") if len(part) > 2]
        whole = difflib.SequenceMatcher(None, name[:60], other).ratio()
        return max(
            [whole, *(0.95 * difflib.SequenceMatcher(None, name[:60], p).ratio() for p in parts)]
        )

    nearest = max(known, key=likeness, default="")
    return f"did you mean '{nearest}'?" if nearest and likeness(nearest) >= 0.6 else ""


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


def cost(
    node: ast.expr, signals: Mapping[str, Signal], definitions: Mapping[str, Condition]
) -> int:
    """Return what a condition costs: its dearest signal, then how much there is to evaluate."""
    steps, dearest = 0, 1
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and child.id in definitions:
            definition = definitions[child.id]
            steps += definition.steps
            dearest = max([dearest, *(signals[name].cost for name in definition.signals)])
        elif isinstance(child, ast.Name):
            steps += 1
            dearest = max(dearest, signals[child.id].cost)
        elif isinstance(child, ast.expr):
            steps += 1
    return dearest * MAX_STEPS * 2 + steps


def source(
    node: ast.expr,
    wanted: bool,
    signals: Mapping[str, Signal],
    definitions: Mapping[str, Condition],
    *,
    hopeful: bool = False,
    inline: Collection[str] = (),
) -> str:
    """Return Python that is True exactly where `node` is known to be `wanted`.

    Signals stand as local variables of their names, those in `inline` as attributes of `f`.
    `hopeful` takes a signal of the store that is unknown for whatever is wanted: the store may
    still say it. Others that are unknown stay so.

    What costs less is asked first. That changes no meaning: no part of a condition has an effect or
    raises, whatever the others say.
    """

    def read(name: str) -> str:
        return f"f.{name}" if name in inline else name

    def emit(node: ast.expr, wanted: bool) -> str:
        match node:
            case ast.BoolOp(op=op, values=values):
                word = " and " if isinstance(op, ast.And) == wanted else " or "
                ordered = sorted(values, key=lambda value: cost(value, signals, definitions))
                return "(" + word.join(emit(value, wanted) for value in ordered) + ")"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return emit(operand, not wanted)
            case ast.Name(id=name) if name in definitions:
                return emit(definitions[name].tree, wanted)
            case ast.Name(id=name) if hopeful and signals[name].from_store:
                return f"({read(name)} is not {not wanted})"
            case ast.Name(id=name):
                return f"({read(name)} is {wanted})"
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
            known = [f"{read(name)} is not None" for name in names if name not in awaited]
            symbol = _COMPARISONS[type(op)][0 if wanted else 1]
            compared = f"{value(left)} {symbol} {value(right)}"
            if symbol == "!=" and any(isinstance(each, ast.BinOp) for each in (left, right)):
                # What overflows may be no number, and that differs from everything, itself too.
                compared = f"({value(left)} < {value(right)} or {value(left)} > {value(right)})"
            divisors = [f"{value(divisor)} != 0" for divisor in _divisors(left, right)]
            if divisors:
                compared = "(" + " and ".join([*divisors, compared]) + ")"
            compared = " or ".join([*(f"{read(name)} is None" for name in awaited), compared])
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
                return read(name)
            case ast.Constant(value=int() | float() as number):
                return repr(float(number))  # no integers, which could grow without bounds
            case ast.Constant(value=constant):
                return repr(constant)
            case ast.UnaryOp(operand=operand):
                return f"(-{value(operand)})"
            case ast.BinOp(left=left, op=op, right=right):
                return f"({value(left)} {_ARITHMETIC[type(op)]} {value(right)})"
        raise AssertionError(ast.dump(node))

    return emit(node, wanted)


def _divisors(*nodes: ast.expr) -> list[ast.expr]:
    """Return what is divided by, the innermost first."""
    found: list[ast.expr] = []
    for node in nodes:
        match node:
            case ast.UnaryOp(operand=operand):
                found += _divisors(operand)
            case ast.BinOp(left=left, op=op, right=right):
                found += _divisors(left, right)
                if isinstance(op, ast.Div):
                    found.append(right)
    return found
