"""What can be said of a listing before anything is known of its seller, and what is decided."""

from __future__ import annotations

from typing import Literal

import msgspec

from agents.monitoring.comparison import Ruling
from agents.monitoring.examination import RightMatch
from agents.records import Evidence, Listing, Right

Outcome = Literal["allow", "review", "remove"]


class Verdict(msgspec.Struct, frozen=True):
    """What is decided about one revision of a listing, why, and under which versions."""

    listing_id: str
    revision: int
    outcome: Outcome
    score: float
    rules: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    policy_version: str
    registry_version: str

    def to_json(self) -> bytes:
        """Return the verdict as JSON with sorted keys: the same verdict gives the same bytes."""
        return msgspec.json.encode(self, order="sorted")


class Judgement(msgspec.Struct, frozen=True):
    """A verdict with what a takedown needs beside it."""

    verdict: Verdict
    rights: tuple[Right, ...] = ()
    ground: str = ""
    reasons: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    """Rules on trial that hold."""
    snoozed: tuple[str, ...] = ()
    """Rules that hold and are muted for this seller, brand or listing."""
    on_trial: Ruling | None = None
    """What the candidate would have decided; None where there is none."""
    awaits_facts: bool = False
    """Facts about the seller that could not be had might change the outcome."""


class Examination(msgspec.Struct, frozen=True):
    """What can be said of a listing before anything is known of its seller."""

    listing: Listing
    now: int
    matches: tuple[RightMatch, ...]
    needs_seller: bool
    """Whether what the store knows of the seller, or of its earlier listings, could matter."""
    notes: tuple[Evidence, ...] = ()
    """What the listing gives that can't be used."""
    watched: bool = False
    """The seller, or one linked to it, had something removed: it may come again unnamed."""
