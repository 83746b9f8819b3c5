"""What aiokafka has fetched of partitions, as columns.

aiokafka keeps the positions, the leaders and the assignment, and asks the brokers. What it makes of
an answer is two objects a record and more for its headers, three times as much work as columns
(`python -m tests.benchmarks fetching`), which the garbage collector has to look through as well.
What is left out (control records, transactions taken back) and the position that follows are as in
aiokafka 0.14.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord

from streams.columns import OFFSET, ColumnRecords
from streams.stored_batches import FetchedBytes, LegacyBatch, Piece, StoredBatch, library

_CONTROL_KEY_BYTES: Final = 4
"""A version and a type."""


def read_by_columns() -> None:
    """Have this process's aiokafka consumers give `ColumnRecords` of each partition.

    aiokafka has no setting for it: its fetcher finds these classes by their names. Records one by
    one (`getone`) are not to be had then.
    """
    library()  # where it was not built, that is told now
    fetcher.MemoryRecords = FetchedBytes
    fetcher.PartitionRecords = FetchedPartition
    fetcher.FetchResult = FetchedResult


class FetchedPartition:
    """What was fetched of a partition, read on as far as records are taken.

    Takes the place of aiokafka's `PartitionRecords`, which says what the arguments are.
    """

    def __init__(  # noqa: PLR0917 - as aiokafka calls it
        self,
        tp: Any,
        records: FetchedBytes,
        aborted_transactions: Sequence[tuple[int, int]] | None,
        fetch_offset: int,
        key_deserializer: None,  # noqa: ARG002 - Faust gives none
        value_deserializer: None,  # noqa: ARG002
        check_crcs: bool,
        isolation_level: int,
    ) -> None:
        self._tp = tp
        self._batches = records
        self._aborted = sorted(aborted_transactions or (), key=lambda each: each[1], reverse=True)
        self._aborted_producers: set[int | None] = set()
        self._check = check_crcs
        self._committed_only = isolation_level == fetcher.READ_COMMITTED
        self._left: Piece | None = None
        self._behind = fetch_offset
        self.next_fetch_offset = fetch_offset
        """Where to read on, behind what was taken."""

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left to be taken."""
        return self._left is None and not self._batches.has_next()

    def take(self, most: int) -> ColumnRecords:
        """Return up to `most` of the next records. Raises CorruptRecordException."""
        taken: list[Piece] = []
        for piece in self._pieces():
            first, self._left = piece.split(most)
            most -= len(first)
            taken.append(first)
            self.next_fetch_offset = (
                self._behind if self._left is None else int(first.columns[OFFSET, -1]) + 1
            )
            if not most:
                break
        return ColumnRecords.of_pieces([piece.cut_out() for piece in taken])

    def _pieces(self) -> Iterator[Piece]:
        if self._left is not None:
            yield self._left
        while (batch := self._batches.next_batch()) is not None:
            if self._check and not batch.validate_crc():
                raise CorruptRecordException(f"wrong checksum in {self._tp}")
            self._behind = batch.next_offset
            if not self._left_out(batch):
                piece = batch.piece()
                # A compressed batch is sent whole, whatever offset of it was asked for.
                old = int(np.searchsorted(piece.columns[OFFSET], self.next_fetch_offset))
                if old < len(piece):
                    yield Piece(piece.data, piece.start, piece.end, piece.columns[:, old:])
                    continue
            self.next_fetch_offset = max(self.next_fetch_offset, self._behind)

    def _left_out(self, batch: StoredBatch | LegacyBatch) -> bool:
        """Return whether it is no record of anybody, or was taken back."""
        if isinstance(batch, LegacyBatch):
            return False
        if self._committed_only:
            while self._aborted and self._aborted[-1][1] <= batch.base_offset:
                self._aborted_producers.add(self._aborted.pop()[0])
            if batch.is_control_batch and self._is_abort(batch):
                self._aborted_producers.discard(batch.producer_id)
            elif batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return batch.is_control_batch

    def _is_abort(self, batch: StoredBatch) -> bool:
        records = ColumnRecords.of_pieces([batch.piece().cut_out()])
        if not records:
            return False
        key = records[0].key or b""
        if len(key) < _CONTROL_KEY_BYTES:
            raise CorruptRecordException(f"a control record of no kind in {self._tp}")
        return bool(ControlRecord.parse(key) == ABORT_MARKER)


class FetchedResult(fetcher.FetchResult):  # type: ignore[misc, unused-ignore]
    """aiokafka's result of a fetch, whose records are columns."""

    _partition_records: FetchedPartition | None

    def getall(self, max_records: int | None = None) -> ColumnRecords:
        """Return up to so many records of a partition that is still assigned, and not paused."""
        if not self.check_assignment(self._topic_partition) or self._partition_records is None:
            return ColumnRecords.none()
        fetched = self._partition_records
        try:
            records = fetched.take(sys.maxsize if max_records is None else max_records)
        except BaseException:
            self._partition_records = None  # what is broken is fetched again
            raise
        self._update_position()
        if fetched.exhausted:
            self._partition_records = None
        return records
