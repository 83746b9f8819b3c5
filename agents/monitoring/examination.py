"""What can be said of a listing against one right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agents.monitoring.folding import Reading, folded_reading
from agents.monitoring.goods import PriceCheck, compare_price
from agents.monitoring.marks import ACCENT, MarkMatch, first_texts
from agents.monitoring.pictures import ImageMatch
from agents.monitoring.registry import authorisation, in_force
from agents.monitoring.signals import Facts
from agents.monitoring.vocabulary import Vocabulary
from agents.records import Evidence, Listing, Right

ABOUT_THE_GOODS: Final = ("title", "brand")
"""Fields that say what the goods are; elsewhere a mark may only be mentioned."""
_ATTRIBUTE: Final = "attributes."
_BRAND: Final = re.compile(
    r"\b(?:brand|marca|marque|marke|merk|merek|jenama|marka|manufacturer|maker|fabricante|hersteller)"
    r"|品牌|牌子|厂商|ยี่ห้อ|แบรนด์|thương hiệu|nhãn hiệu|марка|бренд|производитель|ماركة|العلامة"
)
"""Names of attributes whose value is the maker of the goods."""
_COMPATIBLE: Final = re.compile(
    r"compat|kompat|uyumlu|совмест|متواف|适[用配]|適[用配]|兼容|相容|รองรับ|ใช้กับ|tương thích|serasi"
    r"|\b(?:for|fits?|fitment|suitable|cocok|untuk|para|pour|per|für|cho|dla|для|phone|device|vehicle)\b"
    r"|model (?:hp|hape|telefon)|机型|機型|车型|車型"
)
"""Names of attributes whose value is what the goods are for."""
_GRADE: Final = re.compile(
    r"quali|kuali|kwali|calidad|qualit|qualidade|kalite|jakość|качеств|chất lượng|grade|gred|grado"
    r"|品[质質]|等[级級]|版本|เกรด|คุณภาพ|الجودة|condition|authentic|keaslian|originality"
)
"""Names of attributes whose value says how good the goods are."""


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
    """A right whose mark or goods the listing names, shows or had, with what was found of it."""

    right: Right
    marks: tuple[MarkMatch, ...]
    words: tuple[WordMatch, ...]
    facts: Facts
    images: tuple[ImageMatch, ...] = ()
    notes: tuple[Evidence, ...] = ()
    """What else counted, and what could not be used."""


def texts_of(listing: Listing) -> dict[str, str]:
    """Return the texts a mark is looked for in, by field."""
    texts = {
        "title": listing.title,
        "brand": listing.brand,
        "description": listing.description,
    }
    for name, value in listing.attributes.items():
        texts[f"attributes.{name}"] = value
    return first_texts(texts)


def examine_right(
    right: Right,
    listing: Listing,
    marks: Sequence[MarkMatch],
    vocabulary: Vocabulary,
    now: int,
    *,
    disguised: Sequence[MarkMatch] = (),
    images: Sequence[ImageMatch] = (),
    own_gtin: bool = False,
    again: bool = False,
) -> RightMatch | None:
    """Return the facts of a listing that names the right's mark at `marks`, or shows its goods.

    `disguised` are words of copying that it disguises, `images` its pictures known to show
    infringing goods: what they show is what is sold. So is what a trade number of the right's owner
    says, and what was taken down under the right before, where the listing is nearly the same
    (`again`).

    None where the mark can only be read in what may be an honest word ('Marla' for 'Maria'), and
    nothing calls the goods copies or shows them.
    """
    sure = [match for match in marks if match.strength != "weak"]
    shown = bool(images) or own_gtin or again
    about_goods = shown or any(_about_goods(match.field) for match in sure or marks)
    words = _words(listing, sure or marks, disguised, vocabulary, about_goods=about_goods)
    if not sure and not any(word.signal == "replica_words" for word in words):
        if not images and not again:
            return None
        marks = ()
    marks = sure or marks
    plain = [match for match in marks if not match.hidden]
    copies = any(word.signal == "replica_words" for word in words)
    nominative = _nominative(marks, vocabulary, said=copies or not plain)
    used = listing.condition in ("USED", "REFURBISHED") or vocabulary.says_used(
        folded_reading(listing.title)
    )
    authorised, partly = authorisation(right, listing, now)
    price = PriceCheck()
    # Nobody disguises a mark that is only mentioned.
    sold = shown or not plain or any(_names_maker(match.field) for match in marks)
    if sold and not nominative and not used:
        price = compare_price(listing, right)
    facts = Facts(
        mark=bool(marks),
        mark_hidden=bool(marks) and not plain,
        mark_plain=bool(plain),
        mark_doubtful=not sure and all(match.folds == ("look_alike",) for match in marks),
        in_force=in_force(right, listing, now),
        authorised=authorised,
        partly_authorised=partly and not authorised,
        replica_words=copies,
        inspired_words=any(word.signal == "inspired_words" for word in words),
        nominative=nominative,
        used=used,
        image_known=bool(images),
        price_ratio=price.ratio,
    )
    notes = (
        (Evidence("price_ratio", "price_minor", right_id=right.right_id, note=price.abstains),)
        if price.abstains
        else ()
    )
    return RightMatch(right, tuple(marks), tuple(words), facts, tuple(images), notes)


def _about_goods(field: str) -> bool:
    """Return whether a mark in this field is of the goods, not of what they are for."""
    return field in ABOUT_THE_GOODS or (
        field.startswith(_ATTRIBUTE) and not _COMPATIBLE.search(field[len(_ATTRIBUTE) :].casefold())
    )


def _names_maker(field: str) -> bool:
    """Return whether a mark in this field says who made the goods."""
    return field in ABOUT_THE_GOODS or (
        _about_goods(field) and bool(_BRAND.search(field[len(_ATTRIBUTE) :].casefold()))
    )


def _words(
    listing: Listing,
    marks: Sequence[MarkMatch],
    disguised: Sequence[MarkMatch],
    vocabulary: Vocabulary,
    *,
    about_goods: bool,
) -> list[WordMatch]:
    found: list[WordMatch] = []
    texts = texts_of(listing)
    fields = {match.field: None for match in marks}
    if about_goods:
        fields |= {"title": None, "description": None}
        fields |= {name: None for name in texts if name.startswith(_ATTRIBUTE)}
    for name in fields:
        original = texts.get(name, "")
        if not original:
            continue
        # What an attribute says stands in its name too: 'Quality: 1:1', 'Scale: 1:1'.
        label = f"{name[len(_ATTRIBUTE) :]}: " if name.startswith(_ATTRIBUTE) else ""
        reading = None if label else next((m.reading for m in marks if m.field == name), None)
        reading = reading or Reading(label + original)
        spans = [
            reading.locate(match.start + len(label), match.end + len(label))
            for match in marks
            if match.field == name
        ]
        findings = vocabulary.replica_words(
            reading.text,
            spans,
            title=name == "title" or bool(label and _GRADE.search(label.casefold())),
            whole=about_goods and not label,
        )
        for finding in findings:
            start, end = reading.span(finding.start, finding.end)
            folds = reading.folds(start, end)
            start, end = max(0, start - len(label)), end - len(label)
            if end <= 0:
                continue  # in the name of the attribute
            found.append(
                WordMatch(
                    f"{finding.kind}_words",
                    name,
                    start,
                    end,
                    original[start:end],
                    folds,
                )
            )
    if about_goods and not any(word.signal == "replica_words" for word in found):
        found += _disguised_words(disguised, marks, vocabulary)
    if about_goods and not any(word.signal == "replica_words" for word in found):
        found += [
            WordMatch("replica_words", "title", start, end, listing.title[start:end], folds)
            for start, end, folds in vocabulary.disguised_words(
                listing.title,
                [(match.start, match.end) for match in marks if match.field == "title"],
            )
        ]
    return found


def _disguised_words(
    words: Sequence[MarkMatch], marks: Sequence[MarkMatch], vocabulary: Vocabulary
) -> Iterator[WordMatch]:
    """Yield words of copying that the title disguises ('r3plica'): nobody does so by chance.

    Accents are how a language spells ('réplica'), and 'no 𝐫𝐞𝐩𝐥𝐢𝐜𝐚' can be read: of both the
    vocabulary has judged.
    """
    own = [(match.start, match.end) for match in marks if match.field == "title"]
    for word in words:
        if (
            word.field == "title"
            and set(word.folds) != {ACCENT}
            and not any(word.start < end and start < word.end for start, end in own)
            and not vocabulary.denies(word.reading.text, word.read_start, word.read_end)
        ):
            yield WordMatch("replica_words", "title", word.start, word.end, word.text, word.folds)


def _nominative(marks: Sequence[MarkMatch], vocabulary: Vocabulary, *, said: bool) -> bool:
    """Return whether every mention that says what the goods are only says what they are for.

    The title speaks first; a brand field alone claims the brand. With `said`, for goods that are
    called copies and for marks in disguise, the name of an accessory beside the mark is not enough.
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
