"""Finds marks in text: written plainly, or disguised so that only a person reads them."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as detail
from functools import lru_cache
from typing import Final

import numpy as np

from agents.monitoring.folding import Reading
from agents.monitoring.marks.characters import BOUNDARY
from agents.monitoring.marks.decoding import (
    decode,
    places_of_half_drawn,
    places_of_overrides,
    places_of_several,
    places_of_symbols,
    regular_separators,
)
from agents.monitoring.marks.disguise import Sighting, look_at, plainly_at
from agents.monitoring.marks.gaps import Strength
from agents.monitoring.marks.index import MarkIndex
from agents.monitoring.marks.overlaps import Placed, longest, surer
from agents.monitoring.marks.sheet import MOST_CHARACTERS, Sheet, first_texts
from agents.monitoring.marks.sieve import Named, Sieve, Sifted
from agents.monitoring.marks.skeleton import Skeleton, fold, turns
from agents.monitoring.marks.spellings import Spelling, words_of
from agents.monitoring.marks.struck import struck_places, struck_words
from streams.packed import Joined
from streams.texts import Texts

FIRST_WORD: Final = 1 << 40
"""Number of the first word; those of marks are less."""
_NONE: Final = frozenset[int]()
_ALONE: Final = 2
"""Indexes of a matcher whose marks are all in one: theirs, and that of the words."""
STRUCK_WORD: Final = 6
"""Letters a word has at least that is read with some of them struck out ('repl*ca')."""
MOST_SIGHTINGS: Final = 30
"""Times one mark is noted in a listing."""
MOST_LOOKS: Final = 300
"""Places of a listing that are looked at closely, in all the ways it may be read, with 20 µs each,
however hostile it is. Of 1,800 real rows none has more than 110."""


@dataclass(frozen=True, slots=True)
class MarkMatch:
    """A mark that was found: where it stood in the original text and how it was read."""

    mark: int
    field: str
    start: int
    end: int
    text: str
    folds: tuple[str, ...]
    strength: Strength
    reading: Reading = detail(compare=False, repr=False)
    """The field's text as a person reads it, for what stands around the mark."""

    @property
    def hidden(self) -> bool:
        """Whether plain reading would not find it."""
        return self.strength != "plain"

    @property
    def read_start(self) -> int:
        """Where the mark begins in `reading`."""
        return self.reading.locate(self.start, self.end)[0]

    @property
    def read_end(self) -> int:
        """Where the mark ends in `reading`."""
        return self.reading.locate(self.start, self.end)[1]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a listing: marks, and words that are looked for under a disguise."""

    marks: list[MarkMatch]
    words: list[MarkMatch]


Seen = Mapping[str, Sequence[Placed]]
"""What was sighted in a listing, by text: in equal texts stands the same."""


class MarkMatcher:
    """All marks of a registry, compiled. Immutable; built aside and swapped in."""

    def __init__(self, marks: Sequence[str], words: Sequence[str] = ()) -> None:
        """Compile `marks`, and `words` that count only under a disguise.

        A mark, or word, is known by its index from here on.
        """
        self._set([MarkIndex.of(marks)], words, _NONE)

    @classmethod
    def layered(
        cls,
        indexes: Sequence[MarkIndex],
        words: Sequence[str] = (),
        withdrawn: frozenset[int] = _NONE,
    ) -> MarkMatcher:
        """Return the matcher of marks that are compiled already, one index behind the other.

        A mark's number counts on from those of the indexes before its own. Marks that were
        `withdrawn` are not found. What is found is what one index of the rest would find, whichever
        index a mark is in.
        """
        made = cls.__new__(cls)
        made._set(indexes, words, withdrawn)  # noqa: SLF001
        return made

    def _set(
        self, indexes: Sequence[MarkIndex], words: Sequence[str], withdrawn: frozenset[int]
    ) -> None:
        firsts = itertools.accumulate((len(each.marks) for each in indexes), initial=0)
        of_marks = tuple(zip(indexes, firsts, strict=False))
        self.marks: Sequence[str] = Joined([each.marks for each in indexes])
        self._parts = (*of_marks, (_index_of_words(tuple(words)), FIRST_WORD))
        self._contexts = [index.struck.contexts for index, _ in self._parts]
        self._withdrawn = withdrawn
        *marks, of_words = ((index.patterns, index.struck.contexts) for index, _ in self._parts)
        self._sieve = Sieve(marks, of_words)

    def _order(self, mark: int) -> object:
        """Return what tells which of two marks comes first, whichever index each is in."""
        is_one = len(self._parts) <= _ALONE or mark >= FIRST_WORD
        return mark if is_one else words_of(self.marks[mark])

    def screen(self, listings: Texts) -> dict[int, Seen | None]:
        """Return which of some listings name a mark, given the texts of each, and what.

        What is written plainly the sieve tells; the others that it lets through are read, all at
        once. Exactly those in which `find` finds a mark; with None those that have to be read by
        themselves, as `find` does: they are hostile, or huge, or not UTF-8.
        """
        huge = np.flatnonzero(listings.sizes > MOST_CHARACTERS)
        if len(huge):
            rest = np.flatnonzero(listings.sizes <= MOST_CHARACTERS)
            seen = self.screen(listings.only(rest))
            return {int(rest[number]): found for number, found in seen.items()} | dict.fromkeys(
                huge.tolist()
            )
        sifted = self._sieve.sift(listings)
        found: dict[int, Seen | None] = dict.fromkeys(sifted.unreadable)
        if not self.marks:
            return found
        through = sifted.through | self._with_struck_letters(listings, sifted)
        for number, named in sifted.listed.items():
            plain = self._plainly(listings, named)
            if plain is None:
                through.add(number)
            elif plain:
                found[number] = plain
        numbers = sorted(through)
        if not numbers:
            return found
        chosen = [[text.decode() for text in listings.of_record(number)] for number in numbers]
        sheet = Sheet(
            "".join(f"{BOUNDARY}{BOUNDARY.join(fields)}" for fields in chosen),
            [len(fields) for fields in chosen],
        )
        seen_by, cut = self._read(sheet)
        for number, placed in seen_by.items():
            if number in cut:
                found[numbers[number]] = None
            elif any(item.sighting.mark < FIRST_WORD for item in placed):
                found[numbers[number]] = self._by_text(sheet, placed)
        return found

    def _plainly(self, listings: Texts, named: Sequence[Named]) -> Seen | None:
        """Return what stands in a listing of which all is listed, if all of it is written plainly.

        None where something is not, or there is much of it: then the listing has to be read.
        """
        if len(named) > MOST_SIGHTINGS:
            return None
        placed: defaultdict[int, dict[Placed, None]] = defaultdict(dict)
        texts: dict[int, str] = {}
        for number, place, part, pattern in named:
            if number not in texts:
                texts[number] = listings.text(number).decode()
            for spelling in self._spellings(part, pattern):
                sighting = plainly_at(spelling, texts[number], place)
                if sighting is None:
                    return None
                if spelling.mark < FIRST_WORD:  # a plain word is read with the vocabulary
                    placed[number][Placed(sighting, sighting.start, sighting.end)] = None
        return {texts[number]: longest(there, self._order) for number, there in placed.items()}

    def _with_struck_letters(self, listings: Texts, sifted: Sifted) -> set[int]:
        """Return the listings in which letters of a mark are struck out, of those kept back."""
        return {
            number
            for number, texts in sifted.struck.items()
            if number not in sifted.through and number not in sifted.unreadable
            for text, places in texts
            for sighting in self._struck_at(listings.text(text).decode(), places)
            if sighting.mark < FIRST_WORD
        }

    def _struck_at(self, text: str, places: Sequence[int]) -> Iterator[Sighting]:
        """Yield the marks and words of which signs at these places strike out letters."""
        words = list(struck_words(text, places))
        for index, first_mark in self._parts:
            for sighting in index.struck.find(text, words):
                mark = first_mark + sighting.mark
                if mark not in self._withdrawn:
                    yield replace(sighting, mark=mark)

    def find(self, fields: Mapping[str, str]) -> list[MarkMatch]:
        """Return every mark in these texts, in the order of fields and positions.

        Where matches of different marks overlap, the longest stands ('Apple Watch', not 'Apple').
        What plain reading finds is not hidden, even if it could be read as disguised too.
        """
        return self.find_all([fields])[0].marks

    def find_all(self, listings: Sequence[Mapping[str, str]]) -> list[Found]:
        """Return what stands in the texts of each listing; all are folded and scanned at once.

        A fold costs 60 µs and 35 ns a character, so it pays to share it.
        """
        kept = [
            {name: text.replace(BOUNDARY, " ") for name, text in first_texts(fields).items()}
            for fields in listings
        ]
        counts = [len(fields) or 1 for fields in kept]
        text = "".join(f"{BOUNDARY}{BOUNDARY.join(fields.values())}" for fields in kept)
        seen: dict[int, list[Placed]] = {}
        if text:
            sheet = Sheet(text, counts)
            seen, _ = self._read(sheet)
        return [
            self._named(self._by_text(sheet, seen[number]), fields)
            if number in seen
            else Found([], [])
            for number, fields in enumerate(kept)
        ]

    def found(self, seen: Seen, fields: Mapping[str, str]) -> Found | None:
        """Return what was seen in a listing, by the names of its fields; as `find_all` finds it.

        None where it was seen in a text that is none of these.
        """
        return self._named(seen, fields) if seen.keys() <= set(fields.values()) else None

    def _named(self, seen: Seen, fields: Mapping[str, str]) -> Found:
        found = Found([], [])
        for name, text in fields.items():
            placed = seen.get(text)
            if placed is None:
                continue
            reading = Reading(text)
            for sighting, start, end in placed:
                is_word = sighting.mark >= FIRST_WORD
                (found.words if is_word else found.marks).append(
                    MarkMatch(
                        sighting.mark - FIRST_WORD if is_word else sighting.mark,
                        name,
                        start,
                        end,
                        text[start:end],
                        sighting.folds,
                        sighting.strength,
                        reading,
                    )
                )
        return found

    def _read(self, sheet: Sheet) -> tuple[dict[int, list[Placed]], set[int]]:
        """Return what is sighted in the listings of a sheet, each with its span of the sheet.

        And the listings of which not all was looked at.
        """
        decoded = sheet.decoded
        found: dict[int, dict[tuple[int, int, int], Placed]] = {}
        cut: set[int] = set()
        looks: Counter[int] = Counter()

        def note(number: int, skeleton: Skeleton, sighting: Sighting, offset: int = 0) -> None:
            start, end = skeleton.span(sighting.start, sighting.end)
            key = (sighting.mark, start + offset, end + offset)
            placed = found.setdefault(number, {})
            known = placed.get(key)
            if known is None or surer(sighting, known.sighting):
                placed[key] = Placed(sighting, *key[1:])

        for number, skeleton, sighting in self._sightings(fold(decoded), sheet, looks, cut):
            note(number, skeleton, sighting)
        several = sheet.listings(places_of_several(decoded))
        symbols = {*sheet.listings(places_of_symbols(decoded)), *several}
        if symbols:  # half of all listings, so that those that are looked at are folded as they lie
            signs = fold(decoded, soft_letters=True)
            for number, skeleton, sighting in self._sightings(signs, sheet, looks, cut, symbols):
                note(number, skeleton, sighting)
        ways_of: tuple[tuple[list[int], Callable[[Sheet], Iterable[Skeleton]]], ...] = (
            (
                sheet.listings(regular_separators(decoded)),
                lambda part: [
                    fold(
                        part.decoded,
                        soft_letters=True,
                        separators=regular_separators(part.decoded),
                    )
                ],
            ),
            (several, lambda part: turns(part.decoded)),
            (
                sheet.listings(places_of_overrides(decoded)),
                lambda part: [fold(decode(part.text, turned=True))],
            ),
            (
                sheet.listings(places_of_half_drawn(decoded)),
                lambda part: [fold(decode(part.text, half=True), soft_letters=True)],
            ),
        )
        for numbers, ways in ways_of:
            part = sheet.part(numbers)
            if part is None:
                continue
            for way in ways(part):
                for index, skeleton, sighting in self._sightings(way, part, looks, cut):
                    number = part.numbers[index]
                    note(number, skeleton, sighting, sheet.starts[number] - part.starts[index])
        for number, sighting in self._struck_in(sheet):
            start = sheet.starts[number]
            key = (sighting.mark, start + sighting.start, start + sighting.end)
            found.setdefault(number, {}).setdefault(key, Placed(sighting, *key[1:]))
        return {number: list(placed.values()) for number, placed in found.items()}, cut

    def _by_text(self, sheet: Sheet, placed: Iterable[Placed]) -> Seen:
        """Return what was sighted in one listing of a sheet by text, with spans of the text."""
        by_span: defaultdict[tuple[int, int], list[Placed]] = defaultdict(list)
        for sighting, start, end in placed:
            span = sheet.text_at(start)
            by_span[span].append(Placed(sighting, start - span[0], end - span[0]))
        return {
            sheet.text[start:end]: longest(found, self._order)
            for (start, end), found in by_span.items()
        }

    def _struck_in(self, sheet: Sheet) -> Iterator[tuple[int, Sighting]]:
        """Yield the marks of which letters are struck out, each with its listing."""
        struck = struck_places(sheet.decoded, self._contexts)
        for number, places in sheet.by_listing(struck).items():
            for sighting in self._struck_at(sheet.listing(number), places):
                yield number, sighting

    def _sightings(
        self,
        skeleton: Skeleton,
        sheet: Sheet,
        looks: Counter[int],
        cut: set[int],
        among: Container[int] | None = None,
    ) -> Iterator[tuple[int, Skeleton, Sighting]]:
        """Yield what stands in the listings of a sheet: listing, skeleton, sighting.

        Only in those `among` some, where these are given.
        """
        yield from self._looked_at(skeleton, sheet, looks, cut, among)
        for closed in skeleton.closed_up(sheet.start_places):
            yield from self._looked_at(closed, sheet, looks, cut, among)

    def _looked_at(
        self,
        skeleton: Skeleton,
        sheet: Sheet,
        looks: Counter[int],
        cut: set[int],
        among: Container[int] | None,
    ) -> Iterator[tuple[int, Skeleton, Sighting]]:
        """Yield what stands in one reading of the letters.

        No more than `MOST_SIGHTINGS` of one mark in a listing, after `MOST_LOOKS` at it in all its
        readings; a listing of which there is more is added to `cut`. Both go by the number that the
        listing has in the sheet of all.
        """
        seen: Counter[tuple[int, int]] = Counter()
        candidates = list(self._candidates(skeleton))
        places = skeleton.places[[letter for letter, _ in candidates]]
        if skeleton.origin is not None:
            places = skeleton.origin[places]
        where = np.searchsorted(sheet.start_places, places, side="right") - 1
        for (letter, spellings), number in zip(candidates, where.tolist(), strict=True):
            if among is not None and number not in among:
                continue
            listing = sheet.numbers[number] if sheet.numbers else number
            for spelling in spellings:
                key = (number, spelling.mark)
                if seen[key] >= MOST_SIGHTINGS or looks[listing] >= MOST_LOOKS:
                    cut.add(listing)
                    continue
                looks[listing] += 1
                sighting = look_at(spelling, skeleton, letter)
                if sighting is None:
                    continue
                if spelling.mark >= FIRST_WORD and sighting.strength != "hidden":
                    continue  # a word written plainly is read with the vocabulary
                seen[key] += 1
                yield number, skeleton, sighting

    def _candidates(self, skeleton: Skeleton) -> Iterator[tuple[int, tuple[Spelling, ...]]]:
        """Yield the places where a mark's skeleton stands between the edges of words."""
        if not len(skeleton):
            return
        found = sorted(
            (first, size, part, number)
            for part, (index, _) in enumerate(self._parts)
            for number, first, size in index.patterns.find(skeleton.run_on, skeleton.apart)
        )
        for first, _, part, number in found:
            yield first, self._spellings(part, number)

    def _spellings(self, part: int, pattern: int) -> tuple[Spelling, ...]:
        """Return what may stand where a pattern was found."""
        index, first_mark = self._parts[part]
        spellings = index.spellings(pattern, first_mark)
        if self._withdrawn:
            spellings = tuple(s for s in spellings if s.mark not in self._withdrawn)
        return spellings


@lru_cache(maxsize=4)
def _index_of_words(words: tuple[str, ...]) -> MarkIndex:
    """Return the index of words; a process has those of its vocabulary only."""
    return MarkIndex.of(words, shortest_struck=STRUCK_WORD)
