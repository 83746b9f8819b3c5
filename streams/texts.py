"""The texts of many records, where they lie in one piece of memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Texts:
    """UTF-8 texts, those of a record one after the other."""

    data: bytes
    starts: Ints
    lengths: Ints
    """Bytes of each text."""
    counts: Ints
    """Texts of each record."""

    @classmethod
    def of(cls, records: Sequence[Sequence[bytes]]) -> Texts:
        """Return the texts of records that are given one by one."""
        texts = [text for each in records for text in each]
        lengths = np.array([len(text) for text in texts], np.int64)
        counts = np.array([len(each) for each in records], np.int64)
        return cls(b"".join(texts), np.cumsum(lengths) - lengths, lengths, counts)

    def __len__(self) -> int:
        return len(self.counts)

    @cached_property
    def firsts(self) -> Ints:
        """The number of each record's first text."""
        found: Ints = np.cumsum(self.counts) - self.counts
        return found

    @cached_property
    def record_of(self) -> npt.NDArray[np.intp]:
        """The number of each text's record."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def sizes(self) -> Ints:
        """Bytes of the texts of each record together."""
        ends = np.concatenate(([0], np.cumsum(self.lengths)))
        found: Ints = ends[self.firsts + self.counts] - ends[self.firsts]
        return found

    def text(self, number: int) -> bytes:
        """Return a text by its number among all."""
        start = int(self.starts[number])
        return self.data[start : start + int(self.lengths[number])]

    def of_record(self, record: int) -> list[bytes]:
        """Return the texts of a record."""
        first = self.firsts[record]
        texts = slice(first, first + self.counts[record])
        spans = zip(self.starts[texts].tolist(), self.lengths[texts].tolist(), strict=True)
        return [self.data[start : start + length] for start, length in spans]

    def only(self, records: Ints) -> Texts:
        """Return the texts of some of the records, ascending."""
        if len(records) == len(self.counts):
            return self
        kept = np.zeros(len(self.counts), np.bool_)
        kept[records] = True
        texts = kept[self.record_of]
        return Texts(self.data, self.starts[texts], self.lengths[texts], self.counts[kept])
