"""Finds marks of which letters are struck out: 'N*ke', 'Dis?ey', 'Sto_e Isl_nd', 'Halv.ne'."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agents.monitoring.marks.blanked import BLANK, BlankedWords, Contexts, Owners, hashes_around
from agents.monitoring.marks.boundaries import on_boundaries
from agents.monitoring.marks.characters import (
    ALPHABETIC,
    DRAWN,
    STRIKES,
    STRIKING,
    Ints,
    where,
)
from agents.monitoring.marks.decoding import Decoded, is_digit
from agents.monitoring.marks.disguise import Sighting
from agents.monitoring.marks.gaps import Strength
from agents.monitoring.marks.letters import CENSORED
from agents.monitoring.marks.ordinary import are_ordinary, ordinary_words
from agents.monitoring.marks.spellings import words_of
from streams.aside import giving_way
from streams.packed import Flat

_SIGNS: Final = STRIKING
_LIST_SIGNS: Final = frozenset(_SIGNS) - frozenset("?_")
"""Signs that begin a list or a hashtag: no first letter of a mark is struck out by them."""
_SIGN: Final = re.compile(f"[{_SIGNS}]")
_AT_THE_END: Final = "_"
"""The sign that ends no word for itself: 'origin*' has a footnote, 'origin?' asks."""
_AT_THE_START: Final = "?_"
"""Signs that may stand for the first letter."""
_GAP: Final = r"[\s\-.'’]{0,3}"
_MOST_WORDS: Final = 20
"""Words of a listing with letters struck out that are looked at."""
_MOST_SIGNS: Final = 200
"""Signs of a listing within words that are looked at; real ones have a few where a mark may be."""
_SHORTEST: Final = 3
_LONGEST: Final = 40
"""Characters of a word on either side of a sign that are read."""
_KNOWN: Final = 3
"""Letters that have to be there."""
_SHARE: Final = 0.4
"""Share of a mark's letters that may be struck out."""
_SURE: Final = 5
"""Letters of a mark of which the last may be struck out, or one by a sign that is often used."""
_LAST_SIGN: Final = 0xFFFF


_STRIKES_OUT: Final = 1
_IS_DRAWN: Final = 2
_MAY_OPEN: Final = 4


def _kinds() -> npt.NDArray[np.uint8]:
    kinds = np.zeros(_LAST_SIGN + 1, np.uint8)
    for signs, kind in ((_SIGNS, _STRIKES_OUT), (DRAWN, _IS_DRAWN), (_AT_THE_START, _MAY_OPEN)):
        kinds[[ord(sign) for sign in signs]] |= kind
    return kinds


SIGNS: Final = _kinds()
"""For each code point up to U+FFFF whether it strikes out, is drawn, may stand at the start."""


class StruckMarks:
    """The words of marks, to be compared with words that have signs for letters. Immutable."""

    def __init__(
        self, words: BlankedWords, owners: Owners, contexts: Contexts, marks: Sequence[str]
    ) -> None:
        """Take the words, the marks each is of, and `marks` as they are written."""
        ordinary_words()  # read before the first text is, not in the midst of it
        self._words = words
        self._owners = owners
        self.contexts = contexts
        self._marks = marks

    @classmethod
    def of(cls, marks: Sequence[str], shortest: int = 0) -> StruckMarks:
        """Index marks; those with fewer characters than `shortest` are left out."""
        owners: dict[str, list[int]] = {}
        for number, mark in enumerate(giving_way(marks)):
            words = words_of(mark) if len(mark) >= shortest else ()
            for word in dict.fromkeys((*words, *map(_bare, words))):
                if len(word) >= _SHORTEST:
                    owners.setdefault(word, []).append(number)
        ordered = sorted(owners, key=lambda word: (len(word), word))
        words_, around = BlankedWords.of(ordered)
        return cls(
            words_, Owners.of([owners[word] for word in ordered]), Contexts.of(around), marks
        )

    @classmethod
    def over(cls, arrays: Flat, marks: Sequence[str]) -> StruckMarks:
        """Return those that `arrays` of others are of."""
        return cls(
            BlankedWords.over(arrays),
            Owners(arrays["word_marks"], arrays["word_marks_at"]),
            Contexts(arrays["contexts"]),
            marks,
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by which they are had again."""
        return {
            **self._words.arrays(),
            "word_marks": self._owners.of_word,
            "word_marks_at": self._owners.starts,
            "contexts": self.contexts.bits,
        }

    def find(self, text: str, words: Sequence[StruckWord]) -> Iterator[Sighting]:
        """Yield the marks that stand in a text where some of its words have signs for letters."""
        for start, end, word, signs in words:
            for number in self._marks_with(word):
                yield from self._mark_at(number, text, start, end, signs)

    def _marks_with(self, word: str) -> list[int]:
        """Return the marks of which a word is one, with signs for letters."""
        found = self._words.blanked(word) if word.count(BLANK) == 1 else self._words.alike(word)
        return sorted({number for match in found for number in self._owners[match]})

    def _mark_at(
        self, number: int, text: str, start: int, end: int, signs: str = _SIGNS
    ) -> Iterator[Sighting]:
        """Yield the mark if `start:end` holds one of its words, and the others stand beside it."""
        words = words_of(self._marks[number])
        pattern = _GAP.join(
            "".join(f"[{re.escape(letter + _bare(letter) + signs)}]" for letter in word)
            for word in words
        )
        length = sum(map(len, words))
        low = max(0, start - length - 3 * len(words))
        window = text[low : end + length + 3 * len(words)]
        for hit in re.finditer(pattern, window, re.IGNORECASE):
            first, last = low + hit.start(), low + hit.end()
            if not (first < end and start < last) or not on_boundaries(text, first, last):
                continue
            if hit[0][0] in _LIST_SIGNS:
                continue
            struck = sum(c in signs for c in hit[0])
            if struck and struck <= length * _SHARE and length - struck >= _KNOWN:
                strength = _strength(hit[0].lower(), length, signs)
                yield Sighting(number, first, last, (CENSORED,), strength)
                return


class StruckWord(NamedTuple):
    """A word of a text with signs for letters."""

    start: int
    end: int
    word: str
    """As it is read, with `BLANK` for each sign."""
    signs: str
    """Those that may stand for a letter of it."""


def struck_words(text: str, places: Sequence[int]) -> Iterator[StruckWord]:
    """Yield the words of a text that have signs for letters, of those at `places`."""
    count = behind = signs = 0
    for place in places:
        sign = text[place]
        if sign not in _SIGNS:
            signs += 1
            if signs > _MOST_SIGNS:
                continue
            start, end = _letters_around(text, place)
            word = f"{text[start:place]}{BLANK}{text[place + 1 : end]}".lower()
            yield StruckWord(start, end, word, sign)
            continue
        if place < behind:
            continue
        start, behind = _word_around(text, place)
        count += 1
        if count > _MOST_WORDS:
            return
        bare = len(text[start:behind].lstrip("".join(_LIST_SIGNS)))
        for first in dict.fromkeys((start, behind - bare)):
            word, struck = _SIGN.subn(BLANK, text[first:behind].lower())
            if len(word) - struck >= max(2, len(word) / 2):
                yield StruckWord(first, behind, word, _SIGNS)


def struck_places(decoded: Decoded, contexts: Sequence[Contexts]) -> Ints:
    """Return where a sign stands that may strike out a letter of a mark of these contexts."""
    places = where(decoded.flags, STRIKES)
    if not len(places):
        return places
    flags, codes = decoded.flags, decoded.codes
    last = len(flags) - 1
    before, behind = ((flags[np.clip(places + way, 0, last)] & ALPHABETIC) != 0 for way in (-1, 1))
    signs = SIGNS[np.minimum(codes[places], _LAST_SIGN)]
    striking = (signs & _STRIKES_OUT) != 0
    ends = before & ((signs & _IS_DRAWN) != 0)
    kept = (before & behind) | (striking & (before | behind)) | ends
    places, striking = places[kept], striking[kept]
    hashed = hashes_around(codes, places)
    found = np.zeros(len(places), np.bool_)
    for each in contexts:
        found |= each.hold(hashed)
    if striking.any():
        found[striking] |= _among_signs(decoded, places[striking])
    struck: Ints = places[found]
    return struck


def _strength(found: str, length: int, signs: str) -> Strength:
    """Return how surely signs stand for letters: at the end of a word they may end it."""
    if signs == _SIGNS and (found[-1] not in signs or found[-1] in _AT_THE_END):
        return "hidden"
    pieces = tuple(re.findall(r"[^\W_]+", _bare(found)))
    return "weak" if length < _SURE or are_ordinary(pieces) else "hidden"


def _bare(text: str) -> str:
    """Return a text without the accents of its letters."""
    return "".join(unicodedata.normalize("NFD", c)[0] for c in text)


def _among_signs(decoded: Decoded, places: Ints) -> npt.NDArray[np.bool_]:
    """Return which signs stand among letters and other signs that do nothing but strike out."""
    flags, codes = decoded.flags, decoded.codes
    last = len(flags) - 1
    beside = (np.maximum(places - 1, 0), np.minimum(places + 1, last))
    before, behind = ((flags[side] & ALPHABETIC) != 0 for side in beside)
    # Of several in a row ('G**ci') each has a letter or another one on either side.
    either = [
        ((flags[side] & ALPHABETIC) != 0)
        | ((SIGNS[np.minimum(codes[side], _LAST_SIGN)] & _STRIKES_OUT) != 0)
        | (is_digit(codes[side]) & (before | behind))
        for side in beside
    ]
    opens = (SIGNS[np.minimum(codes[places], _LAST_SIGN)] & _MAY_OPEN) != 0
    found: npt.NDArray[np.bool_] = (either[0] & either[1]) | (behind & opens)
    return found


def _word_around(text: str, place: int) -> tuple[int, int]:
    """Return the span of the word, signs in it included, that holds a place."""
    start = end = place
    while start > 0 and place - start < _LONGEST and _in_word(text[start - 1]):
        start -= 1
    while end < len(text) and end - place < _LONGEST and _in_word(text[end]):
        end += 1
    return start, end


def _letters_around(text: str, place: int) -> tuple[int, int]:
    """Return the span of the letters and digits on either side of a sign."""
    start, end = place, place + 1
    while start > 0 and place - start < _LONGEST and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and end - place < _LONGEST and text[end].isalnum():
        end += 1
    return start, end


def _in_word(character: str) -> bool:
    return character.isalnum() or character in _SIGNS
