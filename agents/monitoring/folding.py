"""Reads text as a person sees it: letters in another guise, and characters that show nothing.

There are two readings. The *plain* one only ignores case: what it finds stands there for all to
see. The *folded* one also undoes compatibility forms (full-width, styled, enclosed letters: NFKC,
UAX #15) and drops what takes no room (zero-width characters, variation selectors, stray combining
marks). A mark that only the folded reading finds is *hidden*. Both readings are made code point by
code point, so each keeps the way back to the original text. Marks are read the same way.
"""

from __future__ import annotations

import sys
import unicodedata
from bisect import bisect_left
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
    plain = character.casefold()
    folded = unicodedata.normalize("NFKC", plain).casefold()
    # A compatibility form may be a letter with a space around it (U+00A8): only the letter reads.
    folded = "".join(" " if c.isspace() else c for c in folded if fold_survives(c))
    return folded, (COMPATIBILITY if folded != plain else "")


def fold_survives(character: str) -> bool:
    """Return whether a character shows in the folded reading at all."""
    code = ord(character)
    return not (
        unicodedata.category(character) == "Cf"
        or code in _INVISIBLE
        or any(first <= code <= last for first, last in _COMBINING_RANGES)
    )


class _FoldTable(dict[int, str]):
    """`str.translate` table of the folded reading, filled as code points are met."""

    def __missing__(self, code: int) -> str:
        folded = fold_of(chr(code))[0]
        self[code] = folded
        return folded


class _PlainTable(dict[int, str]):
    """`str.translate` table of the plain reading."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = " " if character.isspace() else character.casefold()
        self[code] = plain
        return plain


_FOLDED: Final = _FoldTable()
_PLAIN: Final = _PlainTable()


def plain_reading(text: str) -> str:
    """Return the text with only case and kinds of space ignored."""
    # 40 ns against 4 µs for a title, and most titles are ASCII. Newlines and tabs read as spaces.
    if text.isascii():
        text = text.lower()
        return text if text.isprintable() else text.translate(_PLAIN)
    return text.translate(_PLAIN)


def folded_reading(text: str) -> str:
    """Return the text as a person reads it."""
    return plain_reading(text) if text.isascii() else text.translate(_FOLDED)


@dataclass(frozen=True)
class Reading:
    """One reading of an original text, with the way back.

    Not slotted: the maps are made only for texts in which something was found.
    """

    original: str
    text: str
    folded: bool

    @cached_property
    def _origins(self) -> list[int]:
        """For each character of the reading, the code point of the original it came from."""
        table = _FOLDED if self.folded else _PLAIN
        return [
            index for index, character in enumerate(self.original) for _ in table[ord(character)]
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


def readings(text: str) -> tuple[Reading, ...]:
    """Return the plain reading of a text, and the folded one where it differs."""
    plain = Reading(text, plain_reading(text), folded=False)
    if text.isascii():
        return (plain,)
    folded = folded_reading(text)
    if folded == plain.text:
        return (plain,)
    return (plain, Reading(text, folded, folded=True))


def folding_code_points() -> tuple[frozenset[int], frozenset[int]]:
    """Return the code points beyond ASCII that read as other letters, and those that vanish.

    The byte screen is made from these two sets, so it cannot miss what the folding would find. A
    code point reads as another letter when its folded reading has a letter or digit and either
    differs from the plain one or is ASCII.
    """
    letters, vanishing = set(), set()
    for code in range(128, sys.maxunicode + 1):
        if 0xD800 <= code <= 0xDFFF:
            continue
        character = chr(code)
        category = unicodedata.category(character)
        if category in ("Cn", "Co"):
            continue
        folded, fold = fold_of(character)
        if not folded:
            vanishing.add(code)
        elif any(c.isalnum() for c in folded) and (fold or folded.isascii()):
            letters.add(code)
    return frozenset(letters), frozenset(vanishing)
