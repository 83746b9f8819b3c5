"""Development and test halves: what is tuned on is not what is reported.

Base rows, marks, phrases and the characters of a disguise each belong to one half, by a hash of
what they are: adding one moves no other.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

Half = Literal["dev", "test"]
HALVES: Final[tuple[Half, ...]] = ("dev", "test")

T = TypeVar("T")


def half_of(text: str) -> Half:
    """Return the half a text belongs to, for ever."""
    return "test" if hashlib.sha256(text.encode("utf-8", "replace")).digest()[0] & 1 else "dev"


def of_half(items: Iterable[T], half: Half) -> list[T]:
    """Return the items of a half; all of them where the half has none."""
    every = list(items)
    return [item for item in every if half_of(str(item)) == half] or every


@dataclass(frozen=True, slots=True)
class Hand:
    """Chance, and the half of the phrases and tricks that may be drawn from."""

    chance: random.Random
    half: Half

    @classmethod
    def for_class(cls, seed: int, half: Half, *names: str) -> Hand:
        """Return the hand of one class: other classes do not change what it draws."""
        return cls(random.Random("/".join((str(seed), half, *names))), half)

    def draw(self, items: Iterable[T]) -> T:
        """Return one of this half's items."""
        return self.chance.choice(of_half(items, self.half))

    def pick(self, items: Sequence[T]) -> T:
        """Return one of all items."""
        return self.chance.choice(items)

    def odds(self, share: float) -> bool:
        """Return True as often as `share` says."""
        return self.chance.random() < share
