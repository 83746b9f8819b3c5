"""Says whether a mark is disguised at a place where its skeleton was found, how, and how surely.

A skeleton loses a lot, so finding one says little: 'Marla' has the skeleton of 'Maria', and so have
'no va' of 'Nova' and the part number 'B055' of 'Boss'. Here the original characters are set against
the mark's, letter by letter. Each difference has to be one a seller makes on purpose, and the fewer
letters a mark has, the less may be different. What could as well be an honest word is *weak*: it
counts only for a listing that calls its goods copies.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from agents.monitoring.confusables import load_table
from agents.monitoring.marks.boundaries import on_boundaries
from agents.monitoring.marks.gaps import Strength
from agents.monitoring.marks.letters import (
    ACCENT,
    BACKWARDS,
    COMBINING,
    MARKUP,
    ZERO_WIDTH,
    compare,
    note,
)
from agents.monitoring.marks.skeleton import Skeleton
from agents.monitoring.marks.spellings import Spelling
from agents.monitoring.marks.strength import strength_of


@dataclass(frozen=True, slots=True)
class Sighting:
    """A mark at a place of a text: the span in `Skeleton.read`, the folds and how sure it is."""

    mark: int
    start: int
    end: int
    folds: tuple[str, ...]
    strength: Strength


def look_at(spelling: Spelling, skeleton: Skeleton, letter: int) -> Sighting | None:
    """Return the mark if it stands at letter number `letter` of the skeleton; None if not."""
    invisible = load_table().invisible
    if not skeleton.turned:
        # Most marks are written plainly: 3 µs here against 30 below.
        plain = plainly_at(spelling, skeleton.read, int(skeleton.places[letter]))
        if plain is not None:
            return plain
    runs = skeleton.runs(letter, len(spelling.runs))
    if len(runs) == 1 and len(runs[0]) < len(spelling.runs[0]):
        return None
    start, end = runs[0][0], skeleton.end(runs[-1][-1])
    while end < len(skeleton.read) and invisible.get(ord(skeleton.read[end])) == COMBINING:
        end += 1
    if not on_boundaries(skeleton.read, start, end):
        return None
    folds: dict[str, int] = {}
    for places, wanted in zip(runs, spelling.runs, strict=True):
        if not compare(skeleton, places, wanted, spelling.own, folds):
            return None
    _between(skeleton, start, end, spelling.own, folds)
    if (
        skeleton.turned
        and skeleton.origin is not None
        and (skeleton.origin[start] > skeleton.origin[end - 1])
    ):
        note(folds, BACKWARDS)
    strength = strength_of(spelling, skeleton, runs, folds)
    if strength is None:
        return None
    if spelling.signed:
        while invisible.get(ord(skeleton.read[end])):
            end += 1
        end += 1  # the sign that stands for the last letter
    return Sighting(spelling.mark, start, end, tuple(sorted(folds)), strength)


def plainly_at(spelling: Spelling, text: str, first: int) -> Sighting | None:
    """Return the mark if it stands plainly written at this place of a text, in which spans are."""
    for written in spelling.written:
        last = first + len(written)
        if (
            text[first:last].lower() == written
            and ord(text[last : last + 1] or " ") not in load_table().invisible
            and on_boundaries(text, first, last)
        ):
            return Sighting(spelling.mark, first, last, (), "plain")
    return None


def _between(
    skeleton: Skeleton,
    start: int,
    end: int,
    own: frozenset[str],
    folds: dict[str, int],
) -> None:
    """Note what takes no room within the mark: zero-width, combining, markup."""
    text, invisible = skeleton.read, load_table().invisible
    place = start
    while place < end:
        if place in skeleton.drawn:
            behind, reading = skeleton.drawn[place]
            if not reading or ord(reading) in invisible:
                note(folds, MARKUP)
            place = behind
            continue
        kind = invisible.get(ord(text[place]))
        if kind == COMBINING:
            composed = unicodedata.normalize("NFC", text[place - 1 : place + 1])
            if composed.lower() not in own:
                note(folds, ACCENT if len(composed) == 1 else COMBINING)
        elif kind is not None:
            note(folds, ZERO_WIDTH)
        place += 1
