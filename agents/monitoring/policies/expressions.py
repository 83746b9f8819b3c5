"""The language of conditions: a safe subset of Python expressions over signals, parsed and typed.

`compiling` says what a condition means where a signal is unknown.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from agents.monitoring.policies.operators import ARITHMETIC, MAX_NUMBER, SYMBOLS, bounds
from agents.monitoring.policies.problems import did_you_mean, short
from agents.monitoring.signals import Signal

ValueType = Literal["bool", "number", "text"]

MAX_CHARS: Final = 2000
MAX_DEPTH: Final = 40
MAX_STEPS: Final = 400
"""Signals, numbers and operators of a condition, those of its definitions counted at each use."""
MAX_TEXT: Final = 200
MAX_FLAWS: Final = 20
"""Flaws that are told of one condition."""

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
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
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
            if type(operator) not in SYMBOLS:
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
