"""What happened when, in periods as long as it takes for all of them to fit on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

LENGTHS: Final = tuple(
    seconds * 1000
    for seconds in (
        1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400, 7 * 86_400, 28 * 86_400, 364 * 86_400,
    )
)  # fmt: skip
"""Milliseconds of a period; each is so many times the one before, so that periods add up."""
MOST: Final = 96
"""Periods from the first with anything in it to the last, unless they are of the longest kind."""


@dataclass(slots=True)
class Periods:
    """Counts by period and name. Times are UTC milliseconds.

    How long the periods are follows from the first and the last moment alone, so that the same
    records give the same periods in whatever order, and by how many counters, they were counted.
    """

    _length: int = 0
    """Place in `LENGTHS`."""
    counts: dict[int, Counter[str]] = field(default_factory=dict)
    """By the number of the period since 1970."""

    @property
    def length(self) -> int:
        """How long a period is, in milliseconds."""
        return LENGTHS[self._length]

    def add(self, moments: Iterable[int], name: str) -> None:
        """Count something at each of these moments."""
        length = self.length
        for number, count in Counter([moment // length for moment in moments]).items():
            self.counts.setdefault(number, Counter())[name] += count
        self._fit()

    def merge(self, other: Periods) -> None:
        """Add what another one has counted."""
        self._lengthen(max(self._length, other._length))
        times = self.length // other.length
        for number, counts in other.counts.items():
            self.counts.setdefault(number // times, Counter()).update(counts)
        self._fit()

    def rows(self) -> list[tuple[int, Counter[str]]]:
        """Return when each period begins and what was counted in it, those without anything too."""
        if not self.counts:
            return []
        numbers = range(min(self.counts), max(self.counts) + 1)
        return [(number * self.length, self.counts.get(number, Counter())) for number in numbers]

    def _fit(self) -> None:
        while (
            self.counts
            and max(self.counts) - min(self.counts) >= MOST
            and self._length + 1 < len(LENGTHS)
        ):
            self._lengthen(self._length + 1)

    def _lengthen(self, place: int) -> None:
        times = LENGTHS[place] // self.length
        if times == 1:
            return
        longer: dict[int, Counter[str]] = {}
        for number, counts in self.counts.items():
            longer.setdefault(number // times, Counter()).update(counts)
        self._length, self.counts = place, longer
