"""Finds marks in text: written plainly, or disguised so that only a person reads them."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as detail
from functools import cached_property
from typing import Final, cast

import hyperscan
import numpy as np

from agents.monitoring.confusables import load_table
from agents.monitoring.disguise import Sighting, Spelling, Strength, look_at
from agents.monitoring.folding import Reading, folded_reading
from agents.monitoring.skeleton import (
    BOUNDARY,
    Ints,
    Skeleton,
    decode,
    fold,
    merged,
    places_of_overrides,
    places_of_several,
    places_of_symbols,
    skeleton_of_mark,
    turns,
)
from agents.monitoring.struck import StruckMarks, places_of_signs

_SEPARATORS: Final = re.compile(r"[\s\-_.'’‐-―]+")
_VOWELS: Final = frozenset("aeiou")
_BOUNDARY_BYTES: Final = BOUNDARY.encode()

MOST_WAYS: Final = 32
"""Ways in which the runs of one mark may be split; of a mark with more, only the two extremes."""
SHORT: Final = 3
"""A mark with no more letters than this in its skeleton is looked for between words only."""


STRUCK_WORD: Final = 6
"""Letters a word has at least that is read with some of them struck out ('repl*ca')."""
MOST_CHARACTERS: Final = 40_000
"""Characters of a listing that are read; nobody reads on."""
MOST_SIGHTINGS: Final = 30
"""Times one mark is noted in a listing."""
MOST_LOOKS: Final = 3_000
"""Places of a listing that are looked at closely: with 10 µs each, no text takes longer than 50 ms
to read, however hostile."""


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


def words_of(mark: str) -> tuple[str, ...]:
    """Return the words of a mark as they read: `Coca-Cola` gives ('coca', 'cola')."""
    return tuple(word for word in _SEPARATORS.split(folded_reading(mark).strip()) if word)


def spellings_of(number: int, mark: str) -> Iterator[tuple[bytes, Spelling]]:
    """Yield each way a mark may be written, with the skeleton it then has as bytes."""
    yield from _spellings(number, mark)
    if "&" in mark:
        yield from _spellings(number, mark.replace("&", " and "))


def _spellings(number: int, mark: str) -> Iterator[tuple[bytes, Spelling]]:
    skeleton = skeleton_of_mark(mark)
    groups = [
        "".join(_base(skeleton.read[place]) for place in run)
        for run in (skeleton.runs(0, len(skeleton)) if len(skeleton) else ())
    ]
    if not groups:
        return
    starts = {i for i in range(1, len(groups)) if skeleton.apart[i]}
    joined = _joined_by_ampersand(skeleton)
    own = frozenset(c for c in mark.lower() if not c.isascii())
    length = sum(len(group) for group in groups) + len(joined)
    options = [_splits(group, int(skeleton.classes[i])) for i, group in enumerate(groups)]
    count = 1
    for option in options:
        count *= len(option)
    if count > MOST_WAYS:
        options = [sorted({option[0], option[-1]}) for option in options]
    for chosen in itertools.islice(itertools.product(*options), MOST_WAYS):
        runs: list[str] = []
        classes: list[int] = []
        word_starts: set[int] = set()
        ampersands: set[int] = set()
        for i, parts in enumerate(chosen):
            if i in starts:
                word_starts.add(len(runs))
            if i in joined:
                ampersands.add(len(runs))
            runs += (part for part, _ in parts)
            classes += (class_ for _, class_ in parts)
        spelling = Spelling(
            number,
            tuple(runs),
            frozenset(word_starts),
            length,
            () if ampersands else _written(runs, word_starts),
            frozenset(ampersands),
            own,
        )
        yield _pattern(classes), spelling
        yield from _signed(classes, spelling)


def _written(runs: Sequence[str], word_starts: set[int]) -> tuple[str, ...]:
    spaced = "".join(f" {run}" if number in word_starts else run for number, run in enumerate(runs))
    return tuple(dict.fromkeys((spaced, "".join(runs))))


def _joined_by_ampersand(skeleton: Skeleton) -> set[int]:
    """Return the letters before which '&' stands in the mark."""
    return {
        i
        for i in range(1, len(skeleton))
        if "&" in skeleton.read[int(skeleton.places[i - 1]) : int(skeleton.places[i])]
    }


def _base(character: str) -> str:
    """Return the letter that a character of a mark is, without marks of its own."""
    table = load_table()
    code = ord(character)
    if table.kind.get(code) in ("accent", "compatibility"):
        return table.readings[code][0]
    return character.lower()


Parts = tuple[tuple[str, int], ...]


_SECOND_CLASS: Final = {"b": "g", "v": "w", "w": "u", "m": "n"}
"""Letters that may be written so as to have the class of another: '6' for b is that of g, 'vv' for
a doubled v that of w, 'uu' for w that of u, 'nn' for m that of n."""


def _splits(group: str, class_: int) -> list[Parts]:
    """Return the ways to split a run: whole first, letter by letter last.

    Letters set apart make no run: 'GUCCI' has one letter for its 'CC', 'G U C C I' has two. Some
    letters have a second class: see `_SECOND_CLASS`.
    """
    if group in _SECOND_CLASS:
        return [((group, class_),), ((group, ord(merged(_SECOND_CLASS[group]))),)]
    if len(group) == 1:
        return [((group, class_),)]
    ways = []
    for cuts in itertools.product((False, True), repeat=min(len(group), 5) - 1):
        parts, behind = [], 0
        for place, cut in enumerate(cuts, start=1):
            if cut:
                parts.append(group[behind:place])
                behind = place
        parts.append(group[behind:])
        ways.append(
            tuple(
                (part, ord(merged(part)) if len(part) == 1 and part.isascii() else class_)
                for part in parts
            )
        )
    return sorted(ways, key=len)


_SIGNED: Final = frozenset("ilcrtoah")
"""Letters that signs stand for which often end a word: ! | ¡ © ® + ° ^ #."""


def _signed(classes: Sequence[int], spelling: Spelling) -> Iterator[tuple[bytes, Spelling]]:
    """Yield the spelling with a sign for its last letter that elsewhere ends a word: 'Gucc!'."""
    if spelling.length < 4 or spelling.runs[-1] not in _SIGNED:
        return
    last = len(classes) - 1
    word_starts = frozenset(start for start in spelling.word_starts if start < last)
    yield (
        _pattern(classes[:-1]),
        replace(
            spelling, runs=spelling.runs[:-1], word_starts=word_starts, signed=spelling.runs[-1]
        ),
    )


def _pattern(classes: Sequence[int]) -> bytes:
    """Return the classes as `Skeleton.run_on` has them."""
    return bytes(class_ & 0xFF for class_ in classes)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a listing: marks, and words that are looked for under a disguise."""

    marks: list[MarkMatch]
    words: list[MarkMatch]


class _Sheet:
    """The texts of listings, joined: a boundary before each."""

    def __init__(self, text: str, counts: Sequence[int], numbers: Sequence[int] = ()) -> None:
        """Take the text and the number of fields of each listing in it."""
        self.text = text
        self.counts = counts
        self.numbers = numbers
        """Numbers of the listings in the sheet they were taken from."""
        self.decoded = decode(text)
        codes = self.decoded.codes
        boundaries = np.flatnonzero(codes == ord(BOUNDARY))
        if self.decoded.origin is not None:
            boundaries = self.decoded.origin[boundaries]
        firsts = np.zeros(len(counts), np.intp)
        np.cumsum(counts[:-1], out=firsts[1:])
        self.start_places: Ints = boundaries[firsts]
        """Where in the text each listing begins, with its boundary."""
        self._fields = boundaries
        self._first_fields = firsts

    @cached_property
    def starts(self) -> list[int]:
        """The same as a list."""
        starts: list[int] = self.start_places.tolist()
        return starts

    def listings(self, *places: Ints) -> list[int]:
        """Return which listings hold some places of the decoded text, in order."""
        every = np.concatenate(places)
        if self.decoded.origin is not None:
            every = self.decoded.origin[every]
        numbers: list[int] = np.unique(
            np.searchsorted(self.start_places, every, side="right") - 1
        ).tolist()
        return numbers

    def text_of(self, number: int) -> str:
        """Return the text of one listing, its boundary first."""
        starts = self.starts
        end = starts[number + 1] if number + 1 < len(starts) else len(self.text)
        return self.text[starts[number] : end]

    def part(self, numbers: Sequence[int]) -> _Sheet | None:
        """Return a sheet of some of the listings; None of none."""
        if not numbers:
            return None
        text = "".join(self.text_of(number) for number in numbers)
        return _Sheet(text, [self.counts[number] for number in numbers], numbers)

    def field(self, number: int, place: int) -> tuple[int, int]:
        """Return the field of a listing that holds a place, and where that begins."""
        field = int(np.searchsorted(self._fields, place, side="right")) - 1
        return field - int(self._first_fields[number]), int(self._fields[field]) + 1


class MarkMatcher:
    """All marks of a registry, compiled. Immutable; built aside and swapped in.

    Not for use from two threads at once: Hyperscan's scratch space belongs to one scan at a time.
    """

    def __init__(self, marks: Sequence[str], words: Sequence[str] = ()) -> None:
        """Compile `marks`, and `words` that count only under a disguise.

        A mark, or word, is known by its index from here on.
        """
        self.marks = tuple(marks)
        struck = [word if len(word) >= STRUCK_WORD else "" for word in words]
        self._struck = StruckMarks([words_of(mark) for mark in (*self.marks, *struck)])
        by_pattern: defaultdict[bytes, list[Spelling]] = defaultdict(list)
        for number, mark in enumerate((*marks, *words)):
            for pattern, spelling in spellings_of(number, mark):
                by_pattern[pattern].append(spelling)
        self._patterns = list(by_pattern)
        self._spellings = list(by_pattern.values())
        long: list[int] = []
        short: list[int] = []
        for number, pattern in enumerate(self._patterns):
            # Scripts without spaces have no words to look between, and letters enough to be rare.
            between_words = len(pattern) <= SHORT and max(pattern) < 0x80
            (short if between_words else long).append(number)
        self._long = _compile([(self._patterns[n], n) for n in long])
        self._short = _compile(
            [
                (b" " + middle + b" ", n)
                for n in short
                for middle in _as_words(self._patterns[n], self._spellings[n])
            ]
        )

    @cached_property
    def _lengths(self) -> Ints:
        return np.array([len(found[0].runs) for found in self._spellings], np.intp)

    def concerned(self, texts: Sequence[Sequence[bytes]]) -> set[int]:
        """Return which of some listings name a mark, given the UTF-8 texts of each.

        All of them are folded and scanned at once. Exactly those in which `find` finds something,
        and those too large to be read whole.

        Raises:
            UnicodeDecodeError: a text is not UTF-8.
        """
        if not self.marks or not texts:
            return set()
        large = {n for n, fields in enumerate(texts) if sum(map(len, fields)) > MOST_CHARACTERS}
        kept = [() if n in large else fields for n, fields in enumerate(texts)] if large else texts
        joined = [_BOUNDARY_BYTES.join([b"", *(fields or [b""])]) for fields in kept]
        text = b"".join(joined).decode("utf-8", "surrogatepass")
        sheet = _Sheet(text, [len(fields) or 1 for fields in kept])
        return large.union(self._read(sheet, once=True))

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
        found = [Found([], []) for _ in listings]
        counts = [len(fields) or 1 for fields in kept]
        text = "".join(f"{BOUNDARY}{BOUNDARY.join(fields.values())}" for fields in kept)
        if not self._patterns or not text:
            return found
        sheet = _Sheet(text, counts)
        for number, sightings in self._read(sheet).items():
            names = list(kept[number])
            by_field: defaultdict[int, list[tuple[Sighting, int, int]]] = defaultdict(list)
            for sighting, start, end in sightings:
                field, offset = sheet.field(number, start)
                by_field[field].append((sighting, start - offset, end - offset))
            for field, placed in sorted(by_field.items()):
                original = kept[number][names[field]]
                reading = Reading(original)
                for sighting, start, end in _longest(placed):
                    is_word = sighting.mark >= len(self.marks)
                    (found[number].words if is_word else found[number].marks).append(
                        MarkMatch(
                            sighting.mark - len(self.marks) if is_word else sighting.mark,
                            names[field],
                            start,
                            end,
                            original[start:end],
                            sighting.folds,
                            sighting.strength,
                            reading,
                        )
                    )
        return found

    def _read(
        self, sheet: _Sheet, *, once: bool = False
    ) -> dict[int, list[tuple[Sighting, int, int]]]:
        """Return the sightings in each listing of a sheet that has any, each with its span.

        With `once` only which listings name a mark counts: one sighting of a mark is enough.
        """
        decoded = sheet.decoded
        found: dict[int, dict[tuple[int, int, int], tuple[Sighting, int, int]]] = {}

        def note(number: int, skeleton: Skeleton, sighting: Sighting, offset: int = 0) -> None:
            start, end = skeleton.span(sighting.start, sighting.end)
            key = (sighting.mark, start + offset, end + offset)
            placed = found.setdefault(number, {})
            known = placed.get(key)
            if known is None or _surer(sighting, known[0]):
                placed[key] = (sighting, *key[1:])

        def named(number: int) -> bool:
            return once and any(mark < len(self.marks) for mark, _, _ in found.get(number, ()))

        for number, skeleton, sighting in self._sightings(fold(decoded), sheet, named):
            note(number, skeleton, sighting)
        several = sheet.listings(places_of_several(decoded))
        symbols = sorted({*sheet.listings(places_of_symbols(decoded)), *several})
        for numbers, ways in (
            (symbols, lambda part: [fold(part.decoded, soft_letters=True)]),
            (several, lambda part: turns(part.decoded)),
            (
                sheet.listings(places_of_overrides(decoded)),
                lambda part: [fold(decode(part.text, turned=True))],
            ),
        ):
            part = sheet.part([number for number in numbers if not named(number)])
            if part is None:
                continue
            for way in ways(part):
                for index, skeleton, sighting in self._sightings(way, part):
                    number = part.numbers[index]
                    note(number, skeleton, sighting, sheet.starts[number] - part.starts[index])
        for number in sheet.listings(places_of_signs(decoded)):
            if not named(number):
                start = sheet.starts[number]
                for sighting in self._struck.find(sheet.text_of(number)):
                    key = (sighting.mark, start + sighting.start, start + sighting.end)
                    found.setdefault(number, {}).setdefault(key, (sighting, *key[1:]))
        if once:
            return {
                number: list(placed.values())
                for number, placed in found.items()
                if any(mark < len(self.marks) for mark, _, _ in placed)
            }
        return {number: list(placed.values()) for number, placed in found.items()}

    def _sightings(
        self, skeleton: Skeleton, sheet: _Sheet, done: Callable[[int], bool] = lambda _: False
    ) -> Iterator[tuple[int, Skeleton, Sighting]]:
        """Yield what stands in the listings of a sheet: listing, skeleton, sighting.

        No more than `MOST_SIGHTINGS` of one mark in a listing, and nothing more of a listing that
        is `done`.
        """
        seen: Counter[tuple[int, int]] = Counter()
        looks: Counter[int] = Counter()
        candidates = list(self._candidates(skeleton))
        places = skeleton.places[[letter for letter, _ in candidates]]
        if skeleton.origin is not None:
            places = skeleton.origin[places]
        where = np.searchsorted(sheet.start_places, places, side="right") - 1
        for (letter, spellings), number in zip(candidates, where.tolist(), strict=True):
            if done(number):
                continue
            for spelling in spellings:
                key = (number, spelling.mark)
                if seen[key] >= MOST_SIGHTINGS or looks[number] >= MOST_LOOKS:
                    continue
                looks[number] += 1
                sighting = look_at(spelling, skeleton, letter)
                if sighting is None:
                    continue
                if spelling.mark >= len(self.marks) and sighting.strength != "hidden":
                    continue  # a word written plainly is read with the vocabulary
                seen[key] += 1
                yield number, skeleton, sighting

    def _candidates(self, skeleton: Skeleton) -> Iterator[tuple[int, list[Spelling]]]:
        """Yield the places where a mark's skeleton stands between the edges of words."""
        if not len(skeleton):
            return
        numbers, ends = _scan(self._long, skeleton.run_on)
        lasts = ends - 1
        if self._short is not None:
            data, where = skeleton.words
            short, ends = _scan(self._short, data)
            numbers = np.concatenate((numbers, short))
            lasts = np.concatenate((lasts, np.searchsorted(where, ends - 2)))
        if not len(numbers):
            return
        firsts = lasts - self._lengths[numbers] + 1
        opens = _opens(skeleton)
        likely = (firsts >= 0) & opens[np.maximum(firsts, 0)] & opens[lasts + 1]
        for number, first in sorted(
            set(zip(numbers[likely].tolist(), firsts[likely].tolist(), strict=True)),
            key=lambda pair: (pair[1], pair[0]),
        ):
            yield first, self._spellings[number]


def first_texts(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a listing as far as they are read: its first `MOST_CHARACTERS`."""
    if sum(map(len, fields.values())) <= MOST_CHARACTERS:
        return dict(fields)
    left = MOST_CHARACTERS
    kept: dict[str, str] = {}
    for name, text in fields.items():
        kept[name] = text[:left]
        left -= len(kept[name])
        if left <= 0:
            break
    return kept


def _opens(skeleton: Skeleton) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return whether a word may begin at each letter, and end before it; one more for the end.

    That a letter of another script stands on either side is enough here.
    """
    opens = np.ones(len(skeleton) + 1, np.bool_)
    opens[:-1] = skeleton.apart
    beyond = skeleton.beyond
    opens[:-1] |= beyond
    opens[1:-1] |= beyond[:-1]
    return opens


def _as_words(pattern: bytes, spellings: Sequence[Spelling]) -> Iterator[bytes]:
    """Yield how the letters of a short mark stand between spaces: run on, by word, set apart."""
    yield pattern
    if len(pattern) > 1:
        yield b" ".join(bytes([byte]) for byte in pattern)
        for spelling in spellings:
            for start in sorted(spelling.word_starts):
                yield pattern[:start] + b" " + pattern[start:]


def _scan(database: hyperscan.Database | None, data: bytes) -> tuple[Ints, Ints]:
    """Return the numbers of the patterns found, and where each ends."""
    found: tuple[list[int], list[int]] = ([], [])
    if database is not None:
        database.scan(data, match_event_handler=_collect, context=found)
    return np.array(found[0], np.intp), np.array(found[1], np.intp)


def _compile(patterns: Sequence[tuple[bytes, int]]) -> hyperscan.Database | None:
    """Return the database of literal patterns; None without any."""
    if not patterns:
        return None
    unique = sorted(set(patterns))
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern for pattern, _ in unique],
        ids=[number for _, number in unique],
        elements=len(unique),
        flags=0,
        literal=True,
    )
    return database


def _collect(id_: int, start: int, end: int, flags: int, context: object) -> None:  # noqa: ARG001
    numbers, ends = cast(tuple[list[int], list[int]], context)
    numbers.append(id_)
    ends.append(end)


_SURENESS: Final[dict[Strength, int]] = {"plain": 2, "hidden": 1, "weak": 0}


def _surer(one: Sighting, other: Sighting) -> bool:
    return (_SURENESS[one.strength], -len(one.folds)) > (
        _SURENESS[other.strength],
        -len(other.folds),
    )


def _longest(found: Iterable[tuple[Sighting, int, int]]) -> list[tuple[Sighting, int, int]]:
    """Drop what lies within a longer match, or overlaps a surer one of the same mark; in order."""
    found = list(found)
    kept = [
        (sighting, start, end)
        for sighting, start, end in found
        if not any(
            other is not sighting
            and first < end
            and start < last
            and (
                (other.mark == sighting.mark and _surer(other, sighting))
                or (
                    first <= start
                    and end <= last
                    and last - first > end - start
                    and _SURENESS[other.strength] >= _SURENESS[sighting.strength]
                )
            )
            for other, first, last in found
        )
    ]
    return sorted(kept, key=lambda item: (item[1], item[2], item[0].mark))
