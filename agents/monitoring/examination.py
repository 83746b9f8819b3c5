"""What can be said of a listing against one right whose mark it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.monitoring.folding import Reading, folded_reading
from agents.monitoring.marks import MarkMatch
from agents.monitoring.registry import authorisation, in_force
from agents.monitoring.signals import Facts
from agents.monitoring.vocabulary import Vocabulary
from agents.records import Listing, Right

ABOUT_THE_GOODS = ("title", "brand")
"""Fields that say what the goods are; elsewhere a mark may only be mentioned."""


@dataclass(frozen=True, slots=True)
class WordMatch:
    """A word of the vocabulary, in the original text."""

    signal: str
    field: str
    start: int
    end: int
    text: str
    folds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RightMatch:
    """A right whose mark the listing names, with what was found around it."""

    right: Right
    marks: tuple[MarkMatch, ...]
    words: tuple[WordMatch, ...]
    facts: Facts


def texts_of(listing: Listing) -> dict[str, str]:
    """Return the texts a mark is looked for in, by field."""
    texts = {
        "title": listing.title,
        "brand": listing.brand,
        "description": listing.description,
    }
    for name, value in listing.attributes.items():
        texts[f"attributes.{name}"] = value
    return texts


def examine_right(
    right: Right,
    listing: Listing,
    marks: Sequence[MarkMatch],
    vocabulary: Vocabulary,
    now: int,
) -> RightMatch | None:
    """Return the facts of a listing that names the right's mark at `marks`.

    None where the mark can only be read in what may be an honest word ('Marla' for 'Maria'), and
    nothing calls the goods copies.
    """
    sure = [match for match in marks if match.strength != "weak"]
    about_goods = any(match.field in ABOUT_THE_GOODS for match in sure or marks)
    words = _words(listing, sure or marks, vocabulary, about_goods=about_goods)
    copies = any(word.signal == "replica_words" for word in words)
    if not sure and not copies:
        return None
    marks = sure or marks
    plain = [match for match in marks if not match.hidden]
    nominative = _nominative(marks, vocabulary, said=copies)
    used = listing.condition in ("USED", "REFURBISHED") or vocabulary.says_used(
        folded_reading(listing.title)
    )
    authorised, partly = authorisation(right, listing, now)
    facts = Facts(
        mark=True,
        mark_hidden=not plain,
        mark_plain=bool(plain),
        in_force=in_force(right, listing, now),
        authorised=authorised,
        partly_authorised=partly and not authorised,
        replica_words=copies,
        inspired_words=any(word.signal == "inspired_words" for word in words),
        nominative=nominative,
        used=used,
        price_ratio=(
            price_ratio(listing, right) if about_goods and not nominative and not used else None
        ),
    )
    return RightMatch(right, tuple(marks), tuple(words), facts)


def price_ratio(listing: Listing, right: Right) -> float | None:
    """Return price over reference price; None where they can't be compared."""
    price, reference = listing.price_minor, right.reference_price_minor
    if not price or price < 0 or not reference or reference < 0:
        return None
    if not listing.currency or listing.currency.upper() != right.reference_currency.upper():
        return None
    return round(price / reference, 6)


def _words(
    listing: Listing, marks: Sequence[MarkMatch], vocabulary: Vocabulary, *, about_goods: bool
) -> list[WordMatch]:
    found: list[WordMatch] = []
    fields = {match.field: None for match in marks}
    if about_goods:
        fields |= {"title": None, "description": None}
    texts = texts_of(listing)
    for name in fields:
        original = texts[name]
        if not original:
            continue
        reading = next((m.reading for m in marks if m.field == name), None)
        reading = reading or Reading(original)
        spans = [reading.locate(match.start, match.end) for match in marks if match.field == name]
        findings = vocabulary.replica_words(
            reading.text, spans, title=name == "title", whole=about_goods
        )
        for finding in findings:
            start, end = reading.span(finding.start, finding.end)
            found.append(
                WordMatch(
                    f"{finding.kind}_words",
                    name,
                    start,
                    end,
                    original[start:end],
                    reading.folds(start, end),
                )
            )
    return found


def _nominative(marks: Sequence[MarkMatch], vocabulary: Vocabulary, *, said: bool) -> bool:
    """Return whether every mention that says what the goods are only says what they are for.

    The title speaks first; a brand field alone claims the brand. With `said`, for goods that are
    called copies, the name of an accessory beside the mark is not enough.
    """
    for fields in (("title",), ("brand",), ()):
        asked = [match for match in marks if not fields or match.field in fields]
        if asked:
            return all(
                match.field != "brand"
                and vocabulary.nominative(
                    match.reading.text, match.read_start, match.read_end, said=said
                )
                for match in asked
            )
    return False
