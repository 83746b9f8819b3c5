"""What a review has beside a takedown: how pressing it is, and which case it belongs to."""

from __future__ import annotations

import math
import uuid
from datetime import UTC, datetime
from typing import Final

import msgspec

from agents.records import Review, Takedown
from agents.takedowns import NAMESPACE

STANDING_SHARE: Final = 0.3
UNITS_SHARE: Final = 0.2
"""How much of what the rules leave open a seller who is always in the wrong, and a thousand units
sold, take away *(start values)*."""
PRIOR: Final = 0.25
"""Standing of a seller without cases."""
MANY_UNITS: Final = 1000


def priority(score: float, standing: float | None, units_sold: int | None) -> float:
    """Return how pressing a review is, 0 to 1: 1 − (1 − score) × (1 − 0.3 s) × (1 − 0.2 u).

    The score is that of the verdict: the deciding rule's weight, raised by those of the others
    (1 − the product of what each leaves open). s runs from 0 for a standing of 0.25, which a seller
    without cases has, to 1; u from 0 to 1 with the logarithm of the units sold, 1 from a thousand
    on. What is unknown raises nothing.
    """
    wrong = max(0.0, (standing or 0.0) - PRIOR) / (1 - PRIOR)
    sold = min(1.0, math.log1p(max(0, units_sold or 0)) / math.log1p(MANY_UNITS))
    raised = 1 - (1 - STANDING_SHARE * wrong) * (1 - UNITS_SHARE * sold)
    return round(score + (1 - score) * raised, 4)


def group_id(seller_id: str, right_id: str, rule: str, occurred_at: int) -> str:
    """Return the id of the case: UUIDv5 of seller, right, deciding rule and UTC day of the change.

    The name is the four, a line each; the day as 2026-11-28. `occurred_at` is UTC milliseconds.
    """
    day = datetime.fromtimestamp(occurred_at / 1000, tz=UTC).date().isoformat()
    return str(uuid.uuid5(NAMESPACE, "\n".join((seller_id, right_id, rule, day))))


def review_of(record: Takedown, standing: float | None) -> Review:
    """Return the review of a record whose action is REVIEW, to be worked until the budget is asked.

    `standing` is the seller's, None where unknown.
    """
    right = next(iter(record.right_ids), "")
    rule = next(iter(record.rules), "")
    return Review(
        **msgspec.structs.asdict(record),
        priority=priority(record.score, standing, record.units_sold_before),
        group_id=group_id(record.seller_id, right, rule, record.listing_occurred_at),
    )
