"""Reads a text of a listing that hides a mark as it shows, every disguise of its letters undone.

Where a mark is hidden, words of copying may be in any of its disguises too, in any language:
entities and tags, letters turned round, styled, of other scripts, with odd accents, or set apart.
What comes out is read with the vocabulary. Of other listings only titles are read so closely, and
word by word (`disguised.py`): this would cost each of them some hundred microseconds.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from agents.monitoring.confusables import load_table
from agents.monitoring.folding import folded_reading
from agents.monitoring.marks.boundaries import BOUNDLESS, OF_MARKETPLACES, script_of
from agents.monitoring.marks.characters import MARK, strays
from agents.monitoring.marks.decoding import Decoded, decode
from agents.monitoring.marks.letters import (
    ACCENT,
    BACKWARDS,
    COMPATIBILITY,
    CONFUSABLE,
    DRAWING,
    MARKUP,
    SPACED,
    ZERO_WIDTH,
)
from agents.monitoring.marks.markup import unescaped, without_tags

READ: Final = 2_400
"""Characters read from the start of a text, and as many from its end: the longest description in
1,800 real rows has 4,530."""
PASSAGE: Final = 600
"""Characters of which words are compared letter by letter at once."""
ACCENTS: Final = 2
"""Letters of a word with odd accents, at least, for it to be read without."""

_MARKS: Final = "[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]*"
_LETTER: Final = rf"[^\W\d_]{_MARKS}"
_GAP: Final = r"[^\w\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]{1,4}|_{1,4}"
_APART: Final = re.compile(rf"(?<![^\W_]){_LETTER}(?:(?:{_GAP}){_LETTER})+(?![^\W_])")
_STEP: Final = re.compile(rf"({_GAP})?({_LETTER})")
_TOKEN: Final = re.compile(r"\S+")
_LEAST: Final = 3
"""Letters set apart that are put together; two where one of them is an ideograph."""


class Cell(NamedTuple):
    """A character as it reads, where it came from, and by which fold ('' for none)."""

    read: str
    start: int
    end: int
    fold: str


_SIGNS: Final = re.compile(r"[<>&|\\{}]|\[[-_|\]]|\(\)|/-|-/")
"""What markup, and letters drawn with signs, have in them."""
_ODD: Final = frozenset(("accent", "compatibility", "small_capital", "script"))
_EVERYDAY: Final = frozenset("áéíóúñüçãõâêôàèìòùäöÁÉÍÓÚÑÜÇÃÕÂÊÔÀÈÌÒÙÄÖ×²³½ªº")
"""Letters and signs of that kind that stand in every other text."""


@dataclass(frozen=True, slots=True)
class Undressed:
    """A text as it shows, a cell a character."""

    text: str
    cells: tuple[Cell, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original that reads as `text[start:end]`, which is not empty."""
        cells = self.cells[start:end]
        return min(cell.start for cell in cells), max(cell.end for cell in cells)

    def folds(self, start: int, end: int) -> tuple[str, ...]:
        """Return the folds that `text[start:end]` takes, sorted."""
        folds = Counter(cell.fold for cell in self.cells[start:end])
        if folds[ACCENT] < ACCENTS:
            del folds[ACCENT]
        return tuple(sorted(folds.keys() - {""}))


def undressed(original: str) -> tuple[Undressed, ...]:
    """Return the ways in which a text shows that its folded reading does not have.

    With its accents, and without them where it has some. Most texts have nothing to undo: 30 µs
    against two milliseconds for a long one.
    """
    if not _has_disguise(original):
        return ()
    plain = folded_reading(original)
    cells = _together(_of_one_script(_cells(original)))
    bare = [_without_accent(cell) for cell in cells]
    ways = [cells] if bare == cells else [cells, bare]
    found = [Undressed("".join(cell.read for cell in way), tuple(way)) for way in ways]
    return tuple(way for way in found if way.text != plain)


def _has_disguise(text: str) -> bool:
    """Return whether a text has anything that is undone here."""
    return (
        _SIGNS.search(text) is not None
        or (not text.isascii() and any(map(_may_disguise, set(text))))
        or _APART.search(text) is not None
        or _stray().search(text) is not None
    )


@cache
def _stray() -> re.Pattern[str]:
    """Return the pattern of a letter that bears a mark of a script of which it is none."""
    codes = np.flatnonzero(strays() & MARK)
    firsts = codes[np.flatnonzero(np.diff(codes, prepend=-2) > 1)]
    lasts = codes[np.flatnonzero(np.diff(codes, append=sys.maxunicode + 2) > 1)]
    ranges = "".join(
        f"{chr(first)}-{chr(last)}"
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    )
    return re.compile(f"[A-Za-z0-9][{ranges}]")


@cache
def _may_disguise(character: str) -> bool:
    """Return whether a character is odd in a text: no sign, and no letter that languages have."""
    table, code = load_table(), ord(character)
    return not character.isascii() and (
        code in table.invisible or (table.kind.get(code) in _ODD and character not in _EVERYDAY)
    )


def ends_of(text: str) -> list[tuple[int, str]]:
    """Return what is read of a text so closely, each part with its offset."""
    if len(text) <= 2 * READ:
        return [(0, text)]
    return [(0, text[:READ]), (len(text) - READ, text[-READ:])]


def passages(text: str) -> Iterator[tuple[int, str]]:
    """Yield the parts of a text in which words are compared letter by letter, with their offsets.

    Cut between words, `PASSAGE` characters long at most.
    """
    start = 0
    while start < len(text):
        end = start + PASSAGE
        if end < len(text):
            end = max(text.rfind(" ", start, end), text.rfind("\n", start, end)) + 1 or end
        yield start, text[start:end]
        start = max(end, start + 1)


def _cells(original: str) -> list[Cell]:
    """Return the characters of a text that show, as they read."""
    decoded = decode(original, turned=True, half=True)
    invisible = load_table().invisible
    cells: list[Cell] = []
    place, text = 0, decoded.read
    broken = ""
    while place < len(text):
        behind, reading, fold = place + 1, text[place], ""
        if place in decoded.drawn:
            behind, reading = decoded.drawn[place]
            if text[place] in "<&":
                fold = broken = MARKUP
                if not reading and without_tags(unescaped(text[place:behind])) == "\n":
                    reading = " "
            else:
                fold = DRAWING
        if reading and ord(reading) in invisible:
            broken = broken or ZERO_WIDTH
        elif reading:
            start, end = _origin(decoded, place, behind)
            turned = bool(cells) and start < cells[-1].start
            read, styled = _reading(reading)
            fold = BACKWARDS if turned else fold or styled or broken
            cells += [Cell(c, start, end, fold) for c in read]
            broken = ""
        place = behind
    return cells


def _origin(decoded: Decoded, start: int, end: int) -> tuple[int, int]:
    """Return the span of the original for one of what is read."""
    if decoded.origin is None:
        return start, end
    places = decoded.origin[start:end]
    return int(places.min()), int(places.max()) + 1


@cache
def _reading(character: str) -> tuple[str, str]:
    """Return what a character reads as by itself, and the fold."""
    table, code = load_table(), ord(character)
    kind = table.kind.get(code)
    if kind in ("compatibility", "small_capital"):
        return table.readings[code][0], COMPATIBILITY
    if kind == "script" and script_of(character) not in OF_MARKETPLACES:
        return table.readings[code][0], CONFUSABLE
    return folded_reading(character), ""


def _of_one_script(cells: list[Cell]) -> list[Cell]:
    """Return the cells with words of Latin letters and ideographs rid of letters that look alike.

    A word of one script stays as it is.
    """
    table = load_table()
    text = "".join(cell.read for cell in cells)
    if text.isascii():
        return cells
    found = list(cells)
    for match in _TOKEN.finditer(text):
        scripts = {script_of(c) for c in match[0] if c.isalpha()}
        if len(scripts) < 2 or not scripts & {"LATIN", "CJK"}:
            continue
        for place in range(*match.span()):
            code = ord(text[place])
            if table.kind.get(code) == "script":
                found[place] = cells[place]._replace(
                    read=table.readings[code][0][0], fold=CONFUSABLE
                )
    return found


def _together(cells: list[Cell]) -> list[Cell]:
    """Return the cells with letters that are set apart put together: 'р.е.п.л.и.к.а'.

    Where they are set further apart than most, a word ends.
    """
    text = "".join(cell.read for cell in cells)
    found: list[Cell] = []
    behind = 0
    for match in _APART.finditer(text):
        steps = list(_STEP.finditer(text, *match.span()))
        ideographs = any(script_of(c) in BOUNDLESS for c in match[0] if c.isalpha())
        # Marks of other scripts stand between letters for the one, on them for the other.
        gaps = Counter(step[1] for step in steps[1:] if step[1])
        if len(steps) < _LEAST - ideographs or not gaps:
            continue
        usual = gaps.most_common(1)[0][0]
        found += cells[behind : match.start()]
        for step in steps:
            gap = step[1]
            if gap and (len(gap) > len(usual) or (gap.isspace() and not usual.isspace())):
                found.append(cells[step.start(1)]._replace(read=" "))
            found += (cell._replace(fold=SPACED) for cell in cells[slice(*step.span(2))])
        behind = match.end()
    return [*found, *cells[behind:]]


def _without_accent(cell: Cell) -> Cell:
    """Return a cell whose letter has lost its accents."""
    base = unicodedata.normalize("NFD", cell.read)[:1]
    table = load_table()
    if base == cell.read and table.kind.get(ord(base)) == "accent":
        base = table.readings[ord(base)][0][:1]  # a stroke is no mark that comes off
    if cell.read.isascii() or not (base.isascii() and base.isalpha()):
        return cell
    return cell._replace(read=base, fold=cell.fold or ACCENT)
