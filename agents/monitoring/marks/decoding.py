"""The first step of folding a text: its code points, and what is drawn or written backwards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.monitoring.marks.characters import (
    ALPHABETIC,
    BEARS_NONE,
    BOUNDARY,
    DRAWS,
    INVISIBLE,
    MARK,
    REGIONAL,
    SEVERAL,
    SOFT,
    SPELLED,
    STRAY,
    WITHIN,
    Ints,
    Tables,
    drawings,
    half_drawings,
    pair_of,
    strays,
    tables,
    where,
)
from agents.monitoring.marks.half_drawn import LATIN_END, half_drawn_letters, with_half_drawn
from agents.monitoring.marks.markup import MARKUP, ends_in_markup, unescaped

_KEYCAP: Final = 0x20E3
FEW: Final = 20
"""Where there are no more of them, characters with two readings are read both ways."""


@dataclass(frozen=True)
class Decoded:
    """A text as an array of code points, with what is drawn in it."""

    read: str
    origin: Ints | None
    codes: Ints
    flags: npt.NDArray[np.uint8]
    drawn: dict[int, tuple[int, str]]
    turned: bool
    keycaps: Ints
    """Where digits stand that keycaps make symbols of."""


def decode(text: str, *, turned: bool = False, half: bool = False) -> Decoded:
    """Return the code points of a text; the first step of folding it.

    With `turned`, what stands behind a right-to-left override is read as it shows. With `half`,
    letters that are drawn with another letter ('l<' for k) are read too.
    """
    table = tables()
    origin: Ints | None = None
    if turned:
        text, origin = _turned(text)
    codes = _codes(text)
    flags = table.flags[codes]
    spelled = where(flags, SPELLED)
    if len(spelled):
        pieces: list[str] = []
        behind = 0
        widths = np.ones(len(codes), np.intp)
        for place in spelled.tolist():
            reading = table.spelled[int(codes[place])]
            pieces += (text[behind:place], reading)
            widths[place] = len(reading)
            behind = place + 1
        text = "".join([*pieces, text[behind:]])
        origin = np.repeat(np.arange(len(codes)) if origin is None else origin, widths)
        codes = _codes(text)
        flags = table.flags[codes]
    stray = _stray_marks(codes, flags)
    if len(stray):
        characters = list(text)
        for place in stray.tolist():
            characters[place] = STRAY
        text = "".join(characters)
        codes = _codes(text)
        flags = table.flags[codes]
    keycaps = np.flatnonzero(codes == _KEYCAP)
    if len(keycaps):
        flags = flags.copy()
        # A digit, perhaps a sign that asks for the emoji, and the keycap itself.
        keycaps = keycaps - 1
        keycaps = keycaps - (codes[keycaps] == _EMOJI_STYLE)
        keycaps = keycaps[(codes[keycaps] >= ord("0")) & (codes[keycaps] <= ord("9"))]
        flags[keycaps] |= SOFT
    drawn = _drawn(text, codes, flags, table)
    if half:
        drawn = with_half_drawn(text, drawn)
    return Decoded(text, origin, codes, flags, drawn, turned, keycaps)


def _stray_marks(codes: Ints, flags: npt.NDArray[np.uint8]) -> Ints:
    """Return where marks of other scripts are set on Latin letters: a Thai vowel over an N."""
    kinds = strays()[codes]
    marks = np.flatnonzero(kinds & MARK)
    if not len(marks):
        return marks
    shown = (flags & INVISIBLE) == 0
    shown[marks] = False
    bearers = np.maximum.accumulate(np.where(shown, np.arange(len(codes)), 0))[marks]
    return marks[(kinds[bearers] & BEARS_NONE) > 0]


_OVERRIDE: Final = "\u202e"
_EMOJI_STYLE: Final = 0xFE0F
_TURNED: Final = re.compile(r"\u202e([^\u202a-\u202e\n\uffff]*)")


def _turned(text: str) -> tuple[str, Ints]:
    """Return the text as it shows where a right-to-left override turns letters round.

    With the index of each character in the text (UAX #9, explicit overrides).
    """
    order: list[int] = []
    behind = 0
    for hit in _TURNED.finditer(text):
        order += range(behind, hit.start(1))
        order += range(hit.end(1) - 1, hit.start(1) - 1, -1)
        behind = hit.end(1)
    order += range(behind, len(text))
    return "".join([text[place] for place in order]), np.array(order, np.intp)


def _codes(text: str) -> Ints:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.intp)


def places_of_overrides(decoded: Decoded) -> Ints:
    """Return where letters are turned round."""
    return np.flatnonzero(decoded.codes == ord(_OVERRIDE))


def places_of_symbols(decoded: Decoded) -> Ints:
    """Return where symbols that may be letters stand beside letters."""
    flags, codes = decoded.flags, decoded.codes
    places = where(flags, SOFT)
    if not len(places):
        return places
    sides = [_next_shown(flags, places, way) for way in (-1, 1)]
    beside = [flags[side] for side in sides]
    before, behind = ((found & ALPHABETIC) > 0 for found in beside)
    # Of several in a row ('Gu((i') each has a letter or another one on either side.
    around = [(found & (ALPHABETIC | SOFT)) > 0 for found in beside]
    # A digit may be a letter too, where no other stands behind it: 'hub|0t', not 'XL|40'.
    beyond = [_next_shown(flags, side, way) for side, way in zip(sides, (-1, 1), strict=True)]
    digits = [
        is_digit(codes[side]) & ((far == side) | ~is_digit(codes[far]))
        for side, far in zip(sides, beyond, strict=True)
    ]
    worded = [(flags[far] & ALPHABETIC) > 0 for far in beyond]
    inside = around[0] & around[1]
    inside |= (before & digits[1]) | (behind & digits[0])
    regional = (codes >= REGIONAL[0]) & (codes <= REGIONAL[-1])
    for step in (1, 2):
        before |= regional[places] & regional[np.maximum(places - step, 0)] & (places >= step)
    # Set apart itself: 'J★o★h★n★$'.
    alone = ~(around[0] | around[1] | digits[0] | digits[1]) & worded[0] & worded[1]
    before |= alone
    inside |= alone & (codes[sides[0]] == codes[sides[1]]) & (codes[sides[0]] != ord(" "))
    spread = _among_letters_apart(flags, codes, sides, beyond)
    before |= spread
    inside |= spread
    # One may also begin a word: '(hanel', but not '(Chanel)'.
    behind |= digits[1] & worded[1]
    begins = ~before & behind
    for number in np.flatnonzero(begins & (codes[places] < 0x80)).tolist():
        place = int(places[number])
        closing = _CLOSING.get(decoded.read[place])
        if closing is not None and decoded.read.find(closing, place + 1, place + _ASIDE) >= 0:
            begins[number] = False
    # A digit is a symbol only in a keycap.
    before |= (digits[0] & worded[0]) | is_digit(codes[places])
    within = (flags[places] & WITHIN) > 0
    return places[np.where(within, inside | begins, before | behind)]


def _among_letters_apart(
    flags: npt.NDArray[np.uint8], codes: Ints, sides: list[Ints], beyond: list[Ints]
) -> npt.NDArray[np.bool_]:
    """Return which symbols stand among letters with a space between each: 'N ! k e'."""
    spaced = codes[sides[0]] == ord(" ")
    spaced |= codes[sides[1]] == ord(" ")
    found = np.zeros(len(spaced), np.bool_)
    for side, far, way in zip(sides, beyond, (-1, 1), strict=True):
        may = np.flatnonzero(spaced & (codes[side] == ord(" ")) & ((flags[far] & ALPHABETIC) > 0))
        gaps = np.clip(far[may] + way, 0, len(codes) - 1)
        may, gaps = may[codes[gaps] == ord(" ")], gaps[codes[gaps] == ord(" ")]
        letters = np.clip(gaps + way, 0, len(codes) - 1)
        behind = np.clip(letters + way, 0, len(codes) - 1)
        single = ((flags[letters] & ALPHABETIC) > 0) & ((flags[behind] & ALPHABETIC) == 0)
        found[may[single]] = True
    return found


def _next_shown(flags: npt.NDArray[np.uint8], places: Ints, way: int) -> Ints:
    """Return the place on one side of each that shows something: marks may be stacked on them."""
    last = len(flags) - 1
    found = np.clip(places + way, 0, last)
    for _ in range(_STACKED):
        hidden = (flags[found] & INVISIBLE) > 0
        if not hidden.any():
            break
        found = np.clip(found + way * hidden, 0, last)
    return found


def is_digit(codes: Ints) -> npt.NDArray[np.bool_]:
    """Return which code points are digits of ASCII."""
    return (codes >= ord("0")) & (codes <= ord("9"))


def regular_separators(decoded: Decoded) -> Ints:
    """Return where the same symbol stands three times or more with one letter between.

    It sets letters apart, and other symbols are letters: 'S#E#|#K#O'.
    """
    flags, codes = decoded.flags, decoded.codes
    chain = [where(flags, SOFT)]
    for _ in range(2):
        letters = _next_shown(flags, chain[-1], 1)
        again = _next_shown(flags, letters, 1)
        first = codes[chain[0]]
        same = (codes[again] == first) & (codes[letters] != first) & (again > letters)
        chain = [*(places[same] for places in chain), again[same]]
    return np.unique(np.concatenate(chain))


_STACKED: Final = 16
"""Marks on a letter, and what shows nothing beside it, that are looked over."""
_CLOSING: Final = {"(": ")", "[": "]", "{": "}", "<": ">", "|": "|"}
_ASIDE: Final = 80
"""Characters within which a bracket is closed that stands around words."""


def places_of_several(decoded: Decoded) -> Ints:
    """Return where characters that read in two ways stand beside ASCII letters, or are few."""
    several = (decoded.flags & SEVERAL) > 0
    places = np.flatnonzero(several)
    if not len(places):
        return places
    last = len(several) - 1
    ideographs = several & (decoded.codes >= 0x3040) & (decoded.codes <= 0xFF9F)
    latin = ((decoded.flags & ALPHABETIC) > 0) & (decoded.codes < LATIN_END)
    beside = latin | ideographs
    near = beside[np.maximum(places - 1, 0)] | beside[np.minimum(places + 1, last)]
    fields = np.searchsorted(np.flatnonzero(decoded.codes == ord(BOUNDARY)), places)
    _, number, counts = np.unique(fields, return_inverse=True, return_counts=True)
    return places[near | ((counts[number] <= FEW) & ~ideographs[places])]


def places_of_half_drawn(decoded: Decoded) -> Ints:
    """Return where letters may be drawn with another letter: 'bla(l<'."""
    places = where(decoded.flags, DRAWS)
    codes, last = decoded.codes, len(decoded.codes) - 1
    table = half_drawn_letters()
    before = codes[np.maximum(places - 1, 0)]
    behind = codes[np.minimum(places + 1, last)]
    bars = codes[places] == ord("|")
    near = table[np.minimum(before, LATIN_END)] | (bars & table[np.minimum(behind, LATIN_END)])
    places = places[near]
    pattern, _ = half_drawings()
    text = decoded.read
    # A window holds what is longest, with a character on either side.
    return np.array(
        [
            place
            for place in places.tolist()
            if pattern.search(text, max(0, place - 3), place + 4) is not None
        ],
        np.intp,
    )


def _stands_between_brackets(text: str, start: int) -> bool:
    """Return whether a drawing begins with the bracket that closes one just before it."""
    opening = _OPENING.get(text[start])
    return opening is not None and opening in text[max(0, start - _WRAPPED) : start]


_OPENING: Final = {"}": "{", "]": "[", ")": "("}
_WRAPPED: Final = 3
"""Characters before a closing bracket that may be a letter in brackets, with the first of them."""


def _drawn(
    text: str, codes: Ints, flags: npt.NDArray[np.uint8], table: Tables
) -> dict[int, tuple[int, str]]:
    """Return markup and drawn letters by the place where they begin."""
    starts = where(flags, DRAWS)
    starts = starts[starts < len(codes) - 1]
    pairs = pair_of(codes[starts], codes[starts + 1])
    known = np.minimum(np.searchsorted(table.pairs, pairs), len(table.pairs) - 1)
    starts = starts[table.pairs[known] == pairs]
    found: dict[int, tuple[int, str]] = {}
    art, readings = drawings()
    behind = 0
    for start in starts.tolist():
        if start < behind:
            continue
        hit = MARKUP.match(text, start)
        if hit is not None:
            reading = unescaped(hit[0]) if hit[0][0] == "&" and not hit[1] else ""
            if reading == hit[0]:
                continue  # no entity of HTML
            reading = reading if len(reading) == 1 else ""
        else:
            hit = art.match(text, start)
            if hit is None or not (
                start == behind
                or _within_word(text, *hit.span())
                or art.match(text, hit.end()) is not None
            ):
                continue
            if _stands_between_brackets(text, start) or ends_in_markup(text, hit.end()):
                continue  # '{N}{i}{k}{e}', '<b>1</b>'
            reading = readings[hit[0]]
        found[start] = (hit.end(), reading)
        behind = hit.end()
    return found


def _within_word(text: str, start: int, end: int) -> bool:
    """Return whether a letter or digit stands beside a drawing: alone it is punctuation."""
    return (start > 0 and text[start - 1].isalnum()) or (end < len(text) and text[end].isalnum())
