"""The texts of a listing as the vocabulary reads them: once, whatever rights it concerns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from agents.monitoring.folding import Reading, folded_reading
from agents.monitoring.marks import MarkMatch, first_texts
from agents.monitoring.vocabulary import Vocabulary
from agents.monitoring.vocabulary.replica import ReadText
from agents.records import Listing

ABOUT_THE_GOODS: Final = ("title", "brand")
"""Fields that say what the goods are; elsewhere a mark may only be mentioned."""
ATTRIBUTE: Final = "attributes."
MOST_LABELS: Final = 20_000
"""Characters of the names of attributes that are read with their values."""
MOST_NAME: Final = 200
"""Characters of one such name that are looked at."""
GOODS: Final = 12_000
"""Characters of title, categories and description in which a word of the goods is looked for."""

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


def is_about_goods(field: str) -> bool:
    """Return whether a mark in this field is of the goods, not of what they are for."""
    return field in ABOUT_THE_GOODS or (
        field.startswith(ATTRIBUTE) and not _COMPATIBLE.search(_name(field))
    )


def names_maker(field: str) -> bool:
    """Return whether a mark in this field says who made the goods."""
    return field in ABOUT_THE_GOODS or (is_about_goods(field) and bool(_BRAND.search(_name(field))))


def _name(field: str) -> str:
    return field[len(ATTRIBUTE) :][:MOST_NAME].casefold()


@dataclass(frozen=True, slots=True)
class Speech:
    """A text in which words of copying stand."""

    field: str
    original: str
    label: str
    """What an attribute says stands in its name too: 'Quality: 1:1', 'Scale: 1:1'."""
    reading: Reading
    """Of the label and the text."""
    words: ReadText
    grades: bool
    """Whether it is an attribute that says how good the goods are."""


class ListingTexts:
    """The texts of one listing, each read when it is first asked for."""

    def __init__(
        self, listing: Listing, vocabulary: Vocabulary, marks: Sequence[MarkMatch] = ()
    ) -> None:
        """Take the listing, and the marks that stand in its texts."""
        self.listing = listing
        self._vocabulary = vocabulary
        self._readings = {match.field: match.reading for match in marks}
        self._nominative: dict[tuple[int, bool, bool], bool] = {}
        self._words: dict[int, ReadText] | None = None

    def take(self, words: dict[int, ReadText]) -> None:
        """Take what `Vocabulary.read` found in `read_for_words`."""
        self._words = words

    @property
    def read_for_words(self) -> list[str]:
        """The texts that are read for words of copying, each with its label."""
        return [label + text for _, text, label in self._places]

    @cached_property
    def speaking(self) -> dict[str, Speech]:
        """The texts in which words of copying stand, by field; all are read at once."""
        if self._words is None:
            (self._words,) = self._vocabulary.read([self.read_for_words])
        found: dict[str, Speech] = {}
        for number, words in self._words.items():
            name, text, label = self._places[number]
            known = self._readings.get(name)
            reading = known if known and not label else Reading(label + text)
            grades = bool(label) and _GRADE.search(label.casefold()) is not None
            found[name] = Speech(name, text, label, reading, words, grades)
        return found

    @cached_property
    def _places(self) -> list[tuple[str, str, str]]:
        """The texts that are read for words of copying: field, text, and label of each."""
        places: list[tuple[str, str, str]] = []
        left = MOST_LABELS
        for name, text in texts_of(self.listing).items():
            if not text:
                continue
            label = ""
            if name.startswith(ATTRIBUTE) and left > 0:
                label = f"{name[len(ATTRIBUTE) :][:MOST_NAME]}: "
                left -= len(label)
            places.append((name, text, label))
        return places

    def spoken(self, fields: Sequence[str], *, about_goods: bool) -> Iterator[Speech]:
        """Yield what is said in these fields; then in all that speak of the goods, if asked."""
        speaking = self.speaking
        if not speaking:
            return
        for name in fields:
            if name in speaking:
                yield speaking[name]
        if about_goods:
            for name, speech in speaking.items():
                if name not in fields and name != "brand":
                    yield speech

    @cached_property
    def says_used(self) -> bool:
        """Whether the title says that the goods are second-hand."""
        title = self._readings.get("title")
        text = title.text if title else folded_reading(self.listing.title[:GOODS])
        return self._vocabulary.says_used(text)

    @cached_property
    def goods(self) -> str:
        """What is read for a word of the goods that a common-word mark covers."""
        listing = self.listing
        parts = (
            listing.title[:GOODS],
            *(name[:MOST_NAME] for name in listing.category_path[:MOST_NAME]),
            listing.description[:GOODS],
        )
        return folded_reading("\n".join(parts)[:GOODS])

    def nominative(self, match: MarkMatch, *, said: bool, alone: bool = False) -> bool:
        """Return whether the text says that the mark at this place is what the goods are for."""
        key = (id(match), said, alone)
        known = self._nominative.get(key)
        if known is None:
            start, end = match.reading.locate(match.start, match.end)
            known = self._vocabulary.nominative(
                match.reading.text, start, end, said=said, alone=alone
            )
            self._nominative[key] = known
        return known
