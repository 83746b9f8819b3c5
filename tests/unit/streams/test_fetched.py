"""What is read of fetched bytes is what aiokafka reads of them."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException, KafkaError
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.columns import ColumnRecords, values_of
from streams.fetched import FetchedPartition
from streams.stored_batches import FetchedBytes
from tests.unit.streams.stored import TRANSACTIONAL, Batch, Sent, batches, control

PARTITION = TopicPartition("listings", 0)


def _plain_fetcher() -> Any:
    """Return aiokafka's fetcher as it is without us."""
    spec = importlib.util.spec_from_file_location("plain_fetcher", fetcher.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PLAIN = _plain_fetcher()


def _ours(
    data: bytes, start: int = 0, aborted: Any = None, *, check: bool = True
) -> FetchedPartition:
    return FetchedPartition(
        PARTITION, FetchedBytes(data), aborted, start, None, None, check, fetcher.READ_COMMITTED
    )


def _theirs(data: bytes, start: int = 0, aborted: Any = None) -> Any:
    return PLAIN.PartitionRecords(
        PARTITION, PLAIN.MemoryRecords(data), aborted, start, None, None, True, 1
    )


def _rows(records: Any) -> list[tuple[Any, ...]]:
    return [
        (
            record.offset,
            record.timestamp,
            record.key,
            record.value,
            [(name, value or b"") for name, value in record.headers],
        )
        for record in records
    ]


def _all(fetched: FetchedPartition, most: int = 1_000) -> list[ColumnRecords]:
    portions = []
    while not fetched.exhausted:
        portions.append(fetched.take(most))
    return portions


@st.composite
def _logs(draw: st.DrawFn) -> list[Batch]:
    """Draw batches one behind the other, some of them of transactions that were taken back."""
    log: list[Batch] = []
    offset = draw(st.integers(0, 2**40))
    for _ in range(draw(st.integers(0, 4))):
        batch = draw(batches(offset))
        if draw(st.booleans()):
            batch = replace(batch, attributes=TRANSACTIONAL, producer_id=draw(st.integers(1, 2)))
        log.append(batch)
        offset = batch.next_offset + draw(st.integers(0, 3))
        if batch.attributes:
            log.append(control(offset, batch.producer_id, commit=draw(st.booleans())))
            offset += 1
    return log


def _aborted(log: list[Batch]) -> list[tuple[int, int]]:
    return [
        (batch.producer_id, batch.base_offset)
        for batch, mark in pairwise(log)
        if batch.attributes == TRANSACTIONAL and (mark.records[0].key or b"")[-1] == 0
    ]


@given(_logs(), st.integers(1, 5), st.integers(0, 6), st.integers(0, 40))
def test_any_log_is_read_as_aiokafka_reads_it(
    log: list[Batch], most: int, behind: int, cut: int
) -> None:
    """From any offset, in portions of any size, with the last batch cut off anywhere."""
    data = b"".join(batch.stored() for batch in log)
    data = data[: len(data) - cut]
    # A broker begins with the batch that the offset lies in.
    start = min(log[0].base_offset + behind, log[0].next_offset - 1) if log else behind
    theirs = _theirs(data, start, _aborted(log))
    expected = _rows(theirs)
    ours = _ours(data, start, _aborted(log))
    portions = _all(ours, most)
    assert [row for portion in portions for row in _rows(portion)] == expected
    assert all(len(portion) <= most for portion in portions)
    assert ours.next_fetch_offset == max(start, theirs.next_fetch_offset)
    joined = ColumnRecords.joined(portions) if portions else ColumnRecords.none()
    assert _rows(joined) == expected
    assert list(values_of(joined)) == [row[3] for row in expected]
    assert _rows([joined[number] for number in range(len(joined))]) == expected
    assert _rows(joined[1:-1]) == expected[1:-1]


@given(_logs(), st.integers(1, 5))
def test_reading_on_at_the_position_misses_and_repeats_nothing(log: list[Batch], most: int) -> None:
    """As after a seek: what was fetched is dropped, and fetched again from the position."""
    data = b"".join(batch.stored() for batch in log)
    start = log[0].base_offset if log else 0
    expected = _rows(_theirs(data, start, _aborted(log)))
    found: list[tuple[Any, ...]] = []
    while True:
        fetched = _ours(data, start, _aborted(log))
        found += _rows(fetched.take(most))
        if fetched.next_fetch_offset == start:
            break
        start = fetched.next_fetch_offset
    assert found == expected


@given(batches(), st.data())
def test_a_changed_byte_is_noticed(batch: Batch, data: st.DataObject) -> None:
    """The checksum covers everything behind it; before it stand offset, length and epoch."""
    stored = bytearray(batch.stored())
    at = data.draw(st.integers(16, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 255))
    if stored[16] != 2:
        return  # of another format, which aiokafka reads
    with pytest.raises(CorruptRecordException):
        _ours(bytes(stored)).take(10)


@given(batches(), st.data())
def test_whatever_the_bytes_nothing_is_read_that_is_not_there(
    batch: Batch, data: st.DataObject
) -> None:
    """Without the checksum: broken records are refused, or lie within what was fetched."""
    stored = bytearray(replace(batch, compression=0).stored())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(17, len(stored) - 1))
        stored[at] = data.draw(st.integers(0, 255))
    stored[22] &= ~7  # not compressed
    fetched = _ours(bytes(stored), check=False)
    try:
        records = fetched.take(10)
    except KafkaError:
        return
    for record in records:
        assert len(record.key or b"") + len(record.value or b"") <= len(stored)


def test_what_is_broken_behind_whole_batches_is_not_passed_over() -> None:
    """The first take gives what is before it, or nothing; the position stays in front of it."""
    whole = Batch([Sent(0, 1, b"k", b"v")])
    broken = bytearray(replace(whole, base_offset=1).stored())
    broken[-1] ^= 1
    fetched = _ours(whole.stored() + bytes(broken))
    assert _rows(fetched.take(1)) == [(0, 1, b"k", b"v", [])]
    assert fetched.next_fetch_offset == 1
    assert not fetched.exhausted
    with pytest.raises(CorruptRecordException):
        fetched.take(1)


def test_a_count_that_the_bytes_cannot_hold_takes_no_memory() -> None:
    stored = bytearray(Batch([Sent(0, 1, b"k", b"v")]).stored())
    stored[57:61] = (2**31 - 1).to_bytes(4, "big")
    with pytest.raises(CorruptRecordException, match="2147483647 records in"):
        _ours(bytes(stored), check=False).take(1)


def test_times_that_the_broker_has_set_count_for_all_records() -> None:
    batch = Batch([Sent(0, 5, None, b"a"), Sent(1, 9, None, b"b")], attributes=8)
    assert [record.timestamp for record in _ours(batch.stored()).take(2)] == [9, 9]


@pytest.mark.parametrize(
    ("magic", "compression"), [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (1, 3)]
)
def test_batches_of_the_formats_before_are_read(magic: int, compression: int) -> None:
    builder = LegacyRecordBatchBuilder(magic, compression, 10_000)
    for offset, (key, value) in enumerate([(b"k", b"v"), (None, b"x"), (b"", None)]):
        builder.append(offset, 7, key, value)
    data = bytes(builder.build())
    assert _rows(_ours(data).take(10)) == [
        (*row[:1], row[1] if magic else -1, *row[2:]) for row in _rows(_theirs(data))
    ]
    assert _rows(_ours(data, 2).take(10)) == _rows(_ours(data).take(10))[2:]


def test_what_of_an_answer_is_no_batch_is_told() -> None:
    assert not FetchedBytes(b"").has_next()
    assert not FetchedBytes(b"\0" * 11).has_next()
    for length in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        with pytest.raises(CorruptRecordException):
            FetchedBytes(b"\0" * 8 + length + b"\0" * 100).has_next()
