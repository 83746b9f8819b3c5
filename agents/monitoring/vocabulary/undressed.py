"""Reads a text of a listing that hides a mark as it shows, every disguise of its letters undone.

Where a mark is hidden, words of copying may be in any of its disguises too, in any language:
entities and tags, letters turned round, styled, of other scripts, with odd accents, or set apart.
What comes out is read with the vocabulary. Of other listings only titles are read so closely, and
word by word (`disguised.py`): this would cost each of them some hundred microseconds.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from agents.monitoring.confusables import load_table
from agents.monitoring.folding import folded_reading
from agents.monitoring.marks.boundaries import BOUNDLESS, OF_MARKETPLACES, script_of
from agents.monitoring.marks.characters import DOTS, MARK, strays
from agents.monitoring.marks.decoding import decode
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
AROUND: Final = 120
"""Characters on either side of what is undone that are read with it: a tag has less than twice as
many, and a negation stands nearer."""
ACCENTS: Final = 2
"""Letters of a word with odd accents, at least, for it to be read without."""

_OVERRIDE: Final = "\u202e"
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


_SIGNS: Final = "<>&|\\{}"
_DRAWN: Final = re.compile(r"[\[(/-](?:(?<=\[)[-_|\]]|(?<=\()\)|(?<=/)-|(?<=-)/)")
"""What markup, and letters drawn with signs, have in them."""
_DISGUISES: Final = frozenset(("accent", "compatibility", "small_capital", "script"))
_ODD, _STRAY = "odd", "stray"
OF_VIETNAMESE: Final = 12
"""Different letters that only Vietnamese has, in a text of that language."""
_VIETNAMESE: Final = frozenset([*map(chr, range(0x1EA0, 0x1EFA)), *"ăĂđĐĩĨũŨơƠưƯ"])
_EVERYDAY: Final = frozenset("áéíóúñüçãõâêôàèìòùäöÁÉÍÓÚÑÜÇÃÕÂÊÔÀÈÌÒÙÄÖ×²³½ªº")
"""Letters and signs of that kind that stand in every other text."""


@dataclass(frozen=True, slots=True)
class Undressed:
    """A text as it shows, a cell a character."""

    text: str
    cells: tuple[Cell, ...]
    closed: bool = False
    """Whether what stood between letters was left out."""

    @classmethod
    def of(cls, cells: Sequence[Cell], *, closed: bool = False) -> Undressed:
        """Return the text of these cells."""
        return cls("".join([cell.read for cell in cells]), tuple(cells), closed)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original that reads as `text[start:end]`, which is not empty."""
        cells = self.cells[start:end]
        return min(cell.start for cell in cells), max(cell.end for cell in cells)

    def folds(self, start: int, end: int) -> tuple[str, ...]:
        """Return the folds that `text[start:end]` takes, sorted."""
        folds = Counter(cell.fold for cell in self.cells[start:end])
        if folds[ACCENT] < ACCENTS:
            del folds[ACCENT]
        if self.closed and self._has_gap(start, end):
            folds[SPACED] += 1
        return tuple(sorted(folds.keys() - {""}))

    def _has_gap(self, start: int, end: int) -> bool:
        pairs = itertools.pairwise(self.cells[start:end])
        return any(one.end < other.start for one, other in pairs)


def undressed(original: str) -> tuple[Undressed, ...]:
    """Return the ways in which a text shows that its folded reading does not have.

    With its accents, and without them where it has some; each part of the text in which there is
    something to undo by itself.
    """
    return tuple(
        way for start, end in _parts(original) for way in _ways(original[start:end], start)
    )


def _ways(text: str, offset: int) -> Iterator[Undressed]:
    plain = folded_reading(text)
    cells = _together(_of_one_script(_cells(text, offset)))
    yield from (way for way in (Undressed.of(cells),) if way.text != plain)
    bare = [_without_accent(cell) for cell in cells]
    if bare != cells:
        yield from (way for way in (Undressed.of(bare),) if way.text != plain)
    closed = _closed_up(cells)
    if len(closed) < len(cells):
        yield Undressed.of(closed, closed=True)


def _parts(text: str) -> list[tuple[int, int]]:
    """Return the parts of a text that have anything that is undone here, with what is around.

    Most texts have none, and of a long one a tenth: 30 µs and 200 against a millisecond.
    """
    hits = [(place, place + 1) for place in _odd_places(text)]
    patterns = [_DRAWN, _APART]
    if not text.isascii():
        patterns += [_WITHIN, _BETWEEN_IDEOGRAPHS]
    hits += [hit.span() for pattern in patterns for hit in pattern.finditer(text)]
    if not hits:
        return []
    if _OVERRIDE in text:
        return [(0, len(text))]
    parts: list[tuple[int, int]] = []
    for first, last in sorted(hits):
        start, end = max(0, first - AROUND), last + AROUND
        start = text.rfind(" ", 0, start) + 1
        end = text.find(" ", end)
        end = len(text) if end < 0 else end
        if parts and start <= parts[-1][1] + AROUND:
            parts[-1] = (parts[-1][0], max(end, parts[-1][1]))
        else:
            parts.append((start, end))
    return parts


def _odd_places(text: str) -> Iterator[int]:
    """Yield where markup may begin, and what is no letter or sign that languages have.

    Found by the few different characters that a text has: 15 ns a character, by a pattern 150.
    """
    characters = set(text)
    vietnamese = len(characters & _VIETNAMESE) >= OF_VIETNAMESE
    for character in characters:
        oddness = _oddness(character)
        if not oddness or (vietnamese and character in _VIETNAMESE):
            continue
        place = text.find(character)
        while place >= 0:
            before = text[place - 1 : place]
            if oddness is _ODD or (before.isascii() and before.isalnum()):
                yield place
            place = text.find(character, place + 1)


@cache
def _oddness(character: str) -> str:
    """Return whether a character is odd wherever it stands, or behind a letter of ASCII only."""
    table, code = load_table(), ord(character)
    if character.isascii():
        return _ODD if character in _SIGNS else ""
    if code in table.invisible or code in DOTS:
        return _ODD
    if table.kind.get(code) in _DISGUISES and character not in _EVERYDAY:
        return _ODD
    return _STRAY if strays()[code] & MARK else ""


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


def _cells(original: str, offset: int) -> list[Cell]:
    """Return the characters of a text that show, as they read, their places moved by `offset`."""
    decoded = decode(original, turned=True, half=True)
    places = range(len(decoded.read)) if decoded.origin is None else decoded.origin.tolist()
    drawn, text = decoded.drawn, decoded.read
    cells: list[Cell] = []
    place = last = 0
    broken = ""
    while place < len(text):
        character = text[place]
        if place in drawn:
            behind, reading = drawn[place]
            own = places[place:behind]
            start, end = min(own) + offset, max(own) + 1 + offset
            fold = DRAWING
            if character in "<&":
                fold = broken = MARKUP
                if not reading and without_tags(unescaped(text[place:behind])) == "\n":
                    reading = " "
            place = behind
            if not reading:
                continue
            read, styled = _reading(reading)
        else:
            start = places[place] + offset
            end, fold = start + 1, ""
            read, styled = _reading(character)
            place += 1
        if read == _NOTHING:
            broken = broken or ZERO_WIDTH
            continue
        fold = BACKWARDS if start < last else fold or styled or broken
        cells += [Cell(c, start, end, fold) for c in read]
        if read:
            last = start
        broken = ""
    return cells


_NOTHING: Final = "\0"


@cache
def _reading(character: str) -> tuple[str, str]:
    """Return what a character reads as by itself, and the fold; `_NOTHING` where it shows none."""
    table, code = load_table(), ord(character)
    if code in table.invisible:
        return _NOTHING, ""
    if code in DOTS:
        return "·", ""
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
        if match[0].isascii():
            continue
        scripts = {script_of(c) for c in set(match[0]) if c.isalpha()}
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


_WITHIN: Final = re.compile(r"(?<=[\u0e00-\u0e7f])[^\w\u0e00-\u0e7f]{1,4}(?=[\u0e00-\u0e7f])")
"""What may stand within a word of Thai, which sets no spaces between words."""
_BETWEEN_IDEOGRAPHS: Final = re.compile(
    r"(?<=[\u3400-\u9fff])[^\w\n()\[\]{}（）【】/,.;:!?，。、；：！？]{1,4}(?=[\u3400-\u9fff])"
)
"""The same of ideographs: lists and sentences keep words apart."""


def _closed_up(cells: list[Cell]) -> list[Cell]:
    """Return the cells without what breaks up words of scripts without spaces: 'งานมิ ลเลอร์'."""
    text = "".join([cell.read for cell in cells])
    found: list[Cell] = []
    behind = 0
    for start, end in sorted(
        hit.span() for pattern in (_WITHIN, _BETWEEN_IDEOGRAPHS) for hit in pattern.finditer(text)
    ):
        found += cells[behind:start]
        behind = end
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
