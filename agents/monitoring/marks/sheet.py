"""The texts of many listings as one, so that they are folded and scanned at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from agents.monitoring.marks.characters import BOUNDARY, Ints
from agents.monitoring.marks.decoding import decode

MOST_CHARACTERS: Final = 40_000
"""Characters of a listing that are read; nobody reads on."""


class Sheet:
    """The texts of listings, joined: a boundary before each."""

    def __init__(self, text: str, counts: Sequence[int], numbers: Sequence[int] = ()) -> None:
        """Take the joined texts, and how many each listing has: one at least.

        Boundaries stand nowhere else.
        """
        self.text = text
        self.counts = counts
        self.numbers = numbers
        """Numbers of the listings in the sheet they were taken from."""
        self.decoded = decode(text)
        codes = self.decoded.codes
        boundaries = np.flatnonzero(codes == ord(BOUNDARY))
        if self.decoded.origin is not None:
            boundaries = self.decoded.origin[boundaries]
        firsts = np.zeros(len(counts), np.intp)
        np.cumsum(counts[:-1], out=firsts[1:])
        self.start_places: Ints = boundaries[firsts]
        """Where in the text each listing begins, with its boundary."""
        self._boundaries = boundaries

    @cached_property
    def starts(self) -> list[int]:
        """The same as a list."""
        starts: list[int] = self.start_places.tolist()
        return starts

    def listings(self, *places: Ints) -> list[int]:
        """Return which listings hold some places of the decoded text, in order."""
        every = np.concatenate(places)
        if self.decoded.origin is not None:
            every = self.decoded.origin[every]
        numbers: list[int] = np.unique(
            np.searchsorted(self.start_places, every, side="right") - 1
        ).tolist()
        return numbers

    def by_listing(self, places: Ints) -> dict[int, list[int]]:
        """Return places of the decoded text by listing, each as an index of the listing's text."""
        if self.decoded.origin is not None:
            places = self.decoded.origin[places]
        numbers = np.searchsorted(self.start_places, places, side="right") - 1
        found: dict[int, list[int]] = {}
        local = places - self.start_places[numbers]
        for number, place in zip(numbers.tolist(), local.tolist(), strict=True):
            found.setdefault(number, []).append(place)
        return found

    def listing(self, number: int) -> str:
        """Return the texts of one listing, a boundary before each."""
        starts = self.starts
        end = starts[number + 1] if number + 1 < len(starts) else len(self.text)
        return self.text[starts[number] : end]

    def part(self, numbers: Sequence[int]) -> Sheet | None:
        """Return a sheet of some of the listings; None of none."""
        if not numbers:
            return None
        text = "".join(self.listing(number) for number in numbers)
        return Sheet(text, [self.counts[number] for number in numbers], numbers)

    def text_at(self, place: int) -> tuple[int, int]:
        """Return where the text that holds a place begins and ends, boundaries apart."""
        number = int(np.searchsorted(self._boundaries, place, side="right"))
        start = int(self._boundaries[number - 1]) + 1
        last = number == len(self._boundaries)
        return start, len(self.text) if last else int(self._boundaries[number])


def first_texts(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a listing as far as they are read: its first `MOST_CHARACTERS`."""
    if sum(map(len, fields.values())) <= MOST_CHARACTERS:
        return dict(fields)
    left = MOST_CHARACTERS
    kept: dict[str, str] = {}
    for name, text in fields.items():
        kept[name] = text[:left]
        left -= len(kept[name])
        if left <= 0:
            break
    return kept
