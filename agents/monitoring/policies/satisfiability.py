"""Which conditions can hold at all, and which rules others always cover.

A condition is written as alternatives, each a set of constraints on single signals: a flag that is
true or false, a number in a range, a text that is or is not some others. What can't be written so,
such as a comparison of two signals, counts as a flag of its own, which may be either. So 'never'
and 'always' are proved, and what is not proved passes.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.monitoring.policies.expressions import Condition, bounds
from agents.monitoring.signals import Signal

MAX_ALTERNATIVES: Final = 64
"""A condition with more is not looked into."""
MAX_PAIRS: Final = 100_000
"""Pairs of alternatives that are joined or compared for one policy: half a second at most."""


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    value: bool

    def meet(self, other: Constraint) -> Constraint | None:
        """Return what satisfies both, None when nothing does."""
        return self if self == other else None

    def within(self, other: Constraint) -> bool:
        """Return whether all that satisfies this satisfies the other."""
        return self == other


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers between two, some left out."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    """Whether `low` itself is left out; `below`, whether `high` is."""
    below: bool = False
    without: frozenset[float] = frozenset()

    def meet(self, other: Constraint) -> Constraint | None:
        """Return what satisfies both, None when nothing does."""
        if not isinstance(other, Range):
            return None
        low, above = max((self.low, self.above), (other.low, other.above))
        high, kept = min((self.high, not self.below), (other.high, not other.below))
        found = Range(low, high, above, not kept, self.without | other.without)
        empty = low > high or (low == high and (above or not kept or low in found.without))
        return None if empty else found

    def within(self, other: Constraint) -> bool:
        """Return whether all that satisfies this satisfies the other."""
        return (
            isinstance(other, Range)
            and (self.low, self.above) >= (other.low, other.above)
            and (self.high, not self.below) <= (other.high, not other.below)
            and all(self._lacks(number) for number in other.without)
        )

    def _lacks(self, number: float) -> bool:
        return self.meet(Range(number, number)) is None


@dataclass(frozen=True, slots=True)
class Among:
    """A text that is this one, or any but some."""

    is_: str | None = None
    not_: frozenset[str] = frozenset()

    def meet(self, other: Constraint) -> Constraint | None:
        """Return what satisfies both, None when nothing does."""
        if not isinstance(other, Among):
            return None
        if self.is_ is not None and other.is_ is not None and self.is_ != other.is_:
            return None
        text = self.is_ if self.is_ is not None else other.is_
        without = self.not_ | other.not_
        return None if text is not None and text in without else Among(text, without)

    def within(self, other: Constraint) -> bool:
        """Return whether all that satisfies this satisfies the other."""
        if not isinstance(other, Among):
            return False
        if other.is_ is not None:
            return self.is_ == other.is_
        return other.not_ <= self.not_ or (self.is_ is not None and self.is_ not in other.not_)


Constraint = Flag | Range | Among


@dataclass(frozen=True, slots=True)
class Alternative:
    """Constraints by signal; and the branches of the condition, by `id`, that they come from."""

    constraints: Mapping[str, Constraint]
    branches: frozenset[int] = frozenset()


@dataclass(slots=True)
class Alternatives:
    """The ways in which a condition can hold; `known` is false where there are too many to say."""

    ways: list[Alternative]
    known: bool = True
    reasons: list[str] = field(default_factory=list)
    """Why ways that were written can't be gone."""


class Prover:
    """Works conditions out, over these signals and definitions."""

    def __init__(self, signals: Mapping[str, Signal], definitions: Mapping[str, Condition]) -> None:
        self._signals = signals
        self._definitions = definitions
        self._pairs = 0
        self._reasons: list[str] = []

    def alternatives(self, tree: ast.expr, given: Alternatives | None = None) -> Alternatives:
        """Return the ways in which a condition can hold where `given` holds too."""
        self._reasons = []
        try:
            ways = self._ways(tree, wanted=True, branch=None)
            if given is not None and given.known:
                ways = self._both(given.ways, ways)
        except _TooManyError:
            return Alternatives([], known=False)
        return Alternatives(ways, reasons=list(dict.fromkeys(self._reasons)))

    def covers(self, wide: Alternatives, narrow: Alternatives) -> bool:
        """Return whether the wide condition is proved to hold wherever the narrow one does."""
        if not wide.known or not narrow.known or not narrow.ways:
            return False
        self._pairs += len(wide.ways) * len(narrow.ways)
        if self._pairs > MAX_PAIRS:
            return False
        return all(
            any(_within(one.constraints, other.constraints) for other in wide.ways)
            for one in narrow.ways
        )

    def _ways(self, node: ast.expr, *, wanted: bool, branch: int | None) -> list[Alternative]:
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = [self._ways(value, wanted=wanted, branch=branch) for value in values]
                if isinstance(op, ast.And) != wanted:
                    return _few(way for part in parts for way in part)
                ways = parts[0]
                for part in parts[1:]:
                    ways = self._both(ways, part)
                return ways
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._ways(operand, wanted=not wanted, branch=branch)
            case ast.Name(id=name) if name in self._definitions:
                tree = self._definitions[name].tree
                return self._ways(tree, wanted=wanted, branch=branch or id(node))
            case ast.Name(id=name):
                return self._way({name: Flag(wanted)}, branch or id(node))
            case ast.Constant(value=value):
                if value is wanted:
                    return self._way({}, branch or id(node))
                self._reasons.append(f"'{value is True}' is a constant")
                return []
            case ast.Compare():
                return self._compare(node, wanted=wanted, branch=branch or id(node))
        raise AssertionError(ast.dump(node))  # `parse` has refused everything else

    def _compare(self, node: ast.Compare, *, wanted: bool, branch: int) -> list[Alternative]:
        operands = [node.left, *node.comparators]
        links = []
        for left, op, right in zip(operands, node.ops, operands[1:], strict=False):
            links.append(self._link(left, _NEGATED[type(op)] if not wanted else type(op), right))
        if not wanted:
            return _few(way for link in links for way in self._way(link, branch))
        ways = self._way(links[0], branch)
        for link in links[1:]:
            ways = self._both(ways, self._way(link, branch))
        return ways

    def _link(
        self, left: ast.expr, op: type[ast.cmpop], right: ast.expr
    ) -> dict[str, Constraint] | None:
        """Return the constraint of one comparison; None when it never holds."""
        if isinstance(right, ast.Name) and not isinstance(left, ast.Name):
            left, op, right = right, _MIRRORED[op], left
        if isinstance(left, ast.Name) and isinstance(right, ast.Constant | ast.UnaryOp):
            if isinstance(right, ast.Constant) and isinstance(right.value, str):
                text = right.value
                equal = op is ast.Eq
                return {left.id: Among(text) if equal else Among(None, frozenset({text}))}
            low, high = bounds(right, self._signals)
            if low == high:
                return {left.id: _range(op, low)}
        a, b = bounds(left, self._signals), bounds(right, self._signals)
        told = f"{ast.unparse(left)} {_SYMBOLS[op]} {ast.unparse(right)}"
        decided = _decided(a, op, b)
        if decided is False:
            self._reasons.append(f"'{told}' never holds")
            return None
        names = any(isinstance(n, ast.Name) for side in (left, right) for n in ast.walk(side))
        if decided and not names:  # of a signal that is unknown, nothing holds always
            return {}
        # Not both of two that are each other's contrary.
        contrary = f"{ast.unparse(left)} {_SYMBOLS[_NEGATED[op]]} {ast.unparse(right)}"
        first, value = (told, True) if told <= contrary else (contrary, False)
        return {first: Flag(value)}

    def _way(self, constraints: dict[str, Constraint] | None, branch: int) -> list[Alternative]:
        if constraints is None:
            return []
        found = self._joined({}, constraints)
        return [] if found is None else [Alternative(found, frozenset({branch}))]

    def _both(
        self, some: Sequence[Alternative], others: Sequence[Alternative]
    ) -> list[Alternative]:
        self._pairs += len(some) * len(others)
        if self._pairs > MAX_PAIRS:
            raise _TooManyError
        found = []
        for one in some:
            for other in others:
                constraints = self._joined(one.constraints, other.constraints)
                if constraints is not None:
                    found.append(Alternative(constraints, one.branches | other.branches))
        return _few(found)

    def _joined(
        self, one: Mapping[str, Constraint], other: Mapping[str, Constraint]
    ) -> dict[str, Constraint] | None:
        """Return what satisfies both, with all that follows; None when nothing does."""
        found = dict(one)
        pending = list(other.items())
        while pending:
            name, constraint = pending.pop()
            signal = self._signals.get(name)
            held = found.get(name)
            if held is None and signal is not None and signal.type == "number":
                held = Range(signal.low, signal.high)
                met = held.meet(constraint)
                if met is None:
                    self._reasons.append(
                        f"'{name}' lies between {signal.low:g} and {signal.high:g}"
                        if signal.high < math.inf
                        else f"'{name}' is {signal.low:g} at least"
                    )
                    return None
            else:
                met = constraint if held is None else held.meet(constraint)
                if met is None:
                    self._reasons.append(_contradiction(name, held, constraint))
                    return None
            if met == found.get(name):
                continue
            found[name] = met
            if signal is not None and met == Flag(True):
                for implied in signal.implies:
                    if found.get(implied) == Flag(False):
                        self._reasons.append(f"'{name}' holds only where '{implied}' does")
                        return None
                    pending.append((implied, Flag(True)))
                for excluded in signal.excludes:
                    if found.get(excluded) == Flag(True):
                        self._reasons.append(f"'{name}' and '{excluded}' never hold together")
                        return None
        return found


class _TooManyError(Exception):
    """There are more alternatives than are looked into."""


def _few(ways: Iterable[Alternative]) -> list[Alternative]:
    found: list[Alternative] = []
    for way in ways:
        if len(found) >= MAX_ALTERNATIVES:
            raise _TooManyError
        found.append(way)
    return found


def _within(narrow: Mapping[str, Constraint], wide: Mapping[str, Constraint]) -> bool:
    return all(
        name in narrow and narrow[name].within(constraint) for name, constraint in wide.items()
    )


def _contradiction(name: str, one: Constraint | None, other: Constraint) -> str:
    if isinstance(other, Flag):
        return f"'{name}' can't both hold and not hold"
    if isinstance(one, Range) and isinstance(other, Range):
        return f"'{name}' can't be both {_told(one)} and {_told(other)}"
    return f"'{name}' can't be two texts"


def _told(range_: Range) -> str:
    if range_.low == range_.high:
        return f"{range_.low:g}"
    parts = []
    if range_.low > -math.inf and (range_.low > 0 or range_.above):
        parts.append(f"{'over' if range_.above else 'at least'} {range_.low:g}")
    if range_.high < math.inf:
        parts.append(f"{'under' if range_.below else 'at most'} {range_.high:g}")
    parts += [f"not {number:g}" for number in sorted(range_.without)]
    return " and ".join(parts) or "any number"


def _range(op: type[ast.cmpop], number: float) -> Range:
    if op is ast.Lt:
        return Range(high=number, below=True)
    if op is ast.LtE:
        return Range(high=number)
    if op is ast.Gt:
        return Range(low=number, above=True)
    if op is ast.GtE:
        return Range(low=number)
    if op is ast.Eq:
        return Range(number, number)
    return Range(without=frozenset({number}))


def _decided(a: tuple[float, float], op: type[ast.cmpop], b: tuple[float, float]) -> bool | None:
    """Return what a comparison of numbers in these ranges always says; None if it depends."""
    if op in (ast.Gt, ast.GtE):
        return _decided(b, _MIRRORED[op], a)
    if op is ast.Lt:
        return True if a[1] < b[0] else False if a[0] >= b[1] else None
    if op is ast.LtE:
        return True if a[1] <= b[0] else False if a[0] > b[1] else None
    apart = a[1] < b[0] or b[1] < a[0]
    same = a == b and a[0] == a[1]
    if op is ast.Eq:
        return False if apart else True if same else None
    return True if apart else False if same else None


_NEGATED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_MIRRORED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}
_SYMBOLS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
