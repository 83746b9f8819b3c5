"""Which of the sightings that overlap stand: the longest, and the surest of one mark."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from agents.monitoring.marks.disguise import Sighting
from agents.monitoring.marks.gaps import Strength


class Placed(NamedTuple):
    """A sighting, with its span of the original text."""

    sighting: Sighting
    start: int
    end: int


_SURENESS: Final[dict[Strength, int]] = {"plain": 2, "hidden": 1, "weak": 0}


def surer(one: Sighting, other: Sighting) -> bool:
    """Return whether one is surer than the other, or as sure with fewer folds."""
    return (_SURENESS[one.strength], -len(one.folds)) > (
        _SURENESS[other.strength],
        -len(other.folds),
    )


def longest(found: Iterable[Placed], order: Callable[[int], Any]) -> list[Placed]:
    """Drop what lies within a longer match, or overlaps a surer one of the same mark; in order.

    `order` says of two marks in one place which comes first.
    """
    found = sorted(found, key=lambda item: (item.start, item.end, order(item.sighting.mark)))
    starts = [item.start for item in found]
    widest = max((item.end - item.start for item in found), default=0)
    # Only what begins no further off than the widest can overlap: of 3,000 matches a few.
    return [
        item
        for item in found
        if not any(
            _outdoes(other, item)
            for other in found[
                bisect_left(starts, item.start - widest) : bisect_left(starts, item.end)
            ]
        )
    ]


def _outdoes(other: Placed, item: Placed) -> bool:
    """Return whether a match that overlaps another stands instead of it."""
    if other is item or other.start >= item.end or item.start >= other.end:
        return False
    sighting, rival = item.sighting, other.sighting
    if rival.mark == sighting.mark:
        if surer(rival, sighting):
            return True
        if surer(sighting, rival):
            return False
    if not (other.start <= item.start and item.end <= other.end):
        return False
    if rival.mark != sighting.mark and rival.strength == "plain" != sighting.strength:
        return True  # what is one mark written plainly is no other in disguise
    return (
        other.end - other.start > item.end - item.start
        and _SURENESS[rival.strength] >= _SURENESS[sighting.strength]
    )
