"""Inputs that are nearly right: valid ones, altered a little, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

LARGEST: Final = 16_384
"""Bytes of an input: what is wrong shows in small ones, and many are tried."""
_ODD: Final = (
    *(bytes([n]) for n in (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)),
    # Numbers as Avro and Kafka write them: of ten bytes, of more, the largest, the smallest.
    *(b"\xff" * 9 + b"\x01", b"\xfe" + b"\xff" * 8 + b"\x01", b"\x80" * 10 + b"\x01", b"\xff" * 12),
    *(b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\xff\xff\xff\xff", b"\x00" * 8, b"\xc0\x80"),
    *("\ud800".encode("utf-8", "surrogatepass"), "\ufeff\u202e\u0000".encode(), b"\r\n", b"\n"),
)


class Mutator:
    """Draws inputs out of valid ones; the same seed draws the same."""

    def __init__(self, seeds: Sequence[bytes], words: Sequence[bytes], seed: int | str) -> None:
        """`words` are what stands in the language of the inputs, to be put in anywhere."""
        self._random = random.Random(seed)
        self._seeds = list(seeds)
        self._words = [*words, *_ODD]
        self._ways: tuple[Callable[[bytearray], None], ...] = (
            self._flip, self._set, self._set, self._insert, self._insert, self._delete,
            self._repeat, self._splice, self._swap, self._cut,
        )  # fmt: skip

    def next(self) -> bytes:
        """Return an input: one in a hundred is valid, most are altered in a few places."""
        data = bytearray(self._random.choice(self._seeds))
        if self._random.random() > 0.01:
            for _ in range(1 + int(self._random.expovariate(0.5))):
                self._random.choice(self._ways)(data)
        return bytes(data[:LARGEST])

    def _at(self, data: bytearray) -> int:
        return self._random.randrange(len(data) + 1)

    def _span(self, data: bytearray) -> tuple[int, int]:
        start = self._at(data)
        return start, start + int(self._random.expovariate(0.1))

    def _flip(self, data: bytearray) -> None:
        if data:
            data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)

    def _set(self, data: bytearray) -> None:
        start = self._at(data)
        word = self._random.choice(self._words)
        data[start : start + len(word)] = word

    def _insert(self, data: bytearray) -> None:
        start = self._at(data)
        data[start:start] = self._random.choice(self._words)

    def _delete(self, data: bytearray) -> None:
        start, end = self._span(data)
        del data[start:end]

    def _repeat(self, data: bytearray) -> None:
        start, end = self._span(data)
        data[start:start] = data[start:end] * self._random.choice((1, 1, 2, 10, 200))

    def _splice(self, data: bytearray) -> None:
        other = self._random.choice(self._seeds)
        start, end = self._span(bytearray(other))
        here, there = self._span(data)
        data[here:there] = other[start:end]

    def _swap(self, data: bytearray) -> None:
        start, end = self._span(data)
        here, there = self._span(data)
        data[here:there] = data[start:end]

    def _cut(self, data: bytearray) -> None:
        del data[self._at(data) :]
