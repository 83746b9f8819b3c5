"""Judges a listing: which marks it names, what speaks against it, what follows.

Everything here is a plain function over plain values: no broker, no store, no clock. `examine` says
what can be said from the listing and the registry; `decide` adds what is known of the seller. They
are apart so that the store is asked only about sellers a rule could still matter for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from agents.monitoring.evidence import evidence_of, reason_of
from agents.monitoring.examination import RightMatch, examine_right, texts_of
from agents.monitoring.policies import Policy, Rule
from agents.monitoring.registry import Registry
from agents.monitoring.signals import Facts
from agents.monitoring.vocabulary import load as load_vocabulary
from agents.records import Evidence, Listing, Right
from agents.reputation import SellerFacts

Outcome = Literal["allow", "review", "remove"]

DAY_MS: Final = 86_400_000
MAX_RIGHTS: Final = 8
"""Rights that one verdict gives evidence for; a listing stuffed with marks names many."""


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


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what a takedown needs beside it."""

    verdict: Verdict
    rights: tuple[Right, ...] = ()
    ground: str = ""
    reasons: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    awaits_facts: bool = False
    """Facts about the seller that could not be had might change the outcome."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What can be said of a listing before anything is known of its seller."""

    listing: Listing
    now: int
    matches: tuple[RightMatch, ...]
    needs_seller: bool


class Judge:
    """A registry and a policy, ready to judge. Immutable: a new version is a new judge."""

    def __init__(self, registry: Registry, policy: Policy) -> None:
        self.registry = registry
        self.policy = policy
        self._vocabulary = load_vocabulary()

    def concerned(self, texts: Sequence[Sequence[bytes]]) -> set[int]:
        """Return which listings have to be examined, given the UTF-8 texts of each.

        Conservative: the verdict on the others is 'allow', with nothing to say.
        """
        return self.registry.matcher.concerned(texts)

    def examine(self, listing: Listing, now: int) -> Examination:
        """Return what the listing names and how; `now` is UTC milliseconds."""
        if listing.kind == "DELETED":
            return Examination(listing, now, (), needs_seller=False)
        found = self.registry.matcher.find(texts_of(listing))
        by_right: dict[int, list[int]] = {}
        for position, match in enumerate(found):
            for right in self.registry.rights_of_mark[match.mark]:
                by_right.setdefault(right, []).append(position)
        matches = []
        for right, positions in by_right.items():
            if self.registry.concerns_goods(right, listing):
                examined = examine_right(
                    self.registry.rights[right],
                    listing,
                    [found[position] for position in positions],
                    self._vocabulary,
                    now,
                )
                if examined is not None:
                    matches.append(examined)
        needs_seller = any(
            self.policy.possible(match.facts) != self.policy.fired(match.facts) for match in matches
        )
        return Examination(listing, now, tuple(matches), needs_seller)

    def decide(self, examination: Examination, seller: SellerFacts | None) -> Judgement:
        """Return the verdict; `seller` is None where the store could not be asked."""
        listing, rules = examination.listing, self.policy.rules
        fired: dict[int, list[RightMatch]] = {}
        shadow: dict[str, None] = {}
        could: set[int] = set()
        for match in examination.matches:
            add_seller(match.facts, seller, examination.now)
            holding = self.policy.fired(match.facts)
            for index in holding:
                if rules[index].mode == "shadow":
                    shadow[rules[index].name] = None
                else:
                    fired.setdefault(index, []).append(match)
            could.update(
                index
                for index in self.policy.possible(match.facts)
                if index not in holding and rules[index].mode == "enforce"
            )
        order = sorted(fired)  # the policy's order has removals first
        outcome: Outcome = rules[order[0]].outcome if order else "allow"
        awaits = outcome != "remove" and any(
            rules[index].outcome == "remove" or outcome == "allow" for index in could
        )
        concerned = _concerned(order, fired, examination.matches)
        evidence: list[Evidence] = []
        for match in concerned[:MAX_RIGHTS]:
            evidence.extend(evidence_of(match, listing))
        if awaits:
            evidence.append(_unknown_seller(seller))
        elif seller is not None and any(_asks_seller(rules[index]) for index in order):
            evidence.append(_seller_evidence(seller, examination))
        verdict = Verdict(
            listing.listing_id,
            listing.revision,
            outcome,
            _score(rules[index].weight for index in order),
            tuple(rules[index].name for index in order),
            tuple(evidence),
            self.policy.version,
            self.registry.version,
        )
        return Judgement(
            verdict,
            tuple(match.right for match in concerned) if order else (),
            rules[order[0]].ground if order else "",
            tuple(reason_of(rules[index].reason, fired[index][0]) for index in order),
            tuple(shadow),
            awaits and seller is None,
        )

    def judge(self, listing: Listing, seller: SellerFacts | None, now: int) -> Judgement:
        """Examine and decide in one go."""
        return self.decide(self.examine(listing, now), seller)


def add_seller(facts: Facts, seller: SellerFacts | None, now: int) -> None:
    """Fill in what is known of the seller; what is not stays unknown."""
    if seller is None:
        return
    if seller.created_at is not None:
        facts.seller_age_days = max(0.0, (now - seller.created_at) / DAY_MS)
    facts.seller_verified = seller.verified
    if seller.standing is not None:
        facts.seller_standing = seller.standing.score
        facts.seller_upheld = seller.standing.upheld


def _concerned(
    order: Sequence[int], fired: dict[int, list[RightMatch]], all_: Sequence[RightMatch]
) -> list[RightMatch]:
    """Return the matches that rules fired for, deciding rule first, or all where none did."""
    if not order:
        return list(all_)
    unique: dict[str, RightMatch] = {}
    for index in order:
        for match in fired[index]:
            unique.setdefault(match.right.right_id, match)
    return list(unique.values())


def _score(weights: Iterable[float]) -> float:
    innocence = 1.0
    for weight in weights:
        innocence *= 1.0 - weight
    return round(1.0 - innocence, 4)


def _asks_seller(rule: Rule) -> bool:
    return any(name.startswith("seller_") for name in rule.condition.signals)


def _unknown_seller(seller: SellerFacts | None) -> Evidence:
    if seller is None:
        note = (
            "Nothing could be learnt of the seller: the store did not answer. Rules that need it "
            "abstain; the listing is judged again when it does."
        )
    else:
        note = "Too little is known of the seller; rules that need it abstain."
    return Evidence(signal="seller", note=note)


def _seller_evidence(seller: SellerFacts, examination: Examination) -> Evidence:
    parts = []
    if seller.created_at is not None:
        days = max(0, (examination.now - seller.created_at) // DAY_MS)
        parts.append(f"account {days} days old")
    if seller.verified is not None:
        parts.append("verified" if seller.verified else "not verified")
    if seller.standing is not None:
        parts.append(
            f"standing {seller.standing.score:.2f} ({seller.standing.upheld:.1f} upheld, "
            f"{seller.standing.cleared:.1f} cleared cases)"
        )
    return Evidence(signal="seller", note="Seller: " + ", ".join(parts) + ".")
