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

from agents.monitoring.policies.constraints import (
    Among,
    Constraint,
    Flag,
    Range,
    contradiction,
    numbers,
)
from agents.monitoring.policies.expressions import Condition
from agents.monitoring.policies.operators import MIRRORED, NEGATED, SYMBOLS, bounds, decided
from agents.monitoring.signals import Signal
from streams.aside import giving_way

MAX_ALTERNATIVES: Final = 64
"""A condition with more is not looked into."""
MAX_PAIRS: Final = 100_000
"""Pairs of alternatives that are joined or compared for one policy: half a second at most."""


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
            for one in giving_way(narrow.ways)
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
            links.append(self._link(left, NEGATED[type(op)] if not wanted else type(op), right))
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
            left, op, right = right, MIRRORED[op], left
        if isinstance(left, ast.Name) and isinstance(right, ast.Constant | ast.UnaryOp):
            if isinstance(right, ast.Constant) and isinstance(right.value, str):
                text = right.value
                equal = op is ast.Eq
                return {left.id: Among(text) if equal else Among(None, frozenset({text}))}
            low, high = bounds(right, self._signals)
            if low == high:
                return {left.id: numbers(op, low)}
        a, b = bounds(left, self._signals), bounds(right, self._signals)
        told = f"{ast.unparse(left)} {SYMBOLS[op]} {ast.unparse(right)}"
        always = decided(a, op, b)
        if always is False:
            self._reasons.append(f"'{told}' never holds")
            return None
        names = any(isinstance(n, ast.Name) for side in (left, right) for n in ast.walk(side))
        if always and not names:  # of a signal that is unknown, nothing holds always
            return {}
        # Not both of two that are each other's contrary.
        contrary = f"{ast.unparse(left)} {SYMBOLS[NEGATED[op]]} {ast.unparse(right)}"
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
            for other in giving_way(others):
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
                    self._reasons.append(contradiction(name, held, constraint))
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
