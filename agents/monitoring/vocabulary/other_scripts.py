"""Words of copying in other scripts than Latin, with their letters set apart: 'р е п л и к а'."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from agents.monitoring.folding import folded_reading
from agents.monitoring.marks.boundaries import BOUNDLESS, script_of

LEAST: Final = 4
"""Letters of a word that is put together."""
LEAST_IDEOGRAPHS: Final = 2
"""The same of a word of ideographs."""
LONGEST: Final = 40
"""Characters of a word that is looked at."""


_TOKEN: Final = re.compile(r"\S+")
_LETTER: Final = "[\u0370-\u1dbf\u2c00-\u2dff\u3040-\ud7ff]"
_SPREAD: Final = re.compile(
    # Two letters that stand by themselves, or a sign within a word.
    rf"(?<![^\W_]){_LETTER}[\u0e31-\u0e4e]*[\W_]{{1,3}}{_LETTER}(?![^\W_])"
    rf"|{_LETTER}[*#_~^·•・.'°`´+=|\\/-]{{1,2}}{_LETTER}"
)
"""Most titles have neither: 1 µs against 20."""


class Letter(NamedTuple):
    """A letter of another script, or a vowel or tone mark of one, and where it stands."""

    place: int
    text: str


@cache
def is_letter(character: str) -> bool:
    """Return whether a character is a letter beyond ASCII, or a mark that words are written with.

    Marks that can stand on any letter (U+0300 on) are none.
    """
    if character < "\u0370":
        return False
    if character.isalpha():
        return True
    return ord(character) > 0x3FF and unicodedata.category(character) in ("Mn", "Mc")


class OtherScripts:
    """The words of the vocabulary in other scripts, to be put together."""

    def __init__(self, words: Iterable[str]) -> None:
        """Take the words that are letters of other scripts throughout."""
        self._words = frozenset(
            word for word in words if all(map(is_letter, word)) and len(word) >= _least(word)
        )
        self._longest = max(map(len, self._words), default=0)

    def found(self, title: str) -> list[tuple[int, int, str]]:
        """Return the words that are set apart or broken by signs, with their spans."""
        found: list[tuple[int, int, str]] = []
        if title.isascii() or _SPREAD.search(title) is None:
            return found
        run: list[Letter] = []
        for match in _TOKEN.finditer(title):
            token, begin = match[0], match.start()
            if token.isascii() and not any(map(str.isalnum, token)):
                continue
            whole = list(self._within(token))
            if not whole and _are_apart(token):
                run += [Letter(begin + letter.place, letter.text) for letter in _letters(token)]
                continue
            found += self._together(run)
            run = []
            found += [(begin + start, begin + end, word) for start, end, word in whole]
        return [*found, *self._together(run)]

    def _together(self, run: list[Letter]) -> Iterator[tuple[int, int, str]]:
        """Yield the words that letters standing apart make, with their spans; one may be left over.

        'р е п л и к а', '高 仿'.
        """
        text = "".join(letter.text for letter in run)
        if not LEAST_IDEOGRAPHS <= len(text) <= LONGEST:
            return
        found: list[tuple[int, int, str]] = []
        start = over = 0
        while start < len(text):
            for end in range(min(len(text), start + self._longest), start + 1, -1):
                if text[start:end] in self._words:
                    found.append((run[start].place, run[end - 1].place + 1, text[start:end]))
                    start = end
                    break
            else:
                over += 1
                start += 1
        if over <= 1:
            yield from found

    def _within(self, token: str) -> Iterator[tuple[int, int, str]]:
        """Yield the words that signs break within a word of a title: 'реп*лика'.

        In a script without spaces the word may be part of a longer run. Of ideographs each has to
        stand by itself: '增高-仿羊毛' is no copy.
        """
        letters = _letters(token)
        if not LEAST_IDEOGRAPHS <= len(letters) <= LONGEST:
            return
        first, last = letters[0].place, letters[-1].place + 1
        signs = [place for place in range(first, last) if not is_letter(token[place])]
        if not signs or any(token[place].isalnum() for place in signs):
            return
        text = "".join(letter.text for letter in letters)
        if text in self._words and (len(text) >= LEAST or len(signs) == len(letters) - 1):
            yield first, last, text
        elif script_of(text[0]) in BOUNDLESS and len(text) > LEAST:
            yield from self._part(letters, text)

    def _part(self, letters: list[Letter], text: str) -> Iterator[tuple[int, int, str]]:
        """Yield the first word of `LEAST` letters or more over a sign."""
        for start in range(len(text) - LEAST + 1):
            for end in range(start + LEAST, min(len(text), start + self._longest) + 1):
                first, last = letters[start].place, letters[end - 1].place + 1
                if text[start:end] in self._words and last - first > end - start:
                    yield first, last, text[start:end]
                    return


def _letters(token: str) -> list[Letter]:
    """Return the letters of other scripts of a token, folded as words of the vocabulary are.

    A sign that reads as several letters is kept as it is: each has a place of its own.
    """
    return [
        Letter(place, folded if len(folded := folded_reading(character)) == 1 else character)
        for place, character in enumerate(token)
        if is_letter(character)
    ]


def _are_apart(token: str) -> bool:
    """Return whether a token is letters of other scripts, no two side by side, and signs."""
    letters = [is_letter(character) for character in token]
    return not any(
        one and other and not unicodedata.category(token[place + 1]).startswith("M")
        for place, (one, other) in enumerate(itertools.pairwise(letters))
    ) and not any(c.isalnum() and not letter for c, letter in zip(token, letters, strict=True))


def _least(word: str) -> int:
    return LEAST_IDEOGRAPHS if script_of(word[0]) == "CJK" else LEAST
