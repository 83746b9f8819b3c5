"""The words of marks with a letter blanked out, in flat arrays: of which word is 'zor?ex' one?

A million marks have eight million such words. Kept are a hash of each, ascending, and the number of
the word it was made of: 12 bytes, where a dictionary takes 150.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from agents.monitoring.marks.characters import Bools, Ints
from streams.aside import give_way
from streams.packed import Flat

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

BLANK: Final = "?"
_ENDS: Final = (0, -1, 1)
"""Places in a word of which one has to hold a letter."""
_NEAR: Final = 5
"""Letters on either side of a sign by which it is known whether a mark may stand there."""
_LAST_LETTER: Final = 0x100
LATIN: Final = np.array([chr(code).isalpha() for code in range(_LAST_LETTER)] + [False])
"""Which code points of Latin-1 are letters."""
_ROWS: Final = 20_000
"""Words that are blanked at once, between two rests."""
_WEIGHT: Final = 0xD6E8FEB86659FD93
_CONTEXT_BY: Final = 0x9E3779B97F4A7C15
_ALL: Final = (1 << 64) - 1
_BITS_EACH: Final = 32
"""Bits for each context: few signs stand by chance where one of them is set."""
_FEWEST_BITS: Final = 10
_MOST_BITS: Final = 28


class Owners:
    """By word, the numbers of the marks that have it."""

    def __init__(self, of_word: U32, starts: U32) -> None:
        """Take the numbers of all words, and where those of each begin; one more for the end."""
        self.of_word = of_word
        self.starts = starts

    @classmethod
    def of(cls, owners: Sequence[Sequence[int]]) -> Owners:
        """Return the owners of words, in the order of these."""
        starts = np.zeros(len(owners) + 1, np.uint32)
        np.cumsum(np.fromiter(map(len, owners), np.int64, len(owners)), out=starts[1:])
        return cls(np.array([number for each in owners for number in each], np.uint32), starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, word: int) -> list[int]:
        found: list[int] = self.of_word[self.starts[word] : self.starts[word + 1]].tolist()
        return found


class Contexts:
    """What stands around the letters of words, as bits at hashes."""

    def __init__(self, bits: U64) -> None:
        """Take the bits, a power of two of them."""
        self.bits = bits
        self.count = (64 * len(bits)).bit_length() - 1
        """Bits of a hash that say which one it is."""

    @classmethod
    def of(cls, hashed: U64) -> Contexts:
        """Return those with these hashes."""
        distinct = np.unique(hashed)
        count = min(_MOST_BITS, max(_FEWEST_BITS, (_BITS_EACH * len(distinct)).bit_length()))
        flags = np.zeros(1 << count, np.bool_)
        flags[distinct >> np.uint64(64 - count)] = True
        return cls(np.packbits(flags, bitorder="little").view(np.uint64))

    def hold(self, hashed: U64) -> Bools:
        """Return which of some hashes may be of one."""
        bit = hashed >> np.uint64(64 - self.count)
        word = self.bits[bit >> np.uint64(6)]
        found: Bools = (word >> (bit & np.uint64(63)) & np.uint64(1)) != 0
        return found


class BlankedWords:
    """Words, known by their index, in the order of their length. Immutable."""

    def __init__(self, codes: U32, by_length: Ints, hashes: U64, of_hash: U32) -> None:
        """Take the code points of all words, and of those with a blank the hashes, ascending.

        `by_length` has for each length the first word that is no shorter, with one more at the end;
        `of_hash` says which word each hash is of.
        """
        self._codes = codes
        self._by_length = by_length
        self._hashes = hashes
        self._of_hash = of_hash
        counts = np.diff(by_length)
        self._row_at: list[int] = np.cumsum([0, *counts * np.arange(len(counts))]).tolist()

    @classmethod
    def of(cls, words: Sequence[str]) -> tuple[BlankedWords, U64]:
        """Compile distinct words, ascending by length.

        Return what stands around their letters as well, as `hashes_around` does.
        """
        longest = len(words[-1]) if words else 0
        lengths = np.fromiter(map(len, words), np.intp, len(words))
        by_length = np.searchsorted(lengths, np.arange(longest + 2))
        text = "".join(words).encode("utf-32-le", "surrogatepass")
        found = cls(np.frombuffer(text, np.uint32), by_length, *_none())
        pieces = list(found._blanked())
        if not pieces:
            return found, _none()[0]
        hashes, of_hash, around = map(np.concatenate, zip(*pieces, strict=True))
        give_way()
        order = np.argsort(hashes)
        return cls(found._codes, by_length, hashes[order], of_hash[order]), around

    @classmethod
    def over(cls, arrays: Flat) -> BlankedWords:
        """Return the words that `arrays` of others are of."""
        names = ("words", "words_by_length", "blanked", "blanked_of")
        return cls(*(arrays[name] for name in names))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by which they are had again."""
        return {
            "words": self._codes,
            "words_by_length": self._by_length,
            "blanked": self._hashes,
            "blanked_of": self._of_hash,
        }

    def blanked(self, word: str) -> list[int]:
        """Return the words of which this is one with a blank for a letter."""
        if len(word) > self._longest:
            return []
        wanted = np.uint64(_hash_of(word))
        first = int(np.searchsorted(self._hashes, wanted))
        if first == len(self._hashes) or self._hashes[first] != wanted:
            return []
        found: list[int] = []
        place = word.find(BLANK)
        codes = np.array([ord(c) for c in word], np.uint32)
        rows, number = self._rows(len(word))
        while first < len(self._hashes) and self._hashes[first] == wanted:
            candidate = int(self._of_hash[first])
            first += 1
            if not number <= candidate < number + len(rows):
                continue
            differs = np.flatnonzero(rows[candidate - number] != codes).tolist()
            if differs in ([], [place]) and candidate not in found:
                found.append(candidate)
        return found

    def alike(self, word: str) -> list[int]:
        """Return the words that have the letters of this one, whatever stands where it is blank.

        A letter at one of the places of `_ENDS`, at least, has to be the same.
        """
        known = next((place for place in _ENDS if word[place] != BLANK), None)
        if known is None or (len(word), known, word[known]) not in self._lettered:
            return []
        rows, number = self._rows(len(word))
        left = np.flatnonzero(rows[:, known] == ord(word[known]))
        for place, letter in enumerate(word):
            if not len(left):
                break
            if letter != BLANK and place != known:
                left = left[rows[left, place] == ord(letter)]
        found: list[int] = (left + number).tolist()
        return found

    @cached_property
    def _lettered(self) -> frozenset[tuple[int, int, str]]:
        """The letters at the ends of words of each length, by place."""
        return frozenset(
            (length, place, chr(code))
            for length in range(2, self._longest + 1)
            for place in _ENDS
            for code in np.unique(self._rows(length)[0][:, place]).tolist()
        )

    @property
    def _longest(self) -> int:
        return len(self._by_length) - 2

    def _rows(self, length: int) -> tuple[U32, int]:
        """Return the words of a length, a row of code points each, and the number of the first."""
        first, behind = int(self._by_length[length]), int(self._by_length[length + 1])
        start = self._row_at[length]
        rows = self._codes[start : start + (behind - first) * length].reshape(-1, length)
        return rows, first

    def _blanked(self) -> Iterator[tuple[U64, U32, U64]]:
        """Yield the hashes of words with a blank, with the word of each, and what is around it."""
        for length in range(1, self._longest + 1):
            rows, number = self._rows(length)
            for first in range(0, len(rows), _ROWS):
                part = rows[first : first + _ROWS]
                numbers = np.arange(number + first, number + first + len(part), dtype=np.uint32)
                weights = np.array(_weights(length), np.uint64)
                whole = (part * weights).sum(axis=1, dtype=np.uint64)
                for place in range(length):
                    give_way()
                    blanked = np.full((len(part), length + 1), ord(" "), np.int64)
                    blanked[:, :-1] = part
                    blanked[:, place] = ord(BLANK)
                    change = (np.uint64(ord(BLANK)) - part[:, place]) * weights[place]
                    around = hashes_around(
                        blanked.ravel(), np.arange(len(part)) * (length + 1) + place
                    )
                    yield whole + change, numbers, around


def hashes_around(codes: Ints, places: Ints) -> U64:
    """Return a number for the letters of a word, up to five, on either side of each place."""
    last = len(codes) - 1
    hashed = np.zeros(len(places), np.uint64)
    for way in (-1, 1):
        within = np.ones(len(places), np.bool_)
        for distance in range(1, _NEAR + 1):
            near = places + way * distance
            lowered = codes[np.clip(near, 0, last)] | 0x20
            within &= (near >= 0) & (near <= last) & LATIN[np.minimum(lowered, _LAST_LETTER)]
            hashed = hashed * np.uint64(31) + np.where(within, lowered & 0x3F, 0).astype(np.uint64)
    return hashed * np.uint64(_CONTEXT_BY)


def _hash_of(word: str) -> int:
    """Return the hash of a word, as `BlankedWords` has it."""
    pairs = zip(word, _weights(len(word)), strict=True)
    return sum(ord(c) * weight for c, weight in pairs) & _ALL


@lru_cache(maxsize=256)
def _weights(length: int) -> tuple[int, ...]:
    """Return what the code points at each place of a word count in its hash."""
    weights = [_WEIGHT]
    while len(weights) < length:
        weights.append(weights[-1] * _WEIGHT & _ALL)
    return tuple(weights[:length])


def _none() -> tuple[U64, U32]:
    return np.empty(0, np.uint64), np.empty(0, np.uint32)
