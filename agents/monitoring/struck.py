"""Finds marks of which letters are struck out: 'N*ke', 'Dis?ey', 'Sto_e Isl_nd'."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from agents.monitoring.disguise import CENSORED, Sighting, on_boundaries
from agents.monitoring.skeleton import ALPHABETIC, Decoded, Ints

_SIGNS: Final = "*?_#•●∗＊✱"
_SIGN_CODES: Final = np.array([ord(sign) for sign in _SIGNS])
_WORD: Final = re.compile(rf"(?:[^\W_]|[{_SIGNS}])*[{_SIGNS}](?:[^\W_]|[{_SIGNS}])*")
_AT_THE_END: Final = "_"
"""Signs that may stand for the last letter too; others end a word for themselves ('origin*')."""
_END_CODES: Final = np.array([ord(sign) for sign in _AT_THE_END])
_GAP: Final = r"[\s\-.'’]{0,3}"
_MOST_WORDS: Final = 20
"""Words of a listing that are looked at."""
_SHORTEST: Final = 3
_KNOWN: Final = 3
"""Letters that have to be there."""
_SHARE: Final = 0.4
"""Share of a mark's letters that may be struck out."""


def places_of_signs(decoded: Decoded) -> Ints:
    """Return where a sign that may strike out a letter stands beside letters."""
    places = np.flatnonzero(np.isin(decoded.codes, _SIGN_CODES))
    letters = (decoded.flags & ALPHABETIC) > 0
    before = letters[np.maximum(places - 1, 0)] & (places > 0)
    behind = letters[np.minimum(places + 1, len(letters) - 1)]
    ends = np.isin(decoded.codes[places], _END_CODES)
    return places[behind | (before & ends)]


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
        by_length: defaultdict[int, list[str]] = defaultdict(list)
        for word in sorted(self._owners):
            by_length[len(word)].append(word)
        # One text a length: a search over 1,200 words costs 20 µs, and few words have such signs.
        self._words = {length: f"\n{chr(10).join(found)}\n" for length, found in by_length.items()}

    def find(self, text: str) -> Iterator[Sighting]:
        """Yield the marks that stand in a text with letters struck out."""
        lowered = text.lower()
        if len(lowered) != len(text):
            return
        count = 0
        for word in _WORD.finditer(lowered):
            if not any(c.isalpha() for c in word[0]):
                continue
            count += 1
            if count > _MOST_WORDS:
                return
            for number in self._marks_with(word[0]):
                sighting = self._mark_at(number, text, lowered, word.start(), word.end())
                if sighting is not None:
                    yield sighting

    def _marks_with(self, word: str) -> list[int]:
        words = self._words.get(len(word))
        if words is None or all(sign in _SIGNS for sign in word):
            return []
        pattern = "".join("[^\n]" if c in _SIGNS else re.escape(c) for c in word)
        found = re.findall(f"(?<=\n){pattern}(?=\n)", words)
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
            if hit[0][-1] in _SIGNS and hit[0][-1] not in _AT_THE_END:
                continue
            struck = sum(c in _SIGNS for c in hit[0])
            if struck and struck <= length * _SHARE and length - struck >= _KNOWN:
                return Sighting(number, first, last, (CENSORED,), "hidden")
        return None
