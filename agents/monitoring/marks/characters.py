"""What each character reads as: the tables by which a text is folded.

Every code point has a class — of all letters, digits and symbols that can be taken for one another
— and flags that say what else it may be. Made once a process from the confusables data.
"""

from __future__ import annotations

import re
import string
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from agents.monitoring.confusables import load_table

U16 = npt.NDArray[np.uint16]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

BOUNDARY: Final = "\uffff"
"""Stands between texts that are folded together: a noncharacter, which no text can carry."""

BOUNDARY_CLASS: Final = 1
_PUNCTUATION: Final = frozenset("()[]{}<>/\\:;.,-_~^'`\"=*#%&+|!¡©®°º")
"""Symbols that are read as letters only within a word, since they often stand beside one."""
_MERGED: Final = str.maketrans("iu0123456789", "lvolzeasgtbg")
"""Letters and digits that are taken for one another, as one class each: i l 1, u v, o 0, …"""


def merged(letter: str) -> str:
    """Return the class of an ASCII letter or digit."""
    return letter.translate(_MERGED)


INVISIBLE: Final = 1
"""It shows nothing."""
SOFT: Final = 2
"""A symbol that may stand for a letter or set letters apart: both ways are read."""
WITHIN: Final = 4
"""One of them that is read as a letter only within a word, or where it begins one."""
ALPHABETIC: Final = 8
"""A letter, not a digit."""
SEVERAL: Final = 16
"""It has a second reading that differs."""
SPELLED: Final = 32
"""It reads as more than one letter."""
DRAWS: Final = 64
"""Markup or a drawn letter may begin with it."""
STRIKES: Final = 128
"""It may stand for a letter that is struck out."""
STRIKING: Final = "*?_#•●∗＊✱"
DRAWN: Final = "×■□▪▫◆◇○★☆♥❤✖✕❌"
"""Signs that do so more rarely: one, within a word or at its end."""
INSTEAD: Final = f".-–—~·…^=+%!|{DRAWN}"
"""The same with those that end a word for themselves."""


@dataclass(frozen=True)
class Tables:
    """Arrays over all code points."""

    classes: tuple[U16, U16]
    """Class of each code point by its first, and by its second reading; 0 for none."""
    letters: U16
    """Class of each code point that is a letter or digit, by its first reading; symbols have 0."""
    flags: npt.NDArray[np.uint8]
    spelled: dict[int, str]
    """What the code points read as that are more than one letter."""
    pairs: Ints
    """What markup and drawn letters begin with: two code points as one number, ascending."""


def _other_class(code: int) -> int:
    """Return the class of a letter of another script: 15 bits of a hash, and never ASCII.

    Only the low byte is scanned for; the whole class is compared where that is found.
    """
    mixed = (code * 2_654_435_761) >> 7
    return 0x0180 | (mixed & 0x7F) | ((mixed >> 7 & 0x7F) << 9)


@cache
def tables() -> Tables:
    """Return the arrays, made from the confusables table once a process (0.2 s)."""
    size = sys.maxunicode + 1
    first = np.zeros(size, np.uint16)
    for code, plain in _letters_of_other_scripts():
        first[code] = _other_class(plain)
    for letter in "abcdefghijklmnopqrstuvwxyz0123456789":
        first[[ord(letter), ord(letter.upper())]] = ord(merged(letter))
    first[ord(BOUNDARY)] = BOUNDARY_CLASS
    second = first.copy()
    table = load_table()
    spelled: dict[int, str] = {}
    for code, readings in table.readings.items():
        if code in table.invisible:
            continue
        if chr(code).isascii() and chr(code).isalnum():
            continue  # their classes are merged above
        if len(set(readings[0])) > 1:
            if table.kind[code] == "symbol":
                continue  # '™' beside a mark is no part of it
            spelled[code] = readings[0]
            first[code] = second[code] = ord(merged(readings[0][0]))
            continue
        short = [reading[0] for reading in readings if len(set(reading)) == 1]
        if _is_unspaced(code) or _is_written(code):
            # A sign of a script that honest texts are written in: a look-alike second.
            second[code] = ord(merged(short[0]))
            continue
        first[code] = ord(merged(short[0]))
        second[code] = ord(merged(short[1])) if len(short) > 1 else first[code]
    hidden = list(table.invisible)
    first[hidden] = second[hidden] = 0
    flags = np.zeros(size, np.uint8)
    flags[hidden] |= INVISIBLE
    soft = [code for code, kind in table.kind.items() if kind == "symbol" and first[code]]
    soft += REGIONAL  # letters, or the flag of a country
    flags[first > BOUNDARY_CLASS] |= ALPHABETIC
    flags[[*soft, *map(ord, string.digits)]] &= ~np.uint8(ALPHABETIC)
    flags[soft] |= SOFT
    flags[[code for code in soft if chr(code) in _PUNCTUATION]] |= WITHIN
    flags[first != second] |= SEVERAL
    flags[list(spelled)] |= SPELLED
    flags[[ord(c) for c in STRIKING + INSTEAD]] |= STRIKES
    drawn = drawings()[1]
    anchors = {drawing[anchor] for drawing, anchor in half_drawn().items()}
    flags[[ord(c) for c in {"<", "&", *anchors, *(drawing[0] for drawing in drawn)}]] |= DRAWS
    pairs = {*markup_begins(), *(drawing[:2] for drawing in drawn)}
    letters = first.copy()
    letters[soft] = 0
    numbers = sorted({pair_of(ord(pair[0]), ord(pair[1])) for pair in pairs})
    return Tables((first, second), letters, flags, spelled, np.array(numbers, np.intp))


def markup_begins() -> set[str]:
    """Return what a tag or an entity of HTML may begin with."""
    # A tag goes on with a letter, '/' or '!', an entity with '#' or a letter.
    return {f"<{c}" for c in f"{string.ascii_letters}/!"} | {
        f"&{c}" for c in f"{string.ascii_letters}#"
    }


def pair_of(one: _Number, other: _Number) -> _Number:
    """Return two code points, or arrays of them, as one number each."""
    return (one << 21) + other


_Number = TypeVar("_Number", int, Ints)


def where(flags: npt.NDArray[np.uint8], bit: int) -> Ints:
    """Return the places that have one of these flags."""
    return np.flatnonzero((flags & bit) != 0)


def _letters_of_other_scripts() -> Iterator[tuple[int, int]]:
    """Yield the letters, digits and vowel signs beyond ASCII, with what each reads as."""
    for code in (*range(0x80, 0xD800), *range(0xE000, _LAST_LETTER)):
        character = chr(code)
        if code in DOTS:
            continue
        if character.isalnum():
            yield code, code if _is_ideograph(code) else _plain_code(code)
        elif 0x900 <= code < 0x1100 and unicodedata.category(character) in ("Mn", "Mc"):
            # Vowel signs and tone marks belong to the word in scripts that write with them.
            yield code, code


STRAY: Final = "\u0353"
"""What a stray mark reads as: one that is set on letters of any script, and shows nothing else."""
MARK: Final = 1
"""It is a mark of a script, such as a vowel sign, and set on letters of this script only."""
BEARS_NONE: Final = 2
"""It reads as a Latin letter, on which such a mark is out of place."""


@cache
def strays() -> npt.NDArray[np.uint8]:
    """Return for each code point whether it is a mark of a script, or bears none of them."""
    table = load_table()
    kinds = np.zeros(sys.maxunicode + 1, np.uint8)
    kinds[
        [
            code
            for code in range(0x300, _LAST_MARK)
            if unicodedata.category(chr(code)) in ("Mn", "Me") and code not in table.invisible
        ]
    ] |= MARK
    classes = tables().classes[0]
    kinds[(classes > BOUNDARY_CLASS) & (classes < _OTHER)] |= BEARS_NONE
    kinds[_MARKED.start : _MARKED.stop] &= ~np.uint8(BEARS_NONE)
    return kinds


_LAST_MARK: Final = 0x1F000
_OTHER: Final = 0x100
"""Classes of letters of other scripts begin here."""
_MARKED: Final = range(0x0590, 0x1100)
"""From Hebrew to Burmese: scripts that write vowels as marks."""

DOTS: Final = frozenset((0x318D, 0xA78F, 0x0E2F, 0x0E46))
"""Letters by their category that are written as dots between others, or as signs behind a word."""
_LAST_LETTER: Final = 0x33480
"""Behind the last block of ideographs; Unicode has no letters beyond."""


def _is_ideograph(code: int) -> bool:
    """Return whether a code point is in the large blocks that have neither case nor forms."""
    return 0x3400 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7A3 or 0x20000 <= code < 0x2F800


def _is_unspaced(code: int) -> bool:
    """Return whether a code point is an ideograph, kana or bopomofo."""
    return 0x3040 <= code <= 0x9FFF or 0xFF66 <= code <= 0xFF9F


def _is_written(code: int) -> bool:
    """Return whether a code point is a letter of India's scripts, Burmese or Ethiopic."""
    return any(code in block for block in _WRITTEN) and not _is_zero(code)


_WRITTEN: Final = (range(0x0900, 0x0E00), range(0x1000, 0x10A0), range(0x1200, 0x13A0))


def _is_zero(code: int) -> bool:
    return unicodedata.digit(chr(code), 1) == 0


REGIONAL: Final = range(0x1F1E6, 0x1F200)


def _plain_code(code: int) -> int:
    """Return the code point that a letter of another script reads as: case and forms apart."""
    plain = unicodedata.normalize("NFKC", chr(code)).casefold()
    plain = plain.translate(_ARABIC)
    return ord(plain[0]) if plain else code


_ARABIC: Final = {0x0622: 0x0627, 0x0623: 0x0627, 0x0625: 0x0627, 0x0649: 0x064A, 0x0629: 0x0647}
"""Alef, yeh and heh are written with and without their marks."""


@cache
def half_drawn() -> dict[str, int]:
    """Return the drawings that are part letter ('l<' for k), each with where its first sign stands.

    'l)' and '1c' are none of them: brackets end words, and '11cm' is a length.
    """
    return {
        s.text: next(place for place, c in enumerate(s.text) if not c.isalpha())
        for s in load_table().sequences
        if s.kind == "letters" and not s.text.isalpha() and s.text[-1] != ")" and "1" not in s.text
    }


@cache
def half_drawings() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the pattern of such drawings within a word or at its edge, and how each reads."""
    readings = {s.text: s.readings[0] for s in load_table().sequences if s.text in half_drawn()}
    longest_first = sorted(readings, key=lambda text: (-len(text), text))
    either = "|".join(map(re.escape, longest_first)) or r"(?!)"
    return re.compile(rf"(?<=[^\W_])(?:{either})|(?:{either})(?=[^\W_])"), readings


@cache
def drawings() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the pattern of letters drawn with punctuation, and what each drawing reads as."""
    drawn = {s.text: s.readings[0] for s in load_table().sequences if s.kind == "art"}
    longest_first = sorted(drawn, key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)"), drawn
