"""What was remembered, between the store and the rules: what to ask, what it says, in which words.

A listing is recognised by its title without the marks it names and the words that call it a copy:
who lists again drops or changes just those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from agents.history import recall
from agents.history.fingerprints import fingerprint, title_sketch
from agents.history.links import NAMES
from agents.history.recall import Ask, Lookup, Past, Relisting
from agents.history.sightings import Digest, Sighting, digest_of, replaced
from agents.monitoring.folding import Reading, folded_reading
from agents.monitoring.marks import MOST_CHARACTERS
from agents.monitoring.policies import Policy
from agents.monitoring.relisting import unnamed_needs
from agents.monitoring.signals import FROM_STORE, PACE, REMOVALS, SELLER, UPDATES, Facts
from agents.monitoring.vocabulary import load as load_vocabulary
from agents.pdq import is_hash
from agents.records import Evidence, Fingerprint, Listing
from agents.reputation import SellerFacts, ask_facts, take_facts
from streams.store import Store

if TYPE_CHECKING:
    from agents.monitoring.judge import Examination

MAX_SHOWN: Final = 3
"""Earlier removals that a verdict shows."""


def fingerprint_of(examination: Examination) -> Fingerprint | None:
    """Return what the listing is recognised by when it comes again."""
    listing = examination.listing
    official = {
        int(pdq, 16)
        for match in examination.matches
        for pdq in match.right.official_image_hashes
        if listing.images and is_hash(pdq)
    }
    return fingerprint(_goods_title(examination), listing.images, listing.gtins, official)


def _goods_title(examination: Examination) -> str:
    """Return the folded title without marks and words of copying, or more where little is left."""
    title = examination.listing.title[:MOST_CHARACTERS]
    found = examination.matches
    words = {(w.start, w.end) for match in found for w in match.words if w.field == "title"}
    if not found:
        words = _words_of_copying(title)
    marks = {(m.start, m.end) for match in found for m in match.marks if m.field == "title"}
    for spans in (words | marks, words):
        folded = folded_reading(_without(title, spans))
        if title_sketch(folded):
            return folded
    return folded_reading(title)


def _words_of_copying(title: str) -> set[tuple[int, int]]:
    reading = Reading(title)
    words = load_vocabulary().replica_words(reading.text, (), title=True, whole=True)
    return {reading.span(word.start, word.end) for word in words}


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + " " + text[end:]
    return text


def needs_of(policy: Policy, examination: Examination) -> frozenset[str]:
    """Return the signals of the store that decide whether a rule fires.

    Of a listing that is removed whatever they say, nothing of its past is needed.
    """
    if not examination.needs_seller:
        return frozenset()
    needs = set(unnamed_needs(policy)) if examination.watched else set()
    removed = False
    for match in examination.matches:
        fired = policy.fired(match.facts)
        for index in policy.conceivable(match.facts):
            rule = policy.rules[index]
            if index not in fired:
                needs |= rule.condition.signals & FROM_STORE
            elif rule.outcome == "remove" and rule.mode == "enforce":
                removed = True
    return frozenset(needs & SELLER if removed else needs)


def wants_sightings(policy: Policy) -> bool:
    """Return whether a rule asks for what follows from branded listings seen before."""
    return any(rule.condition.signals & (PACE | UPDATES) for rule in policy.rules)


def ask_of(examination: Examination, needs: frozenset[str]) -> Ask | None:
    """Return what to ask of the listing's past, None where no rule needs any of it."""
    listing = examination.listing
    ask = Ask(
        listing.listing_id,
        listing.revision,
        listing.seller_id,
        listing.occurred_at,
        bool(needs & REMOVALS),
        bool(needs & PACE),
        bool(needs & UPDATES) and not _is_new(examination),
    )
    return ask if ask.removals or ask.pace or ask.before else None


def _digest(listing: Listing) -> Digest:
    title, brand = listing.title[:MOST_CHARACTERS], listing.brand[:MOST_CHARACTERS]
    return digest_of(listing, folded_reading(title), folded_reading(brand))


def sighting_of(examination: Examination) -> Sighting:
    """Return what is remembered of a listing that names a mark."""
    listing = examination.listing
    branded = _is_new(examination) and any(
        match.facts.mark
        and match.facts.in_force
        and not match.facts.authorised
        and not match.facts.nominative
        for match in examination.matches
    )
    return Sighting(
        listing.listing_id,
        listing.revision,
        listing.seller_id,
        listing.occurred_at,
        branded,
        msgspec.json.encode(_digest(listing)).decode(),
    )


def _is_new(examination: Examination) -> bool:
    return examination.listing.kind == "CREATED" or examination.listing.revision <= 1


async def read(
    store: Store,
    seller_ids: Sequence[str],
    listing_ids: Sequence[str],
    asks: Mapping[int, tuple[Ask, Examination]],
    now: int,
) -> tuple[dict[str, SellerFacts], dict[str, int | None], dict[int, Past]]:
    """Return facts by seller, units sold by listing and what is remembered by key of `asks`.

    One round trip, and a second one where sellers asked about had something removed. `now` is UTC
    milliseconds.

    Raises:
        StoreUnavailable: Redis does not answer, or a view of sellers and sales is being rebuilt.
    """
    asked = [ask for ask, _ in asks.values()]

    async def exchange(client: Any) -> list[Any]:
        pipe = client.pipeline(transaction=False)
        ask_facts(pipe, store, seller_ids, listing_ids)
        if asked:
            recall.ask_lookup(pipe, store, asked, now)
        result: list[Any] = await pipe.execute()
        return result

    answers: Iterator[Any] = iter(await store.call(exchange))
    sellers, sold = take_facts(answers, seller_ids, listing_ids, now)
    lookups = dict(zip(asks, recall.take_lookup(answers, asked) if asked else (), strict=True))
    comparable = {
        key: (asks[key][0], lookup, print_)
        for key, lookup in lookups.items()
        if (lookup.own or lookup.linked) and (print_ := fingerprint_of(asks[key][1])) is not None
    }
    found = dict.fromkeys(asks, _NOTHING_ALIKE)
    if comparable:
        alike = await recall.compare(store, list(comparable.values()), now)
        found |= zip(comparable, alike, strict=True)
    pasts = {key: _past(asks[key][1], lookup, *found[key]) for key, lookup in lookups.items()}
    return sellers, sold, pasts


_NOTHING_ALIKE: Final[tuple[tuple[Relisting, ...], tuple[Relisting, ...]]] = ((), ())


def _past(
    examination: Examination,
    lookup: Lookup,
    own: tuple[Relisting, ...],
    linked: tuple[Relisting, ...],
) -> Past:
    return Past(
        own if lookup.own is not None else None,
        linked if lookup.linked is not None else None,
        lookup.burst,
        None if lookup.before is None else replaced(lookup.before, _digest(examination.listing)),
        lookup.incomplete,
    )


def add_past(facts: Facts, past: Past | None) -> None:
    """Fill in what is remembered; what is not stays unknown."""
    if past is None:
        return
    if past.relisted is not None:
        facts.relisted = bool(past.relisted)
    if past.linked_relisted is not None:
        facts.linked_relisted = bool(past.linked_relisted)
    facts.branded_burst = past.burst
    if past.replaced is not None:
        facts.replaced_parts = float(len(past.replaced))


def evidence_of_past(past: Past | None) -> list[Evidence]:
    """Return what is remembered against a listing, in words that name no other seller."""
    if past is None:
        return []
    evidence = [
        Evidence(
            signal="relisted",
            right_id=_right(each),
            note=f"{_alike(each)} as a listing of this seller's that was "
            f"taken down on {_day(each)} (takedown {each.removal.takedown_id}).",
        )
        for each in (past.relisted or ())[:MAX_SHOWN]
    ]
    evidence += [
        Evidence(
            signal="linked_relisted",
            right_id=_right(each),
            note=f"{_alike(each)} as a listing that was taken down on {_day(each)} "
            f"(takedown {each.removal.takedown_id}), of an account that shares {_shared(each)} "
            "with this one.",
        )
        for each in (past.linked_relisted or ())[:MAX_SHOWN]
    ]
    if past.burst:
        evidence.append(
            Evidence(
                signal="branded_burst",
                note=f"The seller has listed {past.burst:.1f} times as "
                "many branded goods in an hour as it usually does in a day.",
            )
        )
    if past.replaced:
        evidence.append(
            Evidence(
                signal="replaced_parts",
                note=f"This update replaced {_and(past.replaced)} of the listing.",
            )
        )
    return evidence


def unknown_past(past: Past | None) -> Evidence:
    """Return that nothing is remembered, where a rule would have asked."""
    if past is not None and past.incomplete:
        note = (
            "What was taken down earlier could not be learnt: it is being gathered again. Rules "
            "that need it abstain; the listing is judged again when that is done."
        )
    else:
        note = "Nothing is known here of what was taken down earlier; rules that need it abstain."
    return Evidence(signal="relisted", note=note)


def _alike(each: Relisting) -> str:
    ways = []
    if each.alike.images:
        ways.append("same pictures" if each.alike.images > 1 else "same picture")
    if each.alike.gtin:
        ways.append("same GTIN")
    if each.alike.title:
        ways.append(f"title {each.alike.title:.0%} alike")
    return f"Nearly the same ({_and(ways)})"


def _right(each: Relisting) -> str:
    return next(iter(each.removal.right_ids), "")


def _day(each: Relisting) -> str:
    return datetime.fromtimestamp(each.removal.decided_at / 1000, tz=UTC).date().isoformat()


def _shared(each: Relisting) -> str:
    return _and([f"a {NAMES[kind]}" if kind != "address" else "an address" for kind in each.shared])


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
