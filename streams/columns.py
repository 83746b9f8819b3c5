"""Records as columns: where the parts of each lie in one piece of memory.

Of most records of a batch nothing is looked at but the value. An object for each, with key, headers
and what else it has, costs more than all that is done with most of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self, overload

import numpy as np
import numpy.typing as npt

from streams.batches import Record

Columns = npt.NDArray[np.int64]
"""A row for each of these, a column for each record; the order is that of `stored_batches.c`."""
OFFSET, TIME, KEY, KEY_SIZE, VALUE, VALUE_SIZE, HEADERS = range(7)
ROWS: Final = 7
_STARTS: Final = [KEY, VALUE, HEADERS]


@dataclass(frozen=True, slots=True)
class ColumnRecord:
    """One record, for whoever asks for it; its headers are read when they are asked for."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    _data: bytes
    _headers: int

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Names and values; a value that is null reads as empty."""
        count, at = _number(self._data, self._headers)
        found = []
        for _ in range(count):
            size, at = _number(self._data, at)
            name, at = self._data[at : at + size], at + size
            size, at = _number(self._data, at)
            size = max(size, 0)
            found.append((name.decode(), self._data[at : at + size]))
            at += size
        return found


@dataclass(frozen=True, eq=False)
class ColumnRecords(Sequence[Record]):
    """Records of one partition in offset order."""

    data: bytes
    columns: Columns

    @classmethod
    def none(cls) -> Self:
        """Return no records."""
        return cls(b"", np.empty((ROWS, 0), np.int64))

    @classmethod
    def joined(cls, parts: Sequence[ColumnRecords]) -> ColumnRecords:
        """Return the records of several, one after the other."""
        if len(parts) == 1:
            return parts[0]
        pieces = [(part.data, 0, part.columns) for part in parts]
        return cls.of_pieces(pieces)

    @classmethod
    def of_pieces(cls, pieces: Sequence[tuple[bytes, int, Columns]]) -> Self:
        """Return the records that lie in pieces of memory.

        Each piece is some bytes, where they begin in what the columns count from, and the columns.
        """
        if not pieces:
            return cls.none()
        columns = np.concatenate([piece for _, _, piece in pieces], axis=1)
        first = start = 0
        for data, begins, piece in pieces:
            columns[_STARTS, first : first + piece.shape[1]] += start - begins
            first += piece.shape[1]
            start += len(data)
        return cls(b"".join(data for data, _, _ in pieces), columns)

    def __len__(self) -> int:
        return int(self.columns.shape[1])

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> ColumnRecords: ...
    def __getitem__(self, index: int | slice) -> Record | ColumnRecords:
        if isinstance(index, slice):
            return ColumnRecords(self.data, self.columns[:, index])
        return self._record(self.columns[:, index].tolist())

    def __iter__(self) -> Iterator[Record]:
        return map(self._record, self.columns.T.tolist())

    def _record(self, column: list[int]) -> Record:
        offset, time, key, key_size, value, size, headers = column
        data = self.data
        return ColumnRecord(
            offset,
            time,
            None if key_size < 0 else data[key : key + key_size],
            None if size < 0 else data[value : value + size],
            data,
            headers,
        )

    @cached_property
    def values(self) -> list[bytes | None]:
        """The values of all records."""
        data = self.data
        spans = zip(*self.columns[[VALUE, VALUE_SIZE]].tolist(), strict=True)
        return [None if size < 0 else data[start : start + size] for start, size in spans]


def values_of(records: Sequence[Record]) -> Sequence[bytes | None]:
    """Return the values of records, without an object for each where they have columns."""
    if isinstance(records, ColumnRecords):
        return records.values
    return [record.value for record in records]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that stands there, in zigzag and seven bits a byte, and where it ends."""
    bits = shift = 0
    while True:
        byte = data[at]
        at += 1
        bits |= (byte & 127) << shift
        if byte < 128:
            return (bits >> 1) ^ -(bits & 1), at
        shift += 7
