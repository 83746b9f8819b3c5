"""What differs between two policies about one listing, and how often, by rule."""

from __future__ import annotations

import hashlib
from bisect import insort
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
    revision: int = 0
    seller_id: str = ""
    occurred_at: int = 0


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
    """Counts and samples of what differs, by change and rule.

    Which samples are kept is decided by a hash of listing and revision: they are spread over all
    that was given, and are the same in whatever order, and by how many tallies, it was counted.
    """

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
        sample = Sample(
            listing.listing_id, listing.title[:MAX_TITLE], before.outcome, after.outcome,
            before.rules, after.rules, listing.revision, listing.seller_id, listing.occurred_at,
        )  # fmt: skip
        _keep(self.samples.setdefault(found, []), sample)

    def merge(self, other: Tally) -> None:
        """Add what another tally has counted."""
        self.judged += other.judged
        self.counts.update(other.counts)
        for key, samples in other.samples.items():
            kept = self.samples.setdefault(key, [])
            for sample in samples:
                _keep(kept, sample)


def _keep(kept: list[Sample], sample: Sample) -> None:
    """Keep a sample if it is among the first by rank; `kept` is in that order."""
    if len(kept) == MAX_SAMPLES and _rank(sample) > _rank(kept[-1]):
        return
    if sample not in kept:
        insort(kept, sample, key=_rank)
        del kept[MAX_SAMPLES:]


def _rank(sample: Sample) -> tuple[bytes, tuple[object, ...]]:
    """Return the place of a sample; equal ones apart, no two have the same."""
    name = f"{sample.listing_id}\0{sample.revision}"
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return digest, msgspec.structs.astuple(sample)
