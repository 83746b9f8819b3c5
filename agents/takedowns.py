"""What every pillar ends in: a verdict becomes a takedown or a review, with its reasons."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from agents.records import (
    Action,
    Evidence,
    Fingerprint,
    Inputs,
    Right,
    Source,
    Statement,
    Takedown,
)
from streams.cloud_events import cloud_event
from streams.codec import DecodeError, Encoder
from streams.producer import Outgoing

NAMESPACE: Final = uuid.UUID("82e1f8a4-3ba0-5cb6-b743-ef3340477ae2")
"""Namespace of takedown ids, as the schema's doc says, so that others can compute them."""

LARGEST_EVENT: Final = 1_000_000
"""Bytes of key, value and `traceparent`: the topics take 1,048,588 with everything around them."""

EVENT_TYPES: Final[dict[Action, str]] = {
    "REMOVED": "assayer.takedown.v1",
    "REINSTATED": "assayer.takedown.v1",
    "REVIEW": "assayer.review.v1",
}

REDRESS: Final = (
    "You can contest this decision with the marketplace free of charge within six months; a person "
    "decides on it. You can also turn to a certified out-of-court dispute settlement body, or to a "
    "court."
)
"""DSA Art. 17(3)(f), 20 and 21."""
REVIEW_REDRESS: Final = (
    "Nothing has been decided yet and the listing stays up; a person looks at it. Should it be "
    "taken down, you will be told why and how to contest it."
)

_CONTACT: Final = re.compile(
    r"[\w.+-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+"  # e-mail addresses
    r"|\+?\(?\d(?:[\s().\-/]{0,2}\d){6,}"  # phone and account numbers: seven digits or more
    r"|\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,}\b"  # IBAN
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a pillar has decided about one revision of a listing."""

    action: Action
    listing_id: str
    revision: int
    seller_id: str
    source: Source
    rules: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    score: float
    policy_version: str
    registry_version: str
    rights: tuple[Right, ...]
    ground: str
    reasons: tuple[str, ...]
    listing_occurred_at: int
    received_at: int
    decided_at: int
    units_sold_before: int | None
    automated: bool = True
    fingerprint: Fingerprint | None = None
    inputs: Inputs | None = None


def takedown_id(listing_id: str, revision: int) -> str:
    """Return the id of the takedown of a listing's revision: UUIDv5 of `<listing_id>:<revision>`.

    A replay computes the same id again instead of inventing a second removal.
    """
    return str(uuid.uuid5(NAMESPACE, f"{listing_id}:{revision}"))


def without_contact_data(text: str) -> str:
    """Return the text with e-mail addresses, phone and account numbers struck out."""
    return _CONTACT.sub("[removed]", text)


def statement_of_reasons(decision: Decision) -> Statement:
    """Return the statement of reasons (DSA Art. 17): ground, facts, redress; none is empty.

    It names no seller. What is quoted of the listing is stripped of contact data.
    """
    facts = list(dict.fromkeys(decision.reasons))
    rights = [
        f"{right.mark or right.right_id}"
        + (f" ({right.office} {right.registration_number})" if right.registration_number else "")
        for right in decision.rights
    ]
    if rights:
        facts.append(f"Right relied on: {', '.join(dict.fromkeys(rights))}.")
    facts.append(
        "Detected and decided by automated means." if decision.automated else "Decided by a person."
    )
    if decision.action == "REVIEW":
        facts[-1] = "Detected by automated means; to be decided by a person."
    numbers = {right.registration_number for right in decision.rights}
    return Statement(
        ground=decision.ground or "Infringement of intellectual property",
        facts=_strip(" ".join(facts), keep=numbers),
        redress=REVIEW_REDRESS if decision.action == "REVIEW" else REDRESS,
    )


def _strip(text: str, keep: set[str]) -> str:
    """Strike contact data out of a text, registration numbers apart: they look like phones."""
    marked = {f"\ue000{index}\ue001": number for index, number in enumerate(sorted(keep - {""}))}
    for token, number in marked.items():
        text = text.replace(number, token)
    text = without_contact_data(text)
    for token, number in marked.items():
        text = text.replace(token, number)
    return text


def takedown(decision: Decision) -> Takedown:
    """Return the record of a decision."""
    brand = decision.rights[0].brand or decision.rights[0].mark if decision.rights else ""
    return Takedown(
        takedown_id=takedown_id(decision.listing_id, decision.revision),
        action=decision.action,
        listing_id=decision.listing_id,
        revision=decision.revision,
        seller_id=decision.seller_id,
        source=decision.source,
        rules=decision.rules,
        evidence=decision.evidence,
        score=decision.score,
        automated=decision.automated and decision.action != "REVIEW",
        policy_version=decision.policy_version,
        registry_version=decision.registry_version,
        brand=brand,
        right_ids=tuple(right.right_id for right in decision.rights),
        listing_occurred_at=decision.listing_occurred_at,
        received_at=decision.received_at,
        decided_at=decision.decided_at,
        units_sold_before=decision.units_sold_before,
        statement=statement_of_reasons(decision),
        fingerprint=decision.fingerprint,
        inputs=decision.inputs,
    )


class TakedownEvents:
    """Turns takedowns into events for their topics."""

    def __init__(
        self, takedowns: str, reviews: str, takedown_encoder: Encoder, review_encoder: Encoder
    ) -> None:
        self._to: dict[Action, tuple[str, Encoder]] = {
            "REMOVED": (takedowns, takedown_encoder),
            "REINSTATED": (takedowns, takedown_encoder),
            "REVIEW": (reviews, review_encoder),
        }

    def event(self, record: Takedown, headers: Sequence[tuple[str, bytes]] = ()) -> Outgoing:
        """Return the event of a takedown or review; `headers` are the listing's own.

        The listing's `traceparent` is passed on as it came (W3C Trace Context: the trace id is the
        same). The event's CloudEvents id is the takedown's, with its action.

        Raises:
            DecodeError: 'too_large'; the listing's ids or names fill more than a record holds.
        """
        topic, encoder = self._to[record.action]
        trace = next((value for name, value in headers if name.lower() == "traceparent"), None)
        key = record.listing_id.encode()
        fields = msgspec.to_builtins(record, builtin_types=(bytes,))
        value = encoder.encode(fields)
        if len(key) + len(value) + len(trace or b"") > LARGEST_EVENT and record.inputs:
            # The listing can be read from its topic; the reasons stand nowhere else.
            fields["inputs"]["listing"] = None
            value = encoder.encode(fields)
        if len(key) + len(value) + len(trace or b"") > LARGEST_EVENT:
            raise DecodeError(
                "too_large",
                f"its {record.action.lower()} event would have {len(key) + len(value)} bytes, "
                f"and one may have {LARGEST_EVENT}",
            )
        return Outgoing(
            topic,
            key,
            value,
            cloud_event(
                f"{record.takedown_id}:{record.action}",
                EVENT_TYPES[record.action],
                record.decided_at,
                trace,
            ),
        )
