"""Batches of records as a broker stores them, in Kafka's message format 2."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from hypothesis import strategies as st

TRANSACTIONAL, CONTROL = 16, 32
COMPRESSIONS = range(5)
"""None, gzip, snappy, lz4, zstd."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A record as its producer sent it; `delta` is its offset within the batch."""

    delta: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch, of which compaction may have left any records, or none."""

    records: Sequence[Sent]
    base_offset: int = 0
    behind: int = 0
    """Offsets at its end that hold no record any more."""
    compression: int = 0
    attributes: int = 0
    producer_id: int = -1

    @property
    def next_offset(self) -> int:
        """The offset behind it."""
        return self.base_offset + (self.records[-1].delta + 1 if self.records else 1) + self.behind

    def stored(self) -> bytes:
        """Return its bytes."""
        builder = DefaultRecordBatchBuilder(
            2, self.compression, 0, self.producer_id, 0, 0, batch_size=2**24
        )
        for each in self.records:
            builder.append(
                each.delta, each.timestamp, each.key, each.value, headers=list(each.headers)
            )
        data = bytearray(builder.build())
        data[:8] = self.base_offset.to_bytes(8, "big")
        (attributes,) = struct.unpack_from(">h", data, 21)
        struct.pack_into(">h", data, 21, attributes | self.attributes)
        struct.pack_into(">i", data, 23, self.next_offset - self.base_offset - 1)
        struct.pack_into(">I", data, 17, calc_crc32c(bytes(data[21:])))
        return bytes(data)


def control(base_offset: int, producer_id: int, *, commit: bool) -> Batch:
    """Return the mark by which the broker ends a transaction."""
    mark = Sent(0, 1, struct.pack(">HH", 0, int(commit)), b"\0" * 6)
    return Batch([mark], base_offset, attributes=TRANSACTIONAL | CONTROL, producer_id=producer_id)


_BYTES = st.none() | st.binary(max_size=200)
_HEADERS = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=100)), max_size=3)


@st.composite
def batches(draw: st.DrawFn, base_offset: int = 0) -> Batch:
    """Draw a batch with holes."""
    delta = 0
    records = []
    for step in draw(st.lists(st.integers(1, 5), max_size=8)):
        delta += step
        records.append(
            Sent(
                delta - 1,
                draw(st.integers(0, 2**45)),
                draw(_BYTES),
                draw(_BYTES),
                tuple(draw(_HEADERS)),
            )
        )
    return Batch(
        records,
        base_offset,
        draw(st.integers(0, 3)),
        draw(st.sampled_from(COMPRESSIONS)) if records else 0,
    )
