"""Compiles rules to one Python function.

A condition is compiled to Python source that is True only where the condition is *known* to hold: a
signal that is unknown makes a comparison neither true nor false (Kleene's strong logic of three
values), so `not seller_verified` does not fire for a seller nobody knows. For that each expression
can be compiled towards True or towards False. A division by zero is unknown too.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from agents.monitoring.policies.declarations import Evaluate, Rule
from agents.monitoring.policies.expressions import MAX_STEPS, Condition
from agents.monitoring.policies.operators import ARITHMETIC, NEGATED, SYMBOLS
from agents.monitoring.signals import SIGNALS, Signal
from streams.aside import giving_way


def evaluator(
    rules: Sequence[Rule],
    guard: Condition | None,
    definitions: Mapping[str, Condition],
    *,
    known: bool,
    unread: bool = False,
) -> Evaluate:
    """Return one function for all rules, compiled: a third of a microsecond for the default policy.

    It returns the rules known to hold; unless `known`, those too that facts of the store that are
    unknown could still make hold. With `unread` no signal that is late is read: whatever it says,
    what could hold is returned. The source is made from checked trees only: names are signals,
    constants are literals. See tests/benchmarks/policy.py.

    The largest policies are compiled in parts, as Python's compiler lets no other thread run.
    """
    numbered = list(enumerate(rules))
    parts = [
        _compiled(numbered[part.start : part.stop], guard, definitions, known=known, unread=unread)
        for part in giving_way(_parts(rules))
    ]
    if len(parts) == 1:
        return parts[0]
    return lambda facts: [index for part in parts for index in part(facts)]


def _parts(rules: Sequence[Rule]) -> list[range]:
    """Return the rules that are compiled at once, in order: as long as one rule may be."""
    cuts, steps = [0], 0
    for index, rule in enumerate(rules):
        steps += rule.condition.steps
        if steps > MAX_STEPS and index > cuts[-1]:
            cuts.append(index)
            steps = rule.condition.steps
    return [range(*pair) for pair in pairwise((*cuts, len(rules)))]


def _compiled(
    rules: Sequence[tuple[int, Rule]],
    guard: Condition | None,
    definitions: Mapping[str, Condition],
    *,
    known: bool,
    unread: bool,
) -> Evaluate:
    """Return the function of some rules, each with its number."""

    def holds(condition: Condition, inline: Collection[str]) -> str:
        return source(
            condition.tree,
            True,
            SIGNALS,
            definitions,
            hopeful=not known,
            inline=inline,
            unread=unread,
        )

    # What a single rule asks for is read there, if it comes to that: 30 ns of 350 less.
    uses = Counter(name for _, rule in rules for name in rule.condition.signals)
    once = {name for name, count in uses.items() if count == 1 or SIGNALS[name].late}
    lines = ["def evaluate(f):", "    fired = []"]
    if guard is not None:
        lines += [f"    if not ({holds(guard, guard.signals)}):", "        return fired"]
    lines += [f"    {name} = f.{name}" for name in sorted(uses.keys() - once)]
    for index, rule in giving_way(rules):
        lines += [f"    if {holds(rule.condition, once)}:", f"        fired.append({index})"]
    lines.append("    return fired")
    scope: dict[str, Any] = {"__builtins__": {}}
    exec("\n".join(lines), scope)  # noqa: S102
    evaluate: Evaluate = scope.pop("evaluate")  # the function holds its scope: no cycle of both
    return evaluate


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
    unread: bool = False,
) -> str:
    """Return Python that is True exactly where `node` is known to be `wanted`.

    Signals stand as local variables of their names, those in `inline` as attributes of `f`.
    `hopeful` takes a signal of the store that is unknown for whatever is wanted: the store may
    still say it. Others that are unknown stay so. `unread` takes what is late for whatever is
    wanted, and reads none of it.

    What costs less is asked first. That changes no meaning: no part of a condition has an effect or
    raises, whatever the others say.
    """

    return _Writer(signals, definitions, hopeful, inline, unread).emit(node, wanted)


# No closures that call each other: each would be a cycle, left to Python's garbage collector.
@dataclass(frozen=True, slots=True)
class _Writer:
    signals: Mapping[str, Signal]
    definitions: Mapping[str, Condition]
    hopeful: bool
    inline: Collection[str]
    unread: bool

    def read(self, name: str) -> str:
        """Return what says the signal, or what says it early."""
        if name not in self.inline:
            return name
        return f"f.{self.signals[name].early or name}"

    def emit(self, node: ast.expr, wanted: bool) -> str:
        match node:
            case ast.BoolOp(op=op, values=values):
                word = " and " if isinstance(op, ast.And) == wanted else " or "
                ordered = sorted(values, key=self.cost)
                return "(" + word.join(self.emit(value, wanted) for value in ordered) + ")"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.emit(operand, not wanted)
            case ast.Name(id=name) if name in self.definitions:
                return self.emit(self.definitions[name].tree, wanted)
            case ast.Name(id=name) if self.unread and self.signals[name].late:
                return "True"
            case ast.Name(id=name) if self.awaits(name):
                return f"({self.read(name)} is not {not wanted})"
            case ast.Name(id=name):
                return f"({self.read(name)} is {wanted})"
            case ast.Constant(value=value):
                return str(value is wanted)
            case ast.Compare():
                return self.compare(node, wanted)
        raise AssertionError(ast.dump(node))  # `parse` has refused everything else

    def cost(self, node: ast.expr) -> int:
        return cost(node, self.signals, self.definitions)

    def awaits(self, name: str) -> bool:
        return self.hopeful and self.signals[name].from_store

    def compare(self, node: ast.Compare, wanted: bool) -> str:
        operands = [node.left, *node.comparators]
        parts = []
        for left, op, right in zip(operands, node.ops, operands[1:], strict=False):
            names = self.unknowable(left, right)
            awaited = [name for name in names if self.awaits(name)]
            known = [f"{self.read(name)} is not None" for name in names if name not in awaited]
            symbol = SYMBOLS[type(op) if wanted else NEGATED[type(op)]]
            one, other = self.value(left), self.value(right)
            compared = f"{one} {symbol} {other}"
            if symbol == "!=" and any(isinstance(each, ast.BinOp) for each in (left, right)):
                # What overflows may be no number, and that differs from everything, itself too.
                compared = f"({one} < {other} or {one} > {other})"
            divisors = [f"{self.value(divisor)} != 0" for divisor in _divisors(left, right)]
            if divisors:
                compared = "(" + " and ".join([*divisors, compared]) + ")"
            compared = " or ".join([*(f"{self.read(name)} is None" for name in awaited), compared])
            early = [name for name in names if self.signals[name].early and name in self.inline]
            counts = [] if self.unread else [f"f.{name} is not None" for name in early]
            parts.append("(" + " and ".join([*known, f"({compared})", *counts]) + ")")
        return "(" + (" and " if wanted else " or ").join(parts) + ")"

    def unknowable(self, *nodes: ast.expr) -> list[str]:
        names = {
            child.id
            for node in nodes
            for child in ast.walk(node)
            if isinstance(child, ast.Name)
            and child.id in self.signals
            and self.signals[child.id].optional
        }
        return sorted(names)

    def value(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return self.read(name)
            case ast.Constant(value=int() | float() as number):
                return repr(float(number))  # no integers, which could grow without bounds
            case ast.Constant(value=constant):
                return repr(constant)
            case ast.UnaryOp(operand=operand):
                return f"(-{self.value(operand)})"
            case ast.BinOp(left=left, op=op, right=right):
                return f"({self.value(left)} {ARITHMETIC[type(op)]} {self.value(right)})"
        raise AssertionError(ast.dump(node))


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
