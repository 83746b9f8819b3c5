"""The skeleton of a text: what is left of it when every disguise is undone.

A mark that is hidden — by letters of other scripts, digits and symbols for letters, styled or
stacked characters, letters set apart, doubled, or broken by what shows nothing — has the same
skeleton as the mark written plainly. The skeleton keeps the letters only, each as a class of what
can be taken for one another ('i', 'l', '1' and '|' are one class), one for a run of several, and
with each the place it came from. It says where a mark *may* be hidden; `disguise.py` then looks at
the original characters and says whether one is, and by which folds.

The texts of a whole batch are folded at once by table look-ups over numpy arrays: 5 ns a character,
against 60 for `str.translate` and a join. The byte screen and the
judgement of one listing use the same function, so the screen can't miss what the judgement finds.
"""

from __future__ import annotations

import html
import itertools
import re
import string
import sys
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from agents.monitoring.confusables import load_table

U16 = npt.NDArray[np.uint16]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

BOUNDARY: Final = "\uffff"
"""Stands between texts that are folded together: a noncharacter, which no text can carry."""

_BOUNDARY_CLASS: Final = 1
_MARKUP_BIT: Final = 1
_ART_BIT: Final = 2
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


@dataclass(frozen=True)
class Tables:
    """Arrays over all code points."""

    classes: tuple[U16, U16]
    """Class of each code point by its first, and by its second reading; 0 for none."""
    flags: npt.NDArray[np.uint8]
    spelled: dict[int, str]
    """What the code points read as that are more than one letter."""
    pairs: frozenset[str]
    """What markup and drawn letters begin with."""


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
    first[ord(BOUNDARY)] = _BOUNDARY_CLASS
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
        if _is_unspaced(code):
            # A sign of a script that honest texts are written in: a letter of a "font" second.
            second[code] = ord(merged(short[0]))
            continue
        first[code] = ord(merged(short[0]))
        second[code] = ord(merged(short[1])) if len(short) > 1 else first[code]
    hidden = list(table.invisible)
    first[hidden] = second[hidden] = 0
    flags = np.zeros(size, np.uint8)
    flags[hidden] |= INVISIBLE
    soft = [code for code, kind in table.kind.items() if kind == "symbol" and first[code]]
    soft += _REGIONAL  # letters, or the flag of a country
    flags[first > _BOUNDARY_CLASS] |= ALPHABETIC
    flags[[*soft, *map(ord, string.digits)]] &= ~np.uint8(ALPHABETIC)
    flags[soft] |= SOFT
    flags[[code for code in soft if chr(code) in _PUNCTUATION]] |= WITHIN
    flags[first != second] |= SEVERAL
    flags[list(spelled)] |= SPELLED
    flags[[ord(c) for c in STRIKING]] |= STRIKES
    drawings = _art()[1]
    flags[[ord(c) for c in {"<", "&", *(drawing[0] for drawing in drawings)}]] |= DRAWS
    # A tag goes on with a letter, '/' or '!', an entity with '#' or a letter.
    pairs = {f"<{c}" for c in f"{string.ascii_letters}/!"}
    pairs |= {f"&{c}" for c in f"{string.ascii_letters}#"}
    pairs |= {drawing[:2] for drawing in drawings}
    return Tables((first, second), flags, spelled, frozenset(pairs))


def _letters_of_other_scripts() -> Iterator[tuple[int, int]]:
    """Yield the letters, digits and vowel signs beyond ASCII, with what each reads as."""
    for code in (*range(0x80, 0xD800), *range(0xE000, _LAST_LETTER)):
        character = chr(code)
        if character.isalnum():
            yield code, code if _is_ideograph(code) else _plain_code(code)
        elif 0x900 <= code < 0x1100 and unicodedata.category(character) in ("Mn", "Mc"):
            # Vowel signs and tone marks belong to the word in scripts that write with them.
            yield code, code


_LAST_LETTER: Final = 0x33480
"""Behind the last block of ideographs; Unicode has no letters beyond."""


def _is_ideograph(code: int) -> bool:
    """Return whether a code point is in the large blocks that have neither case nor forms."""
    return 0x3400 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7A3 or 0x20000 <= code < 0x2F800


def _is_unspaced(code: int) -> bool:
    """Return whether a code point is an ideograph, kana or bopomofo."""
    return 0x3040 <= code <= 0x9FFF or 0xFF66 <= code <= 0xFF9F


_REGIONAL: Final = range(0x1F1E6, 0x1F200)
_KEYCAP: Final = 0x20E3
_LATIN_END: Final = 0x250


def _plain_code(code: int) -> int:
    """Return the code point that a letter of another script reads as: case and forms apart."""
    plain = unicodedata.normalize("NFKC", chr(code)).casefold()
    plain = plain.translate(_ARABIC)
    return ord(plain[0]) if plain else code


_ARABIC: Final = {0x0622: 0x0627, 0x0623: 0x0627, 0x0625: 0x0627, 0x0649: 0x064A, 0x0629: 0x0647}
"""Alef, yeh and heh are written with and without their marks."""

_MARKUP: Final = re.compile(
    r"<(?:/?[A-Za-z][^<>\uffff]{0,200}|!--[^\uffff]{0,200}?--)>"
    # Escaped once or several times; numbers may lack the semicolon.
    r"|&(?:amp;|AMP;){0,3}(?:#0{0,8}\d{1,7};?|#[xX]0{0,8}[0-9A-Fa-f]{1,6};?|[A-Za-z]{2,31};)"
)


@cache
def _art() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the pattern of letters drawn with punctuation, and what each drawing reads as."""
    drawings = {s.text: s.readings[0] for s in load_table().sequences if s.kind == "art"}
    longest_first = sorted(drawings, key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)"), drawings


@dataclass(frozen=True)
class Skeleton:
    """The letters of a text, and where each stood.

    `classes`, `places` and `apart` run in step: an element a letter, runs of one class as one.
    """

    read: str
    """The text, with characters that read as several letters written out ('œ' as 'oe')."""
    origin: Ints | None
    """For each character of `read` its index in the text; None when they are the same."""
    classes: U16
    places: Ints
    """Index in `read` of the first character of each letter."""
    apart: Bools
    """Whether something that shows stands before the letter: it begins a word."""
    letters: Ints
    """Index in `read` of every character that is a letter, those of runs and pairs too."""
    drawn: dict[int, tuple[int, str]]
    """Markup and drawings: where one begins, where it ends and the letter it reads as ('' none)."""
    turned: bool
    """Whether what an override turns round was read as it shows."""

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def run_on(self) -> bytes:
        """Return the letters with nothing between: a byte each, the low one of its class."""
        return self.classes.astype(np.uint8).tobytes()

    @cached_property
    def words(self) -> tuple[bytes, Ints]:
        """Return the letters with one space between words and at both ends, and where each is."""
        count = len(self.classes)
        before: Ints = np.cumsum(self.apart, dtype=np.intp)
        spaces = int(before[-1]) if count else 0
        where = before + np.arange(count)
        spaced = np.full(count + spaces + 1, 0x20, np.uint8)
        spaced[where] = self.classes
        return spaced.tobytes(), where

    @cached_property
    def beyond(self) -> Bools:
        """Whether each letter is of a script that reads as no Latin letter."""
        return self.classes >= 0x100

    def runs(self, first: int, count: int) -> list[list[int]]:
        """Return for `count` letters from number `first` on the places of their characters."""
        places: list[int] = self.places[first : first + count + 1].tolist()
        low = int(np.searchsorted(self.letters, places[0]))
        if len(places) > count:
            high = int(np.searchsorted(self.letters, places.pop()))
        else:
            high = len(self.letters)
        every: list[int] = self.letters[low:high].tolist()
        if len(every) == count:
            return [[place] for place in every]
        cuts = [*(bisect_left(every, place) for place in places), len(every)]
        return [every[start:end] for start, end in itertools.pairwise(cuts)]

    def end(self, place: int) -> int:
        """Return the index in `read` behind the character at `place`, its markup included."""
        return self.drawn[place][0] if place in self.drawn else place + 1

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the text for the span `start:end` of `read`, which is not empty."""
        if self.origin is None:
            return start, end
        # What is written backwards under an override reads from its end.
        places = self.origin[start:end]
        return int(places.min()), int(places.max()) + 1


def skeletons(text: str) -> list[Skeleton]:
    """Return the skeletons of a text: one for each way in which it may be read.

    Most texts have one. A text in which symbols that may be letters touch letters has another with
    them as letters; one with characters that read in two ways has more for the second.
    """
    decoded = decode(text)
    return [fold(decoded), *other_ways(decoded)]


def other_ways(decoded: Decoded) -> Iterator[Skeleton]:
    """Yield the skeletons of a text for the less likely ways to read it."""
    if len(places_of_overrides(decoded)):
        yield fold(decode(decoded.read, turned=True))
    if len(places_of_symbols(decoded)):
        yield fold(decoded, soft_letters=True)
    if len(places_of_several(decoded)):
        yield from turns(decoded)


def turns(decoded: Decoded) -> Iterator[Skeleton]:
    """Yield the skeletons with second readings: all at once, then of one character of each field.

    A field has few characters with two readings that stand for letters of a mark, so that taking
    all, or any one of the first three, by the second reading finds it.
    """
    several = (decoded.flags & SEVERAL) > 0
    yield fold(decoded, several, soft_letters=True)
    places = np.flatnonzero(several)
    fields = np.searchsorted(np.flatnonzero(decoded.codes == ord(BOUNDARY)), places)
    seen: dict[int, list[int]] = {}
    turn_of = np.empty(len(places), np.intp)
    found = zip(fields.tolist(), decoded.codes[places].tolist(), strict=True)
    for number, (field, code) in enumerate(found):
        codes = seen.setdefault(field, [])
        if code not in codes:
            codes.append(code)
        turn_of[number] = codes.index(code)
    alone = np.array([len(seen[field]) == 1 for field in fields.tolist()], np.bool_)
    for turn in range(MOST_TURNS):
        chosen = places[(turn_of == turn) & ~alone]
        if not len(chosen):
            return
        second = np.zeros(len(several), np.bool_)
        second[chosen] = True
        yield fold(decoded, second, soft_letters=True)


MOST_TURNS: Final = 3
"""Characters with two readings of which each is tried in its second alone."""
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


def decode(text: str, *, turned: bool = False) -> Decoded:
    """Return the code points of a text; the first step of folding it.

    With `turned`, what stands behind a right-to-left override is read as it shows.
    """
    table = tables()
    origin: Ints | None = None
    if turned:
        text, origin = _turned(text)
    codes = _codes(text)
    flags = table.flags[codes]
    spelled = np.flatnonzero(flags & SPELLED)
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
    keycaps = np.flatnonzero(codes == _KEYCAP)
    if len(keycaps):
        flags = flags.copy()
        # A digit, perhaps a sign that asks for the emoji, and the keycap itself.
        keycaps = keycaps - 1
        keycaps = keycaps - (codes[keycaps] == _EMOJI_STYLE)
        flags[keycaps[(codes[keycaps] >= ord("0")) & (codes[keycaps] <= ord("9"))]] |= SOFT
    return Decoded(text, origin, codes, flags, _drawn(text, flags, table), turned)


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
    flags = decoded.flags
    places = np.flatnonzero(flags & SOFT)
    if not len(places):
        return places
    last = len(flags) - 1
    beside = [flags[np.maximum(places - 1, 0)], flags[np.minimum(places + 1, last)]]
    before, behind = ((found & ALPHABETIC) > 0 for found in beside)
    # Of several in a row ('Gu((i') each has a letter or another one on either side, and marks may
    # be stacked on them.
    around = [(found & (ALPHABETIC | SOFT | INVISIBLE)) > 0 for found in beside]
    inside = around[0] & around[1]
    regional = (decoded.codes >= _REGIONAL[0]) & (decoded.codes <= _REGIONAL[-1])
    for step in (1, 2):
        before |= regional[places] & regional[np.maximum(places - step, 0)] & (places >= step)
    # Set apart itself: 'J★o★h★n★$'.
    further = [flags[np.maximum(places - 2, 0)], flags[np.minimum(places + 2, last)]]
    before |= ~around[0] & ~around[1] & ((further[0] & further[1] & ALPHABETIC) > 0)
    # One may also begin a word: '(hanel', but not '(Chanel)'.
    begins = ~before & behind
    for number in np.flatnonzero(begins & (decoded.codes[places] < 0x80)).tolist():
        place = int(places[number])
        closing = _CLOSING.get(decoded.read[place])
        if closing is not None and decoded.read.find(closing, place, place + _ASIDE) >= 0:
            begins[number] = False
    # A digit is a symbol only in a keycap.
    before |= (decoded.codes[places] >= ord("0")) & (decoded.codes[places] <= ord("9"))
    within = (flags[places] & WITHIN) > 0
    return places[np.where(within, inside | begins, before | behind)]


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
    latin = ((decoded.flags & ALPHABETIC) > 0) & (decoded.codes < _LATIN_END)
    beside = latin | ideographs
    near = beside[np.maximum(places - 1, 0)] | beside[np.minimum(places + 1, last)]
    fields = np.searchsorted(np.flatnonzero(decoded.codes == ord(BOUNDARY)), places)
    _, number, counts = np.unique(fields, return_inverse=True, return_counts=True)
    return places[near | ((counts[number] <= FEW) & ~ideographs[places])]


def _drawn(text: str, flags: npt.NDArray[np.uint8], table: Tables) -> dict[int, tuple[int, str]]:
    """Return markup and drawn letters by the place where they begin."""
    starts = np.flatnonzero(flags & DRAWS)
    found: dict[int, tuple[int, str]] = {}
    art, drawings = _art()
    behind = 0
    for start in starts.tolist():
        if start < behind or text[start : start + 2] not in table.pairs:
            continue
        hit = _MARKUP.match(text, start)
        if hit is not None:
            reading = unescaped(hit[0]) if hit[0][0] == "&" else ""
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
            reading = drawings[hit[0]]
        found[start] = (hit.end(), reading)
        behind = hit.end()
    return found


def unescaped(entity: str) -> str:
    """Return the text without HTML entities, also where it was escaped several times."""
    for _ in range(4):
        text = html.unescape(entity)
        if text == entity:
            break
        entity = text
    return entity


def _within_word(text: str, start: int, end: int) -> bool:
    """Return whether a letter or digit stands beside a drawing: alone it is punctuation."""
    return (start > 0 and text[start - 1].isalnum()) or (end < len(text) and text[end].isalnum())


def fold(decoded: Decoded, second: Bools | None = None, *, soft_letters: bool = False) -> Skeleton:
    """Return the skeleton of a decoded text, read in one of its ways.

    `second` says which characters are taken by their second reading; `soft_letters`, whether
    symbols such as '!' and '$' are letters, or set letters apart.
    """
    table, codes = tables(), decoded.codes
    classes = table.classes[0][codes]
    if second is not None:
        classes[second] = table.classes[1][codes[second]]
    shows_nothing = (decoded.flags & INVISIBLE) > 0
    if not soft_letters:
        classes[(decoded.flags & SOFT) > 0] = 0
    for start, (end, reading) in decoded.drawn.items():
        classes[start:end] = 0
        if reading and not soft_letters and table.flags[ord(reading)] & SOFT:
            continue
        code = ord(reading) if reading else 0
        classes[start] = table.classes[0][code] if reading else 0
        # Tags and the rest of an entity take no room between letters.
        shows_nothing[start:end] = True
        if reading and not classes[start] and not table.flags[code] & INVISIBLE:
            shows_nothing[start] = False
    letters = np.flatnonzero(classes)
    every, found = letters, classes[letters]
    apart = _apart(letters, np.flatnonzero(shows_nothing & (classes == 0)))
    edges = found == _BOUNDARY_CLASS
    apart |= edges
    apart[1:] |= edges[:-1]
    kept = _without_sequences(codes, letters, found, apart)
    if kept is not None:
        found, letters, apart = found[kept], letters[kept], apart[kept]
    kept = np.ones(len(found), np.bool_)
    kept[1:] = (found[1:] != found[:-1]) | apart[1:]
    return Skeleton(
        decoded.read,
        decoded.origin,
        found[kept],
        letters[kept],
        apart[kept],
        every,
        decoded.drawn,
        decoded.turned,
    )


def _apart(letters: Ints, nothing: Ints) -> Bools:
    """Return before which letters something stands that shows; `nothing` is where nothing does."""
    between = np.zeros(len(letters), np.intp)
    between[1:] = letters[1:] - letters[:-1] - 1
    if len(nothing):
        behind = np.searchsorted(letters, nothing)
        between -= np.bincount(behind, minlength=len(letters) + 1)[: len(letters)]
    apart: Bools = between > 0
    apart[:1] = True
    return apart


def _without_sequences(codes: Ints, letters: Ints, found: U16, apart: Bools) -> Bools | None:
    """Read 'rn' as 'm' and 'vv' as 'w', in place; return which letters stay, None for all."""
    kept: Bools | None = None
    for pair, letter in SEQUENCES.items():
        where = np.flatnonzero(found[:-1] == ord(merged(pair[0])))
        where = where[(found[where + 1] == ord(merged(pair[1]))) & ~apart[where + 1]]
        if not len(where):
            continue
        # The classes are those of other characters too.
        original = [codes[letters[where + number]] | 0x20 for number in (0, 1)]
        where = where[(original[0] == ord(pair[0])) & (original[1] == ord(pair[1]))]
        # With the second letter doubled they are no pair: 'vvv', 'Monclleer'.
        third = np.minimum(where + 2, len(found) - 1)
        doubled = (found[third] == found[where + 1]) & ~apart[third] & (third == where + 2)
        where = where[~doubled]
        if pair[0] == pair[1]:
            where = where[~np.isin(where, where[:-1] + 1) & (found[where - 1] != found[where])]
        if not len(where):
            continue
        found[where] = ord(merged(letter))
        kept = np.ones(len(found), np.bool_) if kept is None else kept
        kept[where + 1] = False
    return kept


SEQUENCES: Final = {"rn": "m", "vv": "w", "cl": "d"}
"""Pairs of ordinary letters that look like one."""


def skeleton_of_mark(mark: str) -> Skeleton:
    """Return the skeleton of a mark: symbols are no letters of it."""
    return fold(decode(mark))
