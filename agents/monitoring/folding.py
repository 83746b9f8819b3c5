"""Reads text as a person sees it: letters in another guise, and characters that show nothing.

The folded reading ignores case and vowel signs, reads letters that a language writes for one
another alike (Arabic 'أ' and 'ا', Russian 'ё' and 'е'), undoes compatibility forms (full-width,
styled, enclosed letters: NFKC, UAX #15) and drops what takes no room (zero-width characters,
variation selectors, stray combining marks). In it the words around a mark are looked for, in any
language. It is made code point by code point, so it keeps the way back to the original text. What
hides a mark takes more than this to undo: `marks/skeleton.py`.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

COMPATIBILITY: Final = "compatibility"
"""Fold: full-width, styled, enclosed or otherwise formatted letters (NFKC)."""
ZERO_WIDTH: Final = "zero_width"
"""Fold: characters that take no room."""
COMBINING: Final = "combining"
"""Fold: marks set over or under a letter that belong to no letter of a language."""

_COMBINING_RANGES: Final = (
    (0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F),
)  # fmt: skip
# Default_Ignorable_Code_Point of Unicode beyond category Cf, and letters that look blank.
_INVISIBLE: Final = frozenset(
    [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0, 0x2800]
) | frozenset([*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0xFFF0, 0xFFF9)])


_WRITTEN_ALIKE: Final = {
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا",  # hamza, madda and wasla on an alef
    "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك",
    "ё": "е",
}  # fmt: skip
"""Letters that people write for one another within a language, as they do not mind case."""
_VOWEL_SIGNS: Final = frozenset([0x0640, *range(0x064B, 0x0653), 0x0670])
"""Arabic vowel signs, and the stroke that draws a word out: most texts have none."""


def fold_of(character: str) -> tuple[str, str]:
    """Return what one code point reads as, case apart, and the fold that takes ('' for none)."""
    code = ord(character)
    if code < 128:
        return (" " if character.isspace() else character.lower()), ""
    if unicodedata.category(character) == "Cf" or code in _INVISIBLE:
        return "", ZERO_WIDTH
    if any(first <= code <= last for first, last in _COMBINING_RANGES):
        return "", COMBINING
    if character.isspace():
        return " ", ""
    if code in _VOWEL_SIGNS:
        return "", ""
    plain = character.casefold()
    plain = _WRITTEN_ALIKE.get(plain, plain)
    folded = unicodedata.normalize("NFKC", plain).casefold()
    folded = "".join(_WRITTEN_ALIKE.get(letter, letter) for letter in folded)
    # A compatibility form may be a letter with a space around it (U+00A8): only the letter reads.
    folded = "".join(" " if c.isspace() else c for c in folded if fold_survives(c))
    return folded, (COMPATIBILITY if folded != plain else "")


def fold_survives(character: str) -> bool:
    """Return whether a character shows in the folded reading at all."""
    code = ord(character)
    return not (
        unicodedata.category(character) == "Cf"
        or code in _INVISIBLE
        or code in _VOWEL_SIGNS
        or any(first <= code <= last for first, last in _COMBINING_RANGES)
    )


class _FoldTable(dict[int, str]):
    """`str.translate` table of the folded reading, filled as code points are met."""

    def __missing__(self, code: int) -> str:
        folded = fold_of(chr(code))[0]
        self[code] = folded
        return folded


_FOLDED: Final = _FoldTable()


def folded_reading(text: str) -> str:
    """Return the text as a person reads it."""
    # A tenth of the time, and most titles are ASCII. Newlines and tabs read as spaces.
    if text.isascii():
        text = text.lower()
        return text if text.isprintable() else text.translate(_FOLDED)
    return text.translate(_FOLDED)


@dataclass(frozen=True)
class Reading:
    """The folded reading of an original text, with the way back.

    Not slotted: the maps are made only for texts in which something was found.
    """

    original: str

    @cached_property
    def text(self) -> str:
        """The reading."""
        return folded_reading(self.original)

    @cached_property
    def _origins(self) -> Sequence[int]:
        """For each character of the reading, the code point of the original it came from."""
        if all(len(_FOLDED[ord(character)]) == 1 for character in set(self.original)):
            return range(len(self.original))
        return [
            index for index, character in enumerate(self.original) for _ in _FOLDED[ord(character)]
        ]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the half-open span of the original that reads as `text[start:end]`."""
        if start >= end:
            raise ValueError(f"an empty span: {start}:{end}")
        if self.original.isascii():
            return start, end
        origins = self._origins
        return origins[start], origins[end - 1] + 1

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """Return where the original span `start:end` stands in this reading; may be empty."""
        if self.original.isascii():
            return start, end
        return bisect_left(self._origins, start), bisect_left(self._origins, end)

    def folds(self, start: int, end: int) -> tuple[str, ...]:
        """Return the folds that the original span `start:end` takes to read, sorted."""
        return tuple(sorted({fold_of(c)[1] for c in self.original[start:end]} - {""}))
