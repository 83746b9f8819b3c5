"""What a condition may ask of one signal: a flag, a range of numbers, one of some texts."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass


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


def numbers(op: type[ast.cmpop], number: float) -> Range:
    """Return the numbers of which the comparison with `number` holds."""
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


def contradiction(name: str, one: Constraint | None, other: Constraint) -> str:
    """Say why nothing satisfies both constraints of the signal `name`."""
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
