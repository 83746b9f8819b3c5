"""What differs between two policies about one listing, and how often, by rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from agents.records import Listing

Change = Literal[
    "newly_removed", "no_longer_removed", "newly_reviewed", "no_longer_reviewed", "other_rules"
]
CHANGES: Final[dict[Change, str]] = {
    "newly_removed": "removed, and was not",
    "no_longer_removed": "not removed any more",
    "newly_reviewed": "to review, and was allowed",
    "no_longer_reviewed": "allowed, and was to review",
    "other_rules": "the same, by other rules",
}
"""What may differ, as people read it; the gravest first. A listing counts for one of them."""

MAX_SAMPLES: Final = 20
"""Listings that are kept for each change and rule."""
MAX_TITLE: Final = 160


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one policy says of a listing: the outcome, and the rules that fired, deciding first."""

    outcome: str
    rules: tuple[str, ...]


class Sample(msgspec.Struct, frozen=True):
    """A listing about which two policies differ."""

    listing_id: str
    title: str
    before: str
    after: str
    rules_before: tuple[str, ...]
    rules_after: tuple[str, ...]


def change_of(before: Ruling, after: Ruling) -> tuple[Change, str] | None:
    """Return what differs, and the rule that makes the difference; None where nothing does.

    That is the rule which decides now, or the one that decided and does no more.
    """
    if before == after:
        return None
    if before.outcome == after.outcome:
        return "other_rules", (after.rules or before.rules)[0]
    if after.outcome == "remove":
        return "newly_removed", after.rules[0]
    if before.outcome == "remove":
        return "no_longer_removed", before.rules[0]
    if after.outcome == "review":
        return "newly_reviewed", after.rules[0]
    return "no_longer_reviewed", before.rules[0]


@dataclass(slots=True)
class Tally:
    """Counts and samples of what differs, by change and rule."""

    judged: int = 0
    """Listings that named a mark or showed a known picture; about the others both say 'allow'."""
    counts: Counter[tuple[Change, str]] = field(default_factory=Counter)
    samples: dict[tuple[Change, str], list[Sample]] = field(default_factory=dict)

    def add(self, listing: Listing, before: Ruling, after: Ruling) -> None:
        """Count one listing."""
        self.judged += 1
        found = change_of(before, after)
        if found is None:
            return
        self.counts[found] += 1
        kept = self.samples.setdefault(found, [])
        if len(kept) < MAX_SAMPLES:
            kept.append(
                Sample(
                    listing.listing_id, listing.title[:MAX_TITLE], before.outcome, after.outcome,
                    before.rules, after.rules,
                )
            )  # fmt: skip

    def merge(self, other: Tally) -> None:
        """Add what another tally has counted."""
        self.judged += other.judged
        self.counts.update(other.counts)
        for key, samples in other.samples.items():
            kept = self.samples.setdefault(key, [])
            kept.extend(samples[: MAX_SAMPLES - len(kept)])
