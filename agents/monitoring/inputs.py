"""What a verdict is made from, kept with the takedown so that it can be made again.

Policy and registry are named by their versions, the moment of judgement is `received_at`; kept here
are the listing as it was read and what the store said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from agents.history.fingerprints import VERSION
from agents.history.recall import Past, Relisting
from agents.history.removals import Removal
from agents.records import Fingerprint, Inputs
from agents.reputation import SellerFacts
from streams.batches import Record

MAX_LISTING: Final = 65_536
"""Bytes of a listing's record that are kept; a larger one is read from its topic again."""

_NO_FINGERPRINT: Final = Fingerprint(VERSION)


def inputs_of(
    topic: str, partition: int, record: Record, seller: SellerFacts | None, past: Past | None
) -> Inputs:
    """Return what to keep of what a verdict was made from."""
    value = record.value
    return Inputs(
        topic,
        partition,
        record.offset,
        value if value is not None and len(value) <= MAX_LISTING else None,
        None if seller is None else msgspec.json.encode(seller).decode(),
        None if past is None else msgspec.json.encode(_shown(past)).decode(),
    )


def seller_of(inputs: Inputs) -> SellerFacts | None:
    """Return what was known of the seller. Raises msgspec.DecodeError."""
    return None if inputs.seller is None else msgspec.json.decode(inputs.seller, type=SellerFacts)


def past_of(inputs: Inputs) -> Past | None:
    """Return what was remembered. Raises msgspec.DecodeError."""
    return None if inputs.past is None else msgspec.json.decode(inputs.past, type=Past)


def _shown(past: Past) -> Past:
    """Return what rules and evidence use of the past: of another seller the takedown only."""
    if not past.relisted and not past.linked_relisted:
        return past
    return replace(
        past,
        relisted=_reduced(past.relisted, own=True),
        linked_relisted=_reduced(past.linked_relisted, own=False),
    )


def _reduced(given: tuple[Relisting, ...] | None, *, own: bool) -> tuple[Relisting, ...] | None:
    if given is None:
        return None
    return tuple(
        replace(
            each,
            removal=Removal(
                each.removal.takedown_id,
                each.removal.listing_id if own else "",
                each.removal.revision if own else 0,
                each.removal.decided_at,
                _NO_FINGERPRINT,
                each.removal.right_ids,
            ),
        )
        for each in given
    )
