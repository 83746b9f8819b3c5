"""Sets the characters of a text against the letters of a mark: which folds make one the other."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final

from agents.monitoring.confusables import load_table
from agents.monitoring.marks.boundaries import OF_MARKETPLACES, script_of
from agents.monitoring.marks.characters import BOUNDARY, merged, tables
from agents.monitoring.marks.skeleton import SEQUENCES, Skeleton

ACCENT: Final = "accent"
BACKWARDS: Final = "backwards"
CENSORED: Final = "censored"
COMBINING: Final = "combining"
COMPATIBILITY: Final = "compatibility"
CONFUSABLE: Final = "confusable"
DIGIT: Final = "digit"
DOUBLED: Final = "doubled"
DRAWING: Final = "drawing"
LOOK_ALIKE: Final = "look_alike"
MARKUP: Final = "markup"
SEQUENCE: Final = "sequence"
SPACED: Final = "spaced"
SYMBOL: Final = "symbol"
ZERO_WIDTH: Final = "zero_width"

_FOLD_OF_KIND: Final = {
    "accent": ACCENT,
    "compatibility": COMPATIBILITY,
    "small_capital": CONFUSABLE,
    "script": CONFUSABLE,
    "symbol": SYMBOL,
    "digit": DIGIT,
}

_NO_ACCENT: Final = "ßþ"
"""Letters of a language that only look like others: read as those they are a disguise."""
_OTHER_SCRIPTS: Final = "\u0370"
"""From here on lie the letters of scripts other than Latin."""
_AROUND: Final = 200
"""Characters on either side that show in which language and script a text is."""
_WIDE: Final = {"nn": "m", "uu": "w"}
"""Pairs that the skeleton has as one letter, and which look like another."""


def compare(
    skeleton: Skeleton,
    places: Sequence[int],
    wanted: str,
    own: frozenset[str],
    folds: dict[str, int],
) -> bool:
    """Note the folds that make the characters at `places` read as `wanted`; False if none do."""
    if len(places) < len(wanted):
        return False
    text = "".join(skeleton.read[place] for place in places).lower()
    if text == wanted:
        return True
    if (SEQUENCES | _WIDE).get(text) == wanted:
        note(folds, SEQUENCE)
        return True
    if len(places) > len(wanted):
        note(folds, DOUBLED, len(places) - len(wanted))
    for number, place in enumerate(places):
        letter = wanted[min(number, len(wanted) - 1)]
        fold = _fold_of(skeleton, place, letter, own)
        if fold is None:
            return False
        if fold and not (fold == ACCENT and skeleton.read[place].lower() in own):
            note(folds, fold)
    return True


def note(folds: dict[str, int], fold: str, count: int = 1) -> None:
    """Count a fold that was needed."""
    folds[fold] = folds.get(fold, 0) + count


def _fold_of(skeleton: Skeleton, place: int, letter: str, own: frozenset[str]) -> str | None:
    """Return the fold by which a character reads as a letter: '' for none, None if it doesn't."""
    if place in skeleton.drawn:
        reading = skeleton.drawn[place][1]
        if reading.lower() in own and _is_export(skeleton, place, own):
            return ""  # 'Nestl&eacute;'
        drawn_by = MARKUP if skeleton.read[place] == "&" else DRAWING
        return drawn_by if reading and reads_as(reading, letter) is not None else None
    return reads_as(skeleton.read[place], letter)


def _is_export(skeleton: Skeleton, place: int, own: frozenset[str]) -> bool:
    """Return whether an export may have escaped a letter of a mark's own.

    One that escapes letters of other scripts leaves none as they are.
    """
    if max(own) < _OTHER_SCRIPTS:
        return True
    near = around(skeleton.read, place, place + 1)
    return not any(c >= _OTHER_SCRIPTS and c.isalpha() for c in near)


def around(text: str, start: int, end: int) -> str:
    """Return what stands around a span, within the same field of the same listing."""
    before = text[max(0, start - _AROUND) : start].rpartition(BOUNDARY)[2]
    return before + text[end : end + _AROUND].partition(BOUNDARY)[0]


@cache
def reads_as(character: str, letter: str) -> str | None:
    """Return the fold by which a character reads as a letter: '' for none, None if it doesn't."""
    plain = character.lower()
    if plain == letter or character.casefold() == letter:
        return ""
    if character.isascii() and character.isalnum():
        if (letter.isascii() and merged(plain) == merged(letter)) or (plain, letter) == ("6", "b"):
            if letter.isdigit():
                return None  # '361' is not disguised as 'e6l'
            return DIGIT if plain.isdigit() else LOOK_ALIKE
        return None
    table = load_table()
    if not letter.isascii() and len(letter) == 1 and _bare(plain) == _bare(letter):
        return ""  # Greek capitals lose their accents
    readings = table.readings.get(ord(character))
    if readings is not None:
        ours = {letter, *table.readings.get(ord(letter), ())} if len(letter) == 1 else {letter}
        if not ours.isdisjoint(readings):
            return CONFUSABLE if plain in _NO_ACCENT else _FOLD_OF_KIND[table.kind[ord(character)]]
        if letter.isascii() and any(len(r) == 1 and merged(r) == merged(letter) for r in readings):
            return _FOLD_OF_KIND[table.kind[ord(character)]] if not letter.isdigit() else None
        return None
    same = unicodedata.normalize("NFKC", character).casefold() == letter
    if same:
        return COMPATIBILITY
    # Letters of other scripts that are written with or without their marks.
    classes = tables().classes[0]
    return "" if len(letter) == 1 and classes[ord(character)] == classes[ord(letter)] else None


def _bare(letter: str) -> str:
    """Return a letter of another script without accents; itself where none is left of it."""
    base = unicodedata.normalize("NFD", letter)[:1]
    return base if not base.isascii() else letter


def is_of_text(skeleton: Skeleton, runs: Sequence[Sequence[int]], letters: Sequence[str]) -> bool:
    """Return whether letters that are all of one script stand in a text of that script."""
    scripts = {script_of(c) for c in letters if c.isalpha()}
    beside = around(skeleton.read, runs[0][0], skeleton.end(runs[-1][-1]))
    if len(scripts) != 1 or not scripts <= OF_MARKETPLACES:
        return False
    return sum(1 for c in beside if c.isalpha() and script_of(c) in scripts) >= 3
