"""Marks, compiled to flat arrays: made in memory, or used from a file as they lie there."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agents.monitoring.marks.patterns import SHORT, U32, Patterns
from agents.monitoring.marks.skeleton import BEGINS
from agents.monitoring.marks.spellings import Spelling, packed, spellings_of, unpacked
from agents.monitoring.marks.struck import StruckMarks
from streams.aside import giving_way
from streams.packed import Flat, PackedBytes, PackedTexts

PART: Final = 20_000
"""Marks that a process does at a time."""
MOST_KEPT: Final = 20_000
"""Patterns whose spellings are kept at hand: all of a thousand marks, the latest of more."""


@dataclass(frozen=True)
class MarkIndex:
    """Marks, each known by its number, with the patterns of all their spellings. Immutable."""

    marks: PackedTexts
    """As they are written."""
    patterns: Patterns
    struck: StruckMarks
    _spellings: PackedBytes = field(repr=False)
    """All spellings, those of a pattern one after the other."""
    _firsts: U32 = field(repr=False)
    """By pattern, the number of its first spelling; one more for the end."""
    _kept: dict[int, tuple[Spelling, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, marks: Sequence[str], *, shortest_struck: int = 0, processes: int = 1) -> MarkIndex:
        """Compile marks: 60 µs each, shared by `processes`.

        With fewer characters than `shortest_struck` none is read with letters struck out.
        """
        texts = PackedTexts.of(marks)
        # One after the other, each letting go of what the next does not need: of a million marks
        # each takes a gigabyte while it is made.
        struck = StruckMarks.of(texts, shortest_struck)
        spelled = _spelled_by(processes, texts) if processes > 1 else _spelled(0, texts)
        letters, letters_at, signed, data, data_at = spelled
        del spelled
        patterns, pattern_of = Patterns.of(letters, letters_at, signed)
        del letters, letters_at, signed
        order = np.argsort(pattern_of, kind="stable")
        firsts = np.searchsorted(pattern_of[order], np.arange(patterns.count + 1))
        spellings = PackedBytes(np.frombuffer(data, np.uint8), data_at).ordered(order)
        return cls(texts, patterns, struck, spellings, firsts.astype(np.uint32))

    @classmethod
    def over(cls, arrays: Flat) -> MarkIndex:
        """Return the index that `arrays` of another one are of."""
        marks = PackedTexts(PackedBytes.over(arrays, "marks"))
        return cls(
            marks,
            Patterns.over({name: arrays[f"pattern_{name}"] for name in Patterns.ARRAYS}),
            StruckMarks.over(arrays, marks),
            PackedBytes.over(arrays, "spellings"),
            arrays["spellings_of"],
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by which the index is had again."""
        return {
            **self.marks.packed.arrays("marks"),
            **{f"pattern_{name}": each for name, each in self.patterns.arrays.items()},
            **self.struck.arrays(),
            **self._spellings.arrays("spellings"),
            "spellings_of": self._firsts,
        }

    def spellings(self, pattern: int, first_mark: int) -> tuple[Spelling, ...]:
        """Return the spellings of a pattern, in the order of their marks.

        `first_mark` is added to the numbers of these; it is the same in all calls.
        """
        found = self._kept.get(pattern)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            numbers = range(int(self._firsts[pattern]), int(self._firsts[pattern + 1]))
            found = tuple(unpacked(self._spellings[number], first_mark) for number in numbers)
            self._kept[pattern] = found
        return found


class _Spelled(NamedTuple):
    """What is looked for of some marks: letters, and the spelling that may stand there."""

    letters: bytes | bytearray
    letters_at: U32
    signed: bytes | bytearray
    packed: bytes | bytearray
    packed_at: npt.NDArray[np.uint64]


def _spelled(first: int, marks: Sequence[str]) -> _Spelled:
    """Return what is looked for of marks, the first of which has this number."""
    letters, letters_at = bytearray(), array("I", [0])
    packed_, packed_at = bytearray(), array("Q", [0])
    signed = bytearray()
    for number, mark in enumerate(giving_way(marks), start=first):
        for pattern, spelling in _looked_for(number, mark):
            letters += pattern
            letters_at.append(len(letters))
            signed.append(bool(spelling.signed))
            packed_ += packed(spelling)
            packed_at.append(len(packed_))
    return _Spelled(
        letters,
        np.frombuffer(letters_at, np.uint32),
        signed,
        packed_,
        np.frombuffer(packed_at, np.uint64),
    )


def _spelled_by(processes: int, marks: Sequence[str]) -> _Spelled:
    """Return the same, a part of the marks done by each of some processes at a time."""
    firsts = range(0, len(marks), PART)
    letters, letters_at, signed, data, data_at = bytearray(), [], bytearray(), bytearray(), []
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(_spelled, firsts, (marks[n : n + PART] for n in firsts)):
            letters_at.append(part.letters_at[:-1] + np.uint32(len(letters)))
            data_at.append(part.packed_at[:-1] + np.uint64(len(data)))
            letters += part.letters
            signed += part.signed
            data += part.packed
    letters_at.append(np.array([len(letters)], np.uint32))
    data_at.append(np.array([len(data)], np.uint64))
    return _Spelled(letters, np.concatenate(letters_at), signed, data, np.concatenate(data_at))


def _looked_for(number: int, mark: str) -> Iterator[tuple[bytes, Spelling]]:
    """Yield what is looked for of a mark, and the spelling that may stand there."""
    for pattern, spelling in spellings_of(number, mark):
        # Scripts without spaces have no words to look between, and letters enough to be rare.
        if len(pattern) > SHORT or max(pattern) >= 0x80:
            yield pattern, spelling
            continue
        for begun in _as_words(pattern, spelling):
            yield begun, spelling


def _as_words(pattern: bytes, spelling: Spelling) -> set[bytes]:
    """Return the ways the letters of a short mark may begin words: the first, all, or its own.

    Any, where some are one letter for several: 'f*ila' has an f and a run.
    """
    letters = range(len(pattern))
    ways = [{0}, set(letters), {0, *spelling.word_starts}]
    if spelling.length >= SHORT:
        ways += ({0, cut} for cut in letters)
    return {
        bytes(byte ^ BEGINS if at in starts else byte for at, byte in enumerate(pattern))
        for starts in ways
    }
