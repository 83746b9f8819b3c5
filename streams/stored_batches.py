"""Batches of records as the broker stores and sends them, read into columns.

The layout is that of Kafka's message format 2 (KIP-98); one call of `stored_batches.c` reads a
batch. Batches of the formats before are left to aiokafka.
"""

from __future__ import annotations

import ctypes
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from aiokafka import codec
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.util import calc_crc32c

from streams.columns import HEADERS, KEY, KEY_SIZE, OFFSET, ROWS, TIME, VALUE, VALUE_SIZE, Columns
from streams.native import address, load

_LOG_OVERHEAD: Final = 12
"""Bytes of offset and length, which every format begins with."""
_MAGIC: Final = 16
"""Where the number of the format stands."""
_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
"""Base offset, length, leader epoch, format, checksum, attributes, last offset delta, first and
largest time, producer's id and epoch, sequence, count of records (Kafka's message format 2)."""
_CHECKED: Final = struct.calcsize(">qiibI")
"""Where the checksum begins to count."""
_LEAST_RECORD: Final = 7
"""Bytes of the smallest record."""
_CODEC, _APPEND_TIME, _TRANSACTIONAL, _CONTROL = 7, 8, 16, 32
_DECODERS: Final = {
    1: codec.gzip_decode, 2: codec.snappy_decode, 3: codec.lz4_decode, 4: codec.zstd_decode,
}  # fmt: skip


class FetchedBytes:
    """The batches that an answer has of a partition, the last of which may be cut off."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def size_in_bytes(self) -> int:
        """Return how many bytes the answer has."""
        return len(self._data)

    def _end(self) -> int:
        """Return where the next batch ends; 0 when there is no whole one."""
        if len(self._data) - self._at < _LOG_OVERHEAD:
            return 0
        (length,) = struct.unpack_from(">i", self._data, self._at + 8)
        end = self._at + _LOG_OVERHEAD + int(length)
        if end <= self._at + _MAGIC:
            raise CorruptRecordException(f"a batch of {length} bytes")
        return end if end <= len(self._data) else 0

    def has_next(self) -> bool:
        """Return whether there is another whole batch."""
        return self._end() > 0

    def next_batch(self) -> StoredBatch | LegacyBatch | None:
        """Return the next batch; None when there is no whole one."""
        start, end = self._at, self._end()
        if not end:
            return None
        self._at = end
        if self._data[start + _MAGIC] < 2:
            return LegacyBatch(self._data[start:end], self._data[start + _MAGIC])
        if end - start < _HEADER.size:
            raise CorruptRecordException(f"a batch of {end - start} bytes")
        return StoredBatch(self._data, start, end, *_HEADER.unpack_from(self._data, start))


@dataclass(frozen=True, slots=True)
class Piece:
    """Records that lie between two places of some bytes."""

    data: bytes
    start: int
    end: int
    columns: Columns

    def __len__(self) -> int:
        return int(self.columns.shape[1])

    def split(self, most: int) -> tuple[Piece, Piece | None]:
        """Return the first records, and the others if there are more."""
        if most >= len(self):
            return self, None
        # A record's key follows a few numbers; what is cut too early or too late has no use.
        middle = int(self.columns[KEY, most])
        return (
            Piece(self.data, self.start, middle, self.columns[:, :most]),
            Piece(self.data, middle, self.end, self.columns[:, most:]),
        )

    def cut_out(self) -> tuple[bytes, int, Columns]:
        """Return what `ColumnRecords.of_pieces` takes."""
        return self.data[self.start : self.end], self.start, self.columns


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch as the broker stores it, in message format 2."""

    data: bytes
    start: int
    end: int
    base_offset: int
    length: int
    epoch: int
    magic: int
    checksum: int
    attributes: int
    last_offset_delta: int
    first_time: int
    largest_time: int
    producer_id: int | None
    producer_epoch: int
    sequence: int
    count: int

    @property
    def next_offset(self) -> int:
        """The offset behind its last one, which may hold no record any more."""
        return self.base_offset + self.last_offset_delta + 1

    @property
    def is_transactional(self) -> bool:
        """Whether it is part of a transaction."""
        return bool(self.attributes & _TRANSACTIONAL)

    @property
    def is_control_batch(self) -> bool:
        """Whether it is a mark of the broker's, and no record of anybody."""
        return bool(self.attributes & _CONTROL)

    def validate_crc(self) -> bool:
        """Return whether its bytes are those that were sent."""
        return bool(calc_crc32c(self.data[self.start + _CHECKED : self.end]) == self.checksum)

    def piece(self) -> Piece:
        """Return its records. Raises CorruptRecordException."""
        data, start, end = self._unpacked()
        if not 0 <= self.count <= (end - start) // _LEAST_RECORD:
            raise CorruptRecordException(f"{self.count} records in {end - start} bytes")
        columns = np.empty((ROWS, self.count), np.int64)
        append_time = self.largest_time if self.attributes & _APPEND_TIME else -1
        if not library().assayer_read_records(
            data, start, end, self.count, self.base_offset, self.first_time, append_time,
            address(columns),
        ):  # fmt: skip
            raise CorruptRecordException(f"broken records at offset {self.base_offset}")
        return Piece(data, start, end, columns)

    def _unpacked(self) -> tuple[bytes, int, int]:
        """Return the bytes with the records, and where these begin and end."""
        start = self.start + _HEADER.size
        kind = self.attributes & _CODEC
        if not kind:
            return self.data, start, self.end
        if kind not in _DECODERS:
            raise UnsupportedCodecError(f"unknown compression {kind}")
        data = bytes(_DECODERS[kind](self.data[start : self.end]))
        return data, 0, len(data)


class LegacyBatch:
    """A batch of the formats before: aiokafka reads it, record by record."""

    producer_id = None
    is_transactional = is_control_batch = False

    def __init__(self, data: bytes, magic: int) -> None:
        try:
            self._batch: Any = LegacyRecordBatch(data, magic)
        except Exception as error:  # noqa: BLE001 - whatever aiokafka's reading stumbled over
            raise CorruptRecordException(f"a broken batch of format {magic}: {error}") from None

    @property
    def next_offset(self) -> int:
        """The offset behind its last one."""
        return int(self._batch.next_offset)

    def validate_crc(self) -> bool:
        """Return whether its bytes are those that were sent."""
        return bool(self._batch.validate_crc())

    def piece(self) -> Piece:
        """Return its records, which have no headers."""
        records = list(self._batch)
        columns = np.zeros((ROWS, len(records)), np.int64)
        data = bytearray(1)  # a zero for all of them: that many headers
        for number, record in enumerate(records):
            columns[[OFFSET, TIME], number] = record.offset, record.timestamp or -1
            parts = ((KEY, KEY_SIZE, record.key), (VALUE, VALUE_SIZE, record.value))
            for start, size, part in parts:
                columns[[start, size], number] = len(data), -1 if part is None else len(part)
                data += part or b""
        columns[HEADERS] = 0
        return Piece(bytes(data), 0, len(data), columns)


@cache
def library() -> ctypes.CDLL:
    """Return what `fetched.c` was built into. Raises RuntimeError where it was not."""
    library = load(Path(__file__).with_suffix(".c"))
    number = ctypes.c_int64
    library.assayer_read_records.argtypes = (
        ctypes.c_char_p, number, number, number, number, number, number, ctypes.c_void_p,
    )  # fmt: skip
    library.assayer_read_records.restype = ctypes.c_int
    return library
