"""A place in a text, shown in a terminal: the line around it, and carets under it."""

from __future__ import annotations

import unicodedata
from typing import Final

LINE: Final = 100
"""Characters of a line that are shown around the place."""


def pointed_at(line: str, start: int, width: int) -> tuple[str, str]:
    """Return a line as it can be printed, and the carets under `width` code points from `start`.

    Of a long line the part around the place is returned.
    """
    first = max(0, start - LINE // 2) if len(line) > LINE else 0
    shown = "".join(map(printable, line[first : first + LINE]))
    place = start - first
    marked = shown[place : place + width] or " "
    return shown, " " * _cells(shown[:place]) + "^" * _cells(marked)


def printable(character: str) -> str:
    """Return what stands for a character: itself, or a dot where it can't be seen."""
    if character == "\t":
        return " "
    return character if character.isprintable() else "·"


def _cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
