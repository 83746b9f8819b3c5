"""What can be said of a listing against one right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import msgspec

from agents.monitoring.folding import folded_reading
from agents.monitoring.late_facts import Late, LateFacts
from agents.monitoring.listing_texts import (
    ListingTexts,
    Speech,
    is_about_goods,
)
from agents.monitoring.marks import (
    ACCENT,
    DOUBLED,
    LOOK_ALIKE,
    SEQUENCE,
    MarkMatch,
    has_odd_letters,
)
from agents.monitoring.pictures import ImageMatch
from agents.monitoring.registry import authorisation, in_force
from agents.monitoring.vocabulary import Vocabulary
from agents.records import Evidence, Right

MOST_MENTIONS: Final = 120
"""Mentions of marks in a listing that are examined."""
MOST_RIGHTS: Final = 40
"""Rights that a listing is examined for: of 1,800 real rows, under rights for 1,352 brands, one
names 17 of them, 31 times."""


class WordMatch(msgspec.Struct, frozen=True):
    """A word of the vocabulary, in the original text."""

    signal: str
    field: str
    start: int
    end: int
    text: str
    folds: tuple[str, ...]


class RightMatch(msgspec.Struct, frozen=True):
    """A right whose mark or goods the listing names, shows or had, with what was found of it."""

    right: Right
    marks: tuple[MarkMatch, ...]
    words: tuple[WordMatch, ...]
    facts: LateFacts
    images: tuple[ImageMatch, ...] = ()
    of_goods: tuple[Evidence, ...] = ()
    """What the numbers and the category of the goods say."""

    def notes(self) -> list[Evidence]:
        """Return what else counted, and what could not be used."""
        return [*self.facts.late.notes(), *self.of_goods]


def mentions_by_right(
    marks: Sequence[MarkMatch], rights_of_mark: Sequence[Sequence[int]]
) -> dict[int, list[MarkMatch]]:
    """Return the mentions of each right, by its position, in the order of fields and positions.

    A listing stuffed with marks is examined for `MOST_RIGHTS` of them, so that none takes long:
    those it disguises before those it names, and what it names first before what it repeats.
    """
    if len(marks) > MOST_MENTIONS:
        marks = _foremost(marks)
    found: dict[int, list[MarkMatch]] = {}
    for match in marks:
        for right in rights_of_mark[match.mark]:
            found.setdefault(right, []).append(match)
    if len(found) > MOST_RIGHTS:
        plain = {
            right: all(match.strength != "hidden" for match in matches)
            for right, matches in found.items()
        }
        kept = set(sorted(found, key=plain.__getitem__)[:MOST_RIGHTS])
        found = {right: matches for right, matches in found.items() if right in kept}
    return found


def _foremost(marks: Sequence[MarkMatch]) -> list[MarkMatch]:
    """Return `MOST_MENTIONS` of the mentions: each mark's first, plain or hidden, before others."""
    times: Counter[tuple[int, bool]] = Counter()
    ranks: list[tuple[int, bool, int]] = []
    for position, match in enumerate(marks):
        plain = match.strength != "hidden"
        ranks.append((times[match.mark, plain], plain, position))
        times[match.mark, plain] += 1
    return [
        marks[position] for position in sorted(rank[-1] for rank in sorted(ranks)[:MOST_MENTIONS])
    ]


def examine_right(
    right: Right,
    texts: ListingTexts,
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
    listing = texts.listing
    sure = [match for match in marks if match.strength != "weak"]
    shown = bool(images) or own_gtin or again
    # Nobody disguises a mark that is only mentioned.
    hides = any(match.hidden and not _spells_by_chance(match) for match in sure)
    about_goods = shown or hides or any(is_about_goods(match.field) for match in sure or marks)
    words = _words(
        texts, sure or marks, disguised, vocabulary, about_goods=about_goods, hides=hides
    )
    if not sure and not any(word.signal == "replica_words" for word in words):
        if not images and not again:
            return None
        marks = ()
    marks = sure or marks
    plain = any(not match.hidden for match in marks)
    copies = any(word.signal == "replica_words" for word in words)
    telling = partial(
        Late,
        right,
        texts,
        marks,
        shown=shown,
        copies=copies,
        piece=partial(_piece, vocabulary=vocabulary),
    )
    late = telling()
    if copies and plain and late.nominative:
        words = [word for word in words if not _says_unoriginal(word, vocabulary)]
        copies = any(word.signal == "replica_words" for word in words)
        if copies and _calls_it_a_copy(texts.listing.title, words, marks):
            late = telling(alone=True)
    authorised, partly = authorisation(right, listing, now)
    facts = LateFacts(
        mark=bool(marks),
        mark_hidden=bool(marks) and not plain,
        mark_plain=plain,
        mark_doubtful=not sure and all(match.folds == ("look_alike",) for match in marks),
        in_force=in_force(right, listing, now),
        authorised=authorised,
        partly_authorised=partly and not authorised,
        replica_words=copies,
        inspired_words=any(word.signal == "inspired_words" for word in words),
        image_known=bool(images),
        late=late,
    )
    return RightMatch(right, tuple(marks), tuple(words), facts, tuple(images))


def _words(
    texts: ListingTexts,
    marks: Sequence[MarkMatch],
    disguised: Sequence[MarkMatch],
    vocabulary: Vocabulary,
    *,
    about_goods: bool,
    hides: bool,
) -> list[WordMatch]:
    """Return the words of copying and of imitation that speak of the marks.

    Of a listing that hides a mark (`hides`) all texts are about its goods, and read for words in
    disguise too.
    """
    found: list[WordMatch] = []
    fields = list(dict.fromkeys(match.field for match in marks))
    for speech in texts.spoken(fields, about_goods=about_goods):
        found += _said(speech, marks, texts, whole=about_goods and (hides or not speech.label))
    if about_goods and not any(word.signal == "replica_words" for word in found):
        found += _disguised_words(disguised, marks, texts)
    if about_goods and not any(word.signal == "replica_words" for word in found):
        title = texts.listing.title
        found += [
            WordMatch("replica_words", "title", start, end, title[start:end], folds)
            for start, end, folds in vocabulary.disguised_words(
                title,
                [(match.start, match.end) for match in marks if match.field == "title"],
            )
        ]
    if hides and not any(word.signal == "replica_words" for word in found):
        for field in texts.closely_read:
            own = [(match.start, match.end) for match in marks if match.field == field]
            text, words = texts.undressed(field)
            found += (
                WordMatch("replica_words", field, start, end, text[start:end], folds)
                for start, end, folds in words
                if not any(start < last and first < end for first, last in own)
            )
    return found


def _said(
    speech: Speech, marks: Sequence[MarkMatch], texts: ListingTexts, *, whole: bool
) -> Iterator[WordMatch]:
    """Yield the words of one text that speak of the marks."""
    reading, label = speech.reading, len(speech.label)
    spans = [
        reading.locate(match.start + label, match.end + label)
        for match in marks
        if match.field == speech.field
    ]
    for finding in texts.said(speech, spans, whole=whole):
        start, end = reading.span(finding.start, finding.end)
        folds = reading.folds(start, end)
        start, end = max(0, start - label), end - label
        if end > 0:  # else in the name of the attribute
            text = speech.original[start:end]
            yield WordMatch(f"{finding.kind}_words", speech.field, start, end, text, folds)


def _says_unoriginal(word: WordMatch, vocabulary: Vocabulary) -> bool:
    """Return whether a word of copying only says that an accessory is not the mark owner's."""
    return word.signal == "replica_words" and vocabulary.says_unoriginal(
        folded_reading(word.text).strip()
    )


def _is_chance(word: MarkMatch) -> bool:
    """Return whether ordinary letters and accents may spell another word: 'limitation'.

    In a description all of them may, in a title accents alone, or a letter more and a like one.
    """
    folds = set(word.folds)
    return (
        folds in ({ACCENT}, {DOUBLED, LOOK_ALIKE})
        if word.field == "title"
        else _spells_by_chance(word)
    )


def _spells_by_chance(match: MarkMatch) -> bool:
    """Return whether nothing but ordinary letters and accents disguises what was found."""
    return set(match.folds) <= {ACCENT, DOUBLED, LOOK_ALIKE, SEQUENCE} and not has_odd_letters(
        match.text
    )


def _disguised_words(
    words: Sequence[MarkMatch], marks: Sequence[MarkMatch], texts: ListingTexts
) -> Iterator[WordMatch]:
    """Yield words of copying that are in disguise ('r3plica'): nobody does so by chance.

    Accents are how a language spells ('réplica'), and 'no 𝐫𝐞𝐩𝐥𝐢𝐜𝐚' can be read: of both the
    vocabulary has judged.
    """
    own = [(match.field, match.start, match.end) for match in marks]
    for word in words:
        if (
            word.field in ("title", "description")
            and not _is_chance(word)
            and not any(
                word.field == field and word.start < end and start < word.end
                for field, start, end in own
            )
            and not texts.denies(word)
        ):
            yield WordMatch(
                "replica_words", word.field, word.start, word.end, word.text, word.folds
            )


def _calls_it_a_copy(title: str, words: Sequence[WordMatch], marks: Sequence[MarkMatch]) -> bool:
    """Return whether a word of copying stands beside a mark of the title: 'MARK (AAA) replica'."""
    return any(
        word.signal == "replica_words"
        and word.field == match.field == "title"
        and len(title[min(word.end, match.end) : max(word.start, match.start)].split()) <= 1
        for word in words
        for match in marks
    )


def _piece(marks: Sequence[MarkMatch], texts: ListingTexts, *, vocabulary: Vocabulary) -> str:
    """Return the word of a title that says it offers a piece of the mark's goods; '' without one.

    Every mention has to say so, or only what the piece is for.
    """
    word = ""
    for match in marks:
        if match.field == "title":
            text = match.reading.text
            found = vocabulary.piece(text, *match.reading.locate(match.start, match.end))
            if found is not None:
                word = text[found[0] : found[1]]
            elif not texts.nominative(match, said=False):
                return ""
    return word
