"""What a replay finds, in a form that adds up: of a batch, of a partition, of the whole range."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from agents.monitoring.comparison import Ruling, Tally, change_of
from agents.monitoring.replay.periods import Periods
from agents.records import YEAR_2000_MS, Listing
from agents.reputation import YEAR_2100_MS

Side = Literal["old", "new"]

MOST_SELLERS: Final = 1_000_000
"""Sellers that are told apart; of more it is said that there are as many at least."""
MOST_REFUSED: Final = 5
"""Rows of a chunk that are named when they can't be read; the others are counted."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is no listing; its line counts from the beginning of what was read."""

    line: int
    reason: str


@dataclass(slots=True)
class Findings:
    """Counts and samples of what two policies say of the same listings.

    They are the same in whatever order, and by how many, the listings were judged.
    """

    read: int = 0
    """Listing changes in the range."""
    first: int | None = None
    """Time of the oldest of them, UTC ms; a time before 2000 or after 2100 is none."""
    last: int | None = None
    tally: Tally = field(default_factory=Tally)
    """What differs. It has seen those that name a mark or show a known picture; about the others
    both policies say 'allow'."""
    acted: Counter[tuple[Side, str, str]] = field(default_factory=Counter)
    """Removals and reviews by side, outcome and deciding rule."""
    periods: Periods = field(default_factory=Periods)
    """By the time of the record: 'read', and '<side> <outcome>'."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """Records that could not be read or judged, by reason."""
    strangers: int = 0
    """Listings of sellers about whom the store was asked in vain."""
    newly_removed: set[str] = field(default_factory=set)
    """Ids of sellers of whom something is removed that was not."""
    lines: int = 0
    """Lines of a file that were read."""
    refused: list[RefusedRow] = field(default_factory=list)

    def count_read(self, moments: Sequence[int]) -> None:
        """Count records, by the time of each."""
        self.read += len(moments)
        timely = [each for each in moments if YEAR_2000_MS <= each < YEAR_2100_MS]
        if timely:
            self._extend(min(timely), max(timely))
            self.periods.add(timely, "read")

    def add(self, listing: Listing, moment: int, before: Ruling, after: Ruling) -> None:
        """Count a listing that names a mark, or shows a known picture."""
        self.tally.add(listing, before, after)
        sides: tuple[tuple[Side, Ruling], ...] = (("old", before), ("new", after))
        for side, ruling in sides:
            if ruling.outcome != "allow":
                self.acted[side, ruling.outcome, ruling.rules[0]] += 1
                if YEAR_2000_MS <= moment < YEAR_2100_MS:
                    self.periods.add((moment,), f"{side} {ruling.outcome}")
        change = change_of(before, after)
        if change is not None and change[0] == "newly_removed":
            self._add_sellers({listing.seller_id})

    def merge(self, other: Findings) -> None:
        """Add what others found; rows that were refused stand behind the lines read so far."""
        self.read += other.read
        if other.first is not None and other.last is not None:
            self._extend(other.first, other.last)
        self.tally.merge(other.tally)
        self.acted.update(other.acted)
        self.periods.merge(other.periods)
        self.unreadable.update(other.unreadable)
        self.strangers += other.strangers
        self._add_sellers(other.newly_removed)
        shifted = [RefusedRow(self.lines + row.line, row.reason) for row in other.refused]
        self.refused = [*self.refused, *shifted][:MOST_REFUSED]
        self.lines += other.lines

    def outcomes(self, side: Side, outcome: str) -> int:
        """Return how many listings one side removes or reviews."""
        return sum(
            count
            for (each, what, _), count in self.acted.items()
            if (each, what) == (side, outcome)
        )

    def _extend(self, first: int, last: int) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def _add_sellers(self, sellers: set[str]) -> None:
        for seller in sellers:
            if len(self.newly_removed) >= MOST_SELLERS:
                return
            self.newly_removed.add(seller)
