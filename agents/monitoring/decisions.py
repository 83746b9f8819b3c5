"""From a judgement to what monitoring has decided, as takedowns and reviews are made of it."""

from __future__ import annotations

import time

from agents.monitoring.judge import Examination, Judgement
from agents.monitoring.remembering import fingerprint_of
from agents.records import Inputs, Source
from agents.takedowns import Decision


def decision_of(
    examination: Examination,
    judgement: Judgement,
    sold: int | None,
    received: int,
    inputs: Inputs | None = None,
    *,
    source: Source = "MONITORING",
) -> Decision:
    """Return what monitoring has decided, as takedowns and reviews are made of it."""
    verdict, listing = judgement.verdict, examination.listing
    return Decision(
        action="REMOVED" if verdict.outcome == "remove" else "REVIEW",
        listing_id=verdict.listing_id,
        revision=verdict.revision,
        seller_id=listing.seller_id,
        source=source,
        rules=verdict.rules,
        evidence=verdict.evidence,
        score=verdict.score,
        policy_version=verdict.policy_version,
        registry_version=verdict.registry_version,
        rights=judgement.rights,
        ground=judgement.ground,
        reasons=judgement.reasons,
        listing_occurred_at=listing.occurred_at,
        received_at=received,
        decided_at=int(time.time() * 1000),
        units_sold_before=sold,
        fingerprint=fingerprint_of(examination),
        inputs=inputs,
    )
