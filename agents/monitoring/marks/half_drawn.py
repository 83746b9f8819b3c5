"""Letters that are drawn with another letter: 'l<' for k, '|D' for p."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from agents.monitoring.marks.characters import Bools, half_drawings, half_drawn
from agents.monitoring.marks.markup import ends_in_markup

LATIN_END: Final = 0x250
"""Behind the letters of Latin that languages write with."""


@cache
def half_drawn_letters() -> Bools:
    """Return which code points are letters of drawings that are part letter."""
    found = np.zeros(LATIN_END + 1, np.bool_)
    found[[ord(c) for text in half_drawn() for c in text if c.isalpha()]] = True
    return found


def with_half_drawn(text: str, drawn: dict[int, tuple[int, str]]) -> dict[int, tuple[int, str]]:
    """Return what is drawn, with the drawings that are part letter in place of others."""
    pattern, readings = half_drawings()
    found = {
        hit.start(): (hit.end(), readings[hit[0]])
        for hit in pattern.finditer(text)
        if not ends_in_markup(text, hit.end())
    }
    covered = {place for start, (end, _) in found.items() for place in range(start, end)}
    kept = {
        start: (end, reading)
        for start, (end, reading) in drawn.items()
        if covered.isdisjoint(range(start, end))
    }
    return dict(sorted((kept | found).items()))
