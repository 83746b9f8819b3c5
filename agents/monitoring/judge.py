"""Judges a listing: which marks it names, what speaks against it, what follows.

Everything here is a plain function over plain values: no broker, no store, no clock. `examine` says
what can be said from the listing and the registry; `decide` adds what is known of the seller. They
are apart so that the store is asked only about sellers a rule could still matter for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from agents.history.recall import Past
from agents.monitoring.comparison import Ruling
from agents.monitoring.evidence import (
    evidence_of,
    reason_of,
    seller_evidence,
    unknown_seller,
)
from agents.monitoring.examination import RightMatch, examine_right, mentions_by_right
from agents.monitoring.goods import add_goods, prepare, read_goods
from agents.monitoring.listing_texts import ListingTexts, texts_of
from agents.monitoring.marks import Found, Seen
from agents.monitoring.pictures import hashes_of, pictures_of
from agents.monitoring.policies import Policy, Rule
from agents.monitoring.registry import Registry, authorisation, in_force
from agents.monitoring.relisting import counted, unnamed_needs, unnamed_rights
from agents.monitoring.remembering import add_past, evidence_of_past, unknown_past
from agents.monitoring.signals import FROM_STORE, LATE, SELLER, Facts
from agents.monitoring.snoozes import NO_SNOOZES, Snoozes
from agents.monitoring.verdict import Examination, Judgement, Outcome, Verdict
from agents.monitoring.vocabulary import load as load_vocabulary
from agents.records import DAY_MS, Evidence, Listing, Right
from agents.reputation import SellerFacts
from streams.texts import Texts

if TYPE_CHECKING:
    from agents.monitoring.images.known import NearImages

__all__ = ["Examination", "Judge", "Judgement", "Outcome", "Verdict", "add_seller"]

MAX_RIGHTS: Final = 8
"""Rights that one verdict gives evidence for; a listing stuffed with marks names many."""
OUTSIDE_CATEGORY: Final = 0.8
"""What is left of a score where the category lies outside the classes of every right concerned
*(start value)*."""


class Judge:
    """A registry and a policy, ready to judge. Immutable: a new version is a new judge.

    A `candidate` is evaluated beside the policy for what is examined, and acts on nothing.
    """

    def __init__(
        self,
        registry: Registry,
        policy: Policy,
        snoozes: Snoozes = NO_SNOOZES,
        candidate: Policy | None = None,
        candidate_snoozes: Snoozes | None = None,
    ) -> None:
        """`snoozes` count for the candidate too, unless it has its own."""
        self.registry = registry
        self.policy = policy
        self.candidate = candidate
        self.policies = (policy,) if candidate is None else (policy, candidate)
        self.snoozes = snoozes
        self._candidate_snoozes = snoozes if candidate_snoozes is None else candidate_snoozes
        self._vocabulary = load_vocabulary()
        # Where no rule asks for pictures, none is looked up.
        asks = any(
            "image_known" in rule.condition.signals for each in self.policies for rule in each.rules
        )
        self._images = registry.images if asks else None
        self.watches = any(unnamed_needs(each) for each in self.policies)
        """Whether a rule could act on a listing that comes again and names no mark."""
        prepare()

    def screen(self, texts: Texts) -> dict[int, Seen | None]:
        """Return which listings have to be examined, given their UTF-8 texts, and what was seen.

        Conservative: the verdict on the others is 'allow', with nothing to say.
        """
        return self.registry.matcher.screen(texts)

    def found(self, listing: Listing, seen: Seen) -> Found | None:
        """Return what stands in a listing's texts, as `find_all` does, from what the screen saw.

        None where it was seen in other texts than the listing's.
        """
        return self.registry.matcher.found(seen, texts_of(listing))

    def near_images(self, hashes: Iterable[bytes]) -> NearImages:
        """Return which of these PDQ hashes, as listings give them, are near a known picture.

        One call for all the pictures of a batch costs a tenth of a call for each.
        """
        return self._images.near(hashes) if self._images is not None else {}

    def find_all(self, listings: Sequence[Listing]) -> list[Found]:
        """Return which marks stand in the texts of each listing.

        One call for all that is examined of a batch costs a fifth of a call for each.
        """
        return self.registry.matcher.find_all([texts_of(listing) for listing in listings])

    def read_together(
        self, listings: Sequence[Listing], found: Sequence[Found]
    ) -> list[ListingTexts]:
        """Return the texts of listings for `examine`, read at once.

        That costs a third of what it does to read those of each when it is examined.
        """
        texts = [
            ListingTexts(listing, self._vocabulary, each.marks)
            for listing, each in zip(listings, found, strict=True)
        ]
        named = [each for each, there in zip(texts, found, strict=True) if there.marks]
        words = self._vocabulary.read([each.read_for_words for each in named])
        for each, said in zip(named, words, strict=True):
            each.take(said)
        return texts

    def examine(
        self,
        listing: Listing,
        now: int,
        near: NearImages | None = None,
        found: Found | None = None,
        *,
        texts: ListingTexts | None = None,
        watched: bool = False,
    ) -> Examination:
        """Return what the listing names and shows, and how; `now` is UTC milliseconds.

        `near` is what `near_images` says of the listing's pictures, `found` what `find_all` says of
        its texts, and `texts` what `read_together` says, where that is known already. `watched`
        says that its seller is.
        """
        watched = watched and self.watches
        if listing.kind == "DELETED":
            return Examination(listing, now, (), needs_seller=False)
        if near is None:
            near = self.near_images(hashes_of(listing))
        if found is None:
            (found,) = self.find_all([listing])
        rights = self.registry.rights
        pictures = pictures_of(listing, near)
        if texts is None:
            texts = ListingTexts(listing, self._vocabulary, found.marks)
        mentions = mentions_by_right(found.marks, self.registry.rights_of_mark)
        concerned = {
            right: marks
            for right, marks in mentions.items()
            if self.registry.concerns_goods(right, texts)
        }
        for right in pictures:
            # Of a right that only a picture concerns nothing is asked where no rule can matter.
            if right not in concerned and _may_act(rights[right], listing, now):
                concerned[right] = []
        if not concerned:
            return Examination(listing, now, (), needs_seller=watched, watched=watched)
        goods = read_goods(
            listing,
            self.registry.gtin_prefixes,
            classes=any(rights[right].nice_classes for right in concerned),
        )
        matches: list[RightMatch] = []
        for right, marks in concerned.items():
            examined = examine_right(
                rights[right],
                texts,
                marks,
                self._vocabulary,
                now,
                disguised=found.words,
                images=pictures.get(right, ()),
                own_gtin=any(right in owners for _, owners in goods.gtin_rights),
            )
            if examined is None:
                continue
            notes = add_goods(
                examined.facts, goods, rights=rights, position=right, matched=concerned
            )
            matches.append(msgspec.structs.replace(examined, of_goods=notes) if notes else examined)
        needs_seller = watched or any(
            policy.conceivable(match.facts) != policy.fired(match.facts)
            for policy in self.policies
            for match in matches
        )
        return Examination(listing, now, tuple(matches), needs_seller, goods.notes, watched)

    def decide(
        self,
        examination: Examination,
        seller: SellerFacts | None,
        past: Past | None = None,
        *,
        explain: bool = True,
    ) -> Judgement:
        """Return the verdict; `seller` is None where the store could not be asked.

        `past` is None where nothing is remembered of listings, as without a store. Unless `explain`
        the verdict on what is allowed comes without evidence, which it takes time to gather.
        """
        listing, rules = examination.listing, self.policy.rules
        past = counted(past, named=bool(examination.matches))
        matches = self._with_facts(examination, seller, past)
        fired: dict[int, list[RightMatch]] = {}
        shadow: dict[str, None] = {}
        snoozed: dict[str, None] = {}
        could: set[int] = set()
        for match in matches:
            holding = self.policy.fired(match.facts)
            for index in holding:
                if rules[index].mode == "shadow":
                    shadow[rules[index].name] = None
                elif _muted(self.snoozes, rules[index], match, examination):
                    snoozed[rules[index].name] = None
                else:
                    fired.setdefault(index, []).append(match)
            conceived = {
                index
                for index in self.policy.conceivable(match.facts)
                if index not in holding
                and rules[index].mode == "enforce"
                and not _muted(self.snoozes, rules[index], match, examination)
            }
            if any(rules[index].condition.signals & LATE for index in conceived):
                conceived.intersection_update(self.policy.possible(match.facts))
            could |= conceived
        order = sorted(fired)  # the policy's order has removals first
        outcome: Outcome = rules[order[0]].outcome if order else "allow"
        awaits = outcome != "remove" and any(
            rules[index].outcome == "remove" or outcome == "allow" for index in could
        )
        awaits = awaits or (outcome == "allow" and examination.watched and _past_unknown(past))
        concerned = _concerned(order, fired, matches)
        evidence: list[Evidence] = []
        if explain or order:
            for match in concerned[:MAX_RIGHTS]:
                evidence += evidence_of(match, listing)
            evidence += examination.notes
            missing = _missing(examination, (rules[index] for index in could)) if awaits else set()
            if (awaits and seller is None) or missing & SELLER:
                evidence.append(unknown_seller(seller))
            elif seller and seller.known and any(_asks_seller(rules[index]) for index in order):
                evidence.append(seller_evidence(seller, examination.now))
            evidence += evidence_of_past(past)
            if seller is not None and missing - SELLER:
                evidence.append(unknown_past(past))
        verdict = Verdict(
            listing.listing_id,
            listing.revision,
            outcome,
            _score(
                (rules[index].weight for index in order),
                outside=all(match.facts.category_outside for match in concerned),
            ),
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
            tuple(snoozed),
            self._try_candidate(examination, matches),
            awaits and (seller is None or (past is not None and past.incomplete)),
        )

    def _try_candidate(
        self, examination: Examination, matches: Sequence[RightMatch]
    ) -> Ruling | None:
        """Return what the candidate says; the facts of the matches are all filled in."""
        if self.candidate is None:
            return None
        rules = self.candidate.rules
        order = sorted({
            index
            for match in matches
            for index in self.candidate.fired(match.facts)
            if rules[index].mode == "enforce"
            and not _muted(self._candidate_snoozes, rules[index], match, examination)
        })  # fmt: skip
        outcome: Outcome = rules[order[0]].outcome if order else "allow"
        return Ruling(outcome, tuple(rules[index].name for index in order))

    def _with_facts(
        self, examination: Examination, seller: SellerFacts | None, past: Past | None
    ) -> list[RightMatch]:
        """Return the matches with what the store knows, and the rights it comes again under."""
        listing, now = examination.listing, examination.now
        matches = list(examination.matches)
        for match in matches:
            add_past(match.facts, past)
        named = {match.right.right_id for match in matches}
        texts = ListingTexts(listing, self._vocabulary)
        for position, own, linked in unnamed_rights(past, self.registry, listing, now, named):
            right = self.registry.rights[position]
            again = examine_right(right, texts, (), self._vocabulary, now, again=True)
            if again is not None:
                again.facts.relisted, again.facts.linked_relisted = own, linked
                matches.append(again)
        for match in matches:
            add_seller(match.facts, seller, now)
        return matches

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


def _past_unknown(past: Past | None) -> bool:
    return past is None or past.relisted is None or past.linked_relisted is None


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


def _muted(snoozes: Snoozes, rule: Rule, match: RightMatch, examination: Examination) -> bool:
    return bool(snoozes) and snoozes.muted(
        rule.name, examination.listing, match.right, examination.now
    )


def _may_act(right: Right, listing: Listing, now: int) -> bool:
    return in_force(right, listing, now) and not authorisation(right, listing, now)[0]


def _score(weights: Iterable[float], *, outside: bool) -> float:
    innocence = 1.0
    for weight in weights:
        innocence *= 1.0 - weight
    return round((1.0 - innocence) * (OUTSIDE_CATEGORY if outside else 1.0), 4)


def _missing(examination: Examination, rules: Iterable[Rule]) -> set[str]:
    """Return the signals of the store that are unknown and that these rules ask for."""
    asked = {name for rule in rules for name in rule.condition.signals & FROM_STORE}
    return {
        name
        for name in asked
        if any(getattr(match.facts, name) is None for match in examination.matches)
    }


def _asks_seller(rule: Rule) -> bool:
    return any(name.startswith("seller_") for name in rule.condition.signals)
