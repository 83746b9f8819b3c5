"""Finds marks of which letters are struck out: 'N*ke', 'Dis?ey', 'Sto_e Isl_nd'."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from agents.monitoring.marks.boundaries import on_boundaries
from agents.monitoring.marks.characters import ALPHABETIC, STRIKES, STRIKING, Ints, where
from agents.monitoring.marks.decoding import Decoded
from agents.monitoring.marks.disguise import Sighting
from agents.monitoring.marks.letters import CENSORED
from agents.monitoring.marks.strength import Strength

_SIGNS: Final = STRIKING
_LIST_SIGNS: Final = frozenset(_SIGNS) - frozenset("?_")
_SIGN: Final = re.compile(f"[{_SIGNS}]")
_AT_THE_END: Final = "_"
"""Signs that may stand for the last letter too; others end words for themselves ('origin*')."""
_STARS: Final = "*∗＊✱"
"""Signs that may stand for the last letter, but more often mark a footnote: 'origin*'."""
_AT_THE_START: Final = "?_"
"""Signs that may stand for the first letter; others begin lists, and '#' begins a hashtag."""
_GAP: Final = r"[\s\-.'’]{0,3}"
_MOST_WORDS: Final = 20
"""Words of a listing that are looked at."""
_SHORTEST: Final = 3
_LONGEST: Final = 40
"""Characters of a word on either side of a sign that are read."""
_KNOWN: Final = 3
"""Letters that have to be there."""
_SHARE: Final = 0.4
"""Share of a mark's letters that may be struck out."""


def places_of_signs(decoded: Decoded) -> Ints:
    """Return where a sign that may strike out a letter stands beside letters."""
    flags, codes = decoded.flags, decoded.codes
    places = where(flags, STRIKES)
    if not len(places):
        return places
    beside = (np.maximum(places - 1, 0), np.minimum(places + 1, len(flags) - 1))
    before, behind = ((flags[side] & ALPHABETIC) != 0 for side in beside)
    opens = np.isin(codes[places], [ord(sign) for sign in _AT_THE_START])
    ends = np.isin(codes[places], [ord(sign) for sign in _AT_THE_END + _STARS])
    # Of several in a row ('G**ci') each has a letter or another one on either side.
    either = [
        ((flags[side] & (ALPHABETIC | STRIKES)) != 0)
        | ((codes[side] >= ord("0")) & (codes[side] <= ord("9")) & (before | behind))
        for side in beside
    ]
    found: Ints = places[(either[0] & either[1]) | (behind & opens) | (before & ends)]
    return found


class StruckMarks:
    """The words of marks, to be compared with words that have signs for letters."""

    def __init__(self, marks: Sequence[Sequence[str]]) -> None:
        """Index marks, each given by its words as they read."""
        self._marks = [tuple(words) for words in marks]
        self._owners: defaultdict[str, list[int]] = defaultdict(list)
        for number, words in enumerate(self._marks):
            for word in dict.fromkeys(words):
                if len(word) >= _SHORTEST:
                    self._owners[word].append(number)
        self._words: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
        for word in sorted(self._owners):
            self._words[len(word), word[0]].append(word)
            self._words[len(word), ""].append(word)

    def find(self, text: str) -> Iterator[Sighting]:
        """Yield the marks that stand in a text with letters struck out."""
        lowered = text.lower()
        if len(lowered) != len(text):
            return
        count = behind = 0
        for sign in _SIGN.finditer(lowered):
            if sign.start() < behind:
                continue
            start, behind = _word_around(lowered, sign.start())
            while start < behind and lowered[start] in _LIST_SIGNS:
                start += 1
            word = lowered[start:behind]
            if not any(c.isalpha() for c in word):
                continue
            count += 1
            if count > _MOST_WORDS:
                return
            for number in self._marks_with(word):
                sighting = self._mark_at(number, text, lowered, start, behind)
                if sighting is not None:
                    yield sighting

    def _marks_with(self, word: str) -> list[int]:
        if all(sign in _SIGNS for sign in word):
            return []
        first = "" if word[0] in _SIGNS else word[0]
        found = [
            other
            for other in self._words.get((len(word), first), ())
            if all(c == o or c in _SIGNS for c, o in zip(word, other, strict=True))
        ]
        return sorted({number for match in found for number in self._owners[match]})

    def _mark_at(
        self, number: int, text: str, lowered: str, start: int, end: int
    ) -> Sighting | None:
        words = self._marks[number]
        pattern = _GAP.join(
            "".join(f"[{re.escape(letter)}{_SIGNS}]" for letter in word) for word in words
        )
        length = sum(map(len, words))
        window = max(0, start - length - 3 * len(words))
        for hit in re.finditer(pattern, lowered[window : end + length + 3 * len(words)]):
            first, last = window + hit.start(), window + hit.end()
            if not (first < end and start < last) or not on_boundaries(text, first, last):
                continue
            last_one = hit[0][-1]
            if last_one in _SIGNS and last_one not in _AT_THE_END + _STARS:
                continue
            strength: Strength = "weak" if last_one in _STARS else "hidden"
            struck = sum(c in _SIGNS for c in hit[0])
            if struck and struck <= length * _SHARE and length - struck >= _KNOWN:
                return Sighting(number, first, last, (CENSORED,), strength)
        return None


def _word_around(text: str, place: int) -> tuple[int, int]:
    """Return the span of the word, signs in it included, that holds a place."""
    start = end = place
    while start > 0 and place - start < _LONGEST and _in_word(text[start - 1]):
        start -= 1
    while end < len(text) and end - place < _LONGEST and _in_word(text[end]):
        end += 1
    return start, end


def _in_word(character: str) -> bool:
    return character.isalnum() or character in _SIGNS
