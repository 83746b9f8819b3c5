"""The texts of a listing as the vocabulary reads them: once, whatever rights it concerns."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from agents.monitoring.folding import Reading, folded_reading
from agents.monitoring.marks import MarkMatch, first_texts
from agents.monitoring.vocabulary import Vocabulary
from agents.monitoring.vocabulary.replica import Finding, ReadText
from agents.records import Listing

ABOUT_THE_GOODS: Final = ("title", "brand")
"""Fields that say what the goods are; elsewhere a mark may only be mentioned."""
ATTRIBUTE: Final = "attributes."
MOST_LABELS: Final = 20_000
"""Characters of the names of attributes that are read with their values."""
MOST_NAME: Final = 200
"""Characters of one such name that are looked at."""
MOST_TEXTS: Final = 300
"""Texts of a listing that are read for words of copying: of 1,800 real ones none has 30."""
MOST_SPEECHES: Final = 60
"""Of those in which there are some, as many are judged."""
MOST_ATTRIBUTES: Final = 40
"""Attributes that are read so closely as where a mark is hidden, and the characters of all."""
MOST_VALUES: Final = 2_400
Disguised = tuple[int, int, tuple[str, ...]]
"""Where a word stands in a text, and the folds that it takes to read."""
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
    r"|品[质質]|[质質]量|等[级級]|版本|เกรด|คุณภาพ|الجودة|condition|authentic|keaslian|originality"
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
        self._undressed: dict[str, list[Disguised]] = {}
        self._said: dict[tuple[str, bool], list[Finding]] = {}
        self._denied: dict[int, bool] = {}
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
        """The texts in which words of copying stand, by field; all are read at once.

        Of more than `MOST_SPEECHES` the first.
        """
        if self._words is None:
            (self._words,) = self._vocabulary.read([self.read_for_words])
        found: dict[str, Speech] = {}
        for number, words in itertools.islice(self._words.items(), MOST_SPEECHES):
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
            if len(places) == MOST_TEXTS:
                break
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

    def said(
        self, speech: Speech, marks: Sequence[tuple[int, int]], *, whole: bool
    ) -> list[Finding]:
        """Return what calls the goods copies in a text, as `Vocabulary.replica_words` does.

        A text in which no mark of a right stands says the same of all.
        """
        key = (speech.field, whole)
        known = None if marks else self._said.get(key)
        if known is None:
            known = self._vocabulary.replica_words(
                speech.reading.text,
                marks,
                title=speech.field == "title" or speech.grades,
                whole=whole,
                read=speech.words,
            )
            if not marks:
                self._said[key] = known
        return known

    def denies(self, word: MarkMatch) -> bool:
        """Return whether a word of copying in disguise is denied: the same for all rights."""
        known = self._denied.get(id(word))
        if known is None:
            known = self._vocabulary.denies(word.reading.text, word.read_start, word.read_end)
            self._denied[id(word)] = known
        return known

    @cached_property
    def closely_read(self) -> list[str]:
        """The fields that are read for words in every disguise where a mark is hidden."""
        left = MOST_VALUES
        fields = ["title", "description"]
        for name, value in itertools.islice(self.listing.attributes.items(), MOST_ATTRIBUTES):
            left -= len(value)
            if left < 0:
                break
            fields.append(f"{ATTRIBUTE}{name}")
        return fields

    def undressed(self, field: str) -> tuple[str, list[Disguised]]:
        """Return a text, and the words of copying that it disguises: once for all rights."""
        listing = self.listing
        if field.startswith(ATTRIBUTE):
            text = listing.attributes[field[len(ATTRIBUTE) :]]
        else:
            text = listing.title if field == "title" else listing.description
        found = self._undressed.get(field)
        if found is None:
            found = self._vocabulary.undressed_words(text, [])
            self._undressed[field] = found
        return text, found

    @cached_property
    def says_used(self) -> bool:
        """Whether the title says that the goods are second-hand."""
        title = self._readings.get("title")
        text = title.text if title else folded_reading(self.listing.title[:GOODS])
        return self._vocabulary.says_used(text, new=self.listing.condition == "NEW")

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
