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

import itertools
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from agents.monitoring.marks.characters import (
    BOUNDARY,
    BOUNDARY_CLASS,
    INVISIBLE,
    SEVERAL,
    SOFT,
    U16,
    Bools,
    Ints,
    merged,
    tables,
    where,
)
from agents.monitoring.marks.decoding import (
    Decoded,
    decode,
    places_of_half_drawn,
    places_of_overrides,
    places_of_several,
    places_of_symbols,
    regular_separators,
)

BEGINS: Final = 0x20
"""The bit between a letter and its capital. Classes of Latin letters are small letters."""

SPREAD: Final = 4
"""Letters in a row, each set apart, that are read as a word."""


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
    def begun(self) -> bytes:
        """Return the same, with `BEGINS` turned over in letters that begin a word.

        So does a letter behind one of a script that reads as no Latin one: '正品UGG'.
        """
        begins = self.apart.copy()
        begins[1:] |= self.beyond[:-1] & ~self.beyond[1:]
        turned = begins.view(np.uint8) * np.uint8(BEGINS)
        return (self.classes.astype(np.uint8) ^ turned).tobytes()

    @cached_property
    def beyond(self) -> Bools:
        """Whether each letter is of a script that reads as no Latin letter."""
        return self.classes >= 0x100

    def closed_up(self, starts: Ints) -> Iterator[Skeleton]:
        """Yield the letters of texts in which letters set apart are doubled, with those as one.

        'G u u c c i' has its runs broken by what stands between. `starts` are the places of the
        text where listings begin: each is closed up by itself, together with the boundary behind.
        """
        alone = self.apart & (self.classes != BOUNDARY_CLASS)
        alone[:-1] &= self.apart[1:]
        doubled = alone[1:] & alone[:-1] & (self.classes[1:] == self.classes[:-1])
        where = np.flatnonzero(doubled)
        if not len(where):
            return
        places = self.places if self.origin is None else self.origin[self.places]
        edges = np.append(np.searchsorted(places, starts), len(self))
        for number in np.unique(np.searchsorted(edges, where, side="right")).tolist():
            part = slice(int(edges[number - 1]), int(edges[number]) + 1)
            apart = self.apart[part].copy()
            classes, letters = self.classes[part], alone[part]
            # 'mm' is one letter here, and two in the text.
            several = np.diff(np.searchsorted(self.letters, self.places[part])) > 1
            letters[:-1] &= ~several
            inside = letters[1:] & letters[:-1]
            if _longest_run(inside) < SPREAD - 1:
                continue
            apart[1:] &= ~inside
            stays = apart.copy()
            stays[1:] |= classes[1:] != classes[:-1]
            kept = np.flatnonzero(stays)
            yield replace(
                self, classes=classes[kept], places=self.places[part][kept], apart=apart[kept]
            )

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


def _longest_run(flags: Bools) -> int:
    """Return how many flags in a row are set at most."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0


def skeletons(text: str) -> list[Skeleton]:
    """Return the skeletons of a text: one for each way in which it may be read.

    Most texts have one. A text in which symbols that may be letters touch letters has another with
    them as letters; one with characters that read in two ways has more for the second.
    """
    decoded = decode(text)
    found = [fold(decoded)]
    if len(places_of_overrides(decoded)):
        found.append(fold(decode(text, turned=True)))
    if len(places_of_symbols(decoded)):
        found.append(fold(decoded, soft_letters=True))
        separators = regular_separators(decoded)
        if len(separators):
            found.append(fold(decoded, soft_letters=True, separators=separators))
    if len(places_of_half_drawn(decoded)):
        found.append(fold(decode(text, half=True), soft_letters=True))
    if len(places_of_several(decoded)):
        found += turns(decoded)
    return found


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


def fold(
    decoded: Decoded,
    second: Bools | None = None,
    *,
    soft_letters: bool = False,
    sequences: bool = True,
    separators: Ints | None = None,
) -> Skeleton:
    """Return the skeleton of a decoded text, read in one of its ways.

    `second` says which characters are taken by their second reading; `soft_letters`, whether
    symbols such as '!' and '$' are letters, or set letters apart; `sequences`, whether 'rn' is m;
    `separators`, where symbols set letters apart all the same.
    """
    table, codes = tables(), decoded.codes
    classes = (table.classes[0] if soft_letters else table.letters).take(codes)
    if second is not None:
        classes[second] = table.classes[1][codes[second]]
    if not soft_letters:
        classes[decoded.keycaps] = 0
    if separators is not None:
        classes[separators] = 0
    nothing = where(decoded.flags, INVISIBLE)
    if decoded.drawn:
        nothing = _read_drawn(decoded, classes, soft_letters=soft_letters)
    letters = np.flatnonzero(classes != 0)
    every, found = letters, classes.take(letters)
    apart = _apart(letters, nothing[classes[nothing] == 0])
    edges = found == BOUNDARY_CLASS
    apart |= edges
    apart[1:] |= edges[:-1]
    stays = _without_sequences(codes, letters, found, apart) if sequences else None
    if stays is not None:
        kept = np.flatnonzero(stays)
        found, letters, apart = found.take(kept), letters.take(kept), apart.take(kept)
    stays = np.ones(len(found), np.bool_)
    np.not_equal(found[1:], found[:-1], out=stays[1:])
    stays |= apart
    kept = np.flatnonzero(stays)
    return Skeleton(
        decoded.read,
        decoded.origin,
        found.take(kept),
        letters.take(kept),
        apart.take(kept),
        every,
        decoded.drawn,
        decoded.turned,
    )


def _read_drawn(decoded: Decoded, classes: U16, *, soft_letters: bool) -> Ints:
    """Set the classes of markup and drawings, in place; return which characters show nothing."""
    table = tables()
    starts = np.fromiter(decoded.drawn, np.intp)
    ends = np.array([end for end, _ in decoded.drawn.values()], np.intp)
    codes = np.array([ord(reading or "\0") for _, reading in decoded.drawn.values()], np.intp)
    flags = table.flags[codes]
    reads = codes > 0
    # A sign that is no letter here stands between letters.
    kept = ~reads | ((flags & SOFT) == 0) | soft_letters
    classes[_covered(starts, ends, len(classes))] = 0
    letters = starts[kept & reads]
    classes[letters] = table.classes[0][codes[kept & reads]]
    shows_nothing = (decoded.flags & INVISIBLE) != 0
    # Tags and the rest of an entity take no room between letters.
    shows_nothing |= _covered(starts[kept], ends[kept], len(classes))
    shown = kept & reads & (classes[starts] == 0) & ((flags & INVISIBLE) == 0)
    shows_nothing[starts[shown]] = False
    return np.flatnonzero(shows_nothing)


def _covered(starts: Ints, ends: Ints, size: int) -> Bools:
    """Return which of `size` places lie within spans, none over another."""
    steps = np.zeros(size + 1, np.int8)
    steps[starts] = 1
    steps[ends] -= 1
    covered: Bools = np.cumsum(steps[:-1], dtype=np.int8) > 0
    return covered


def _apart(letters: Ints, nothing: Ints) -> Bools:
    """Return before which letters something stands that shows; `nothing` is where nothing does."""
    apart = np.ones(len(letters), np.bool_)
    np.greater(letters[1:] - letters[:-1], 1, out=apart[1:])
    if len(nothing):
        behind, counts = np.unique(np.searchsorted(letters, nothing), return_counts=True)
        inside = (behind > 0) & (behind < len(letters))
        behind, counts = behind[inside], counts[inside]
        apart[behind] = letters[behind] - letters[behind - 1] - 1 > counts
    return apart


def _without_sequences(codes: Ints, letters: Ints, found: U16, apart: Bools) -> Bools | None:
    """Read 'rn' as 'm' and 'vv' as 'w', in place; return which letters stay, None for all."""
    stays: Bools | None = None
    for pair, letter in SEQUENCES.items():
        first, second = ord(merged(pair[0])), ord(merged(pair[1]))
        places = np.flatnonzero((found[:-1] == first) & (found[1:] == second) & ~apart[1:])
        if not len(places):
            continue
        # The classes are those of other characters too.
        original = [codes[letters[places + number]] | 0x20 for number in (0, 1)]
        places = places[(original[0] == ord(pair[0])) & (original[1] == ord(pair[1]))]
        # With the second letter doubled they are no pair: 'vvv', 'Monclleer'.
        third = np.minimum(places + 2, len(found) - 1)
        same = codes[letters[third]] | 0x20 == ord(pair[1])
        doubled = same & ~apart[third] & (third == places + 2)
        places = places[~doubled]
        if pair[0] != pair[1]:
            # 'GUCCl' has a doubled c and an l, not a d.
            places = places[(found[places - 1] != found[places]) | apart[places]]
        else:
            places = places[
                ~np.isin(places, places[:-1] + 1) & (found[places - 1] != found[places])
            ]
        if not len(places):
            continue
        found[places] = ord(merged(letter))
        stays = np.ones(len(found), np.bool_) if stays is None else stays
        stays[places + 1] = False
    return stays


SEQUENCES: Final = {"rn": "m", "vv": "w", "cl": "d"}
"""Pairs of ordinary letters that look like one."""


def skeletons_of_mark(mark: str) -> list[Skeleton]:
    """Return the skeletons of a mark: symbols are no letters of it.

    Two where it has a pair that looks like one letter: the 'cl' of 'Clarks' is one in the plain
    text, and none where one of its letters is of another script.
    """
    decoded = decode(mark)
    found = [fold(decoded), fold(decoded, sequences=False)]
    return found if found[0].run_on != found[1].run_on else found[:1]
