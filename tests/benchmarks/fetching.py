"""Reading fetched bytes: columns (`streams/stored_batches.py`) beside aiokafka's records."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition

from streams.cloud_events import cloud_event
from streams.fetched import FetchedPartition
from streams.stored_batches import FetchedBytes
from tests.benchmarks import catalogue, machine
from tests.benchmarks.projection import encode
from tests.benchmarks.report import Section, Table, ratios, spread
from tests.benchmarks.subjects import Options

LISTINGS: Final = 10_000
STORED: Final = 100
"""Records of a batch as its producer sent it."""
ANSWER: Final = 10
"""Batches of an answer."""
TAKEN: Final = 500
PARTITION: Final = TopicPartition("listings", 0)
CODECS: Final = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}

Way = Callable[[bytes], int]


def run(options: Options) -> Section:
    """Read the same answers in both ways, in every round."""
    described = machine.description(options.cores)
    supply = catalogue.Catalogue(
        [right.mark for right in catalogue.rights()], options.data, short=options.short
    )
    count = min(LISTINGS, options.listings)
    now = time.time_ns() // 1_000_000
    values = encode(list(supply.listings(count, now)))
    stored = [
        _stored(values[first : first + STORED], first, CODECS[options.compression], now)
        for first in range(0, count, STORED)
    ]
    answers = [b"".join(stored[n : n + ANSWER]) for n in range(0, len(stored), ANSWER)]
    with machine.pinned(options.cores.contestant):
        taken = measure(answers, options.rounds)
    return Section(
        title="Fetching",
        how=(
            f"{count:,} listings of {sum(map(len, values)) / count:,.0f} bytes on average, with "
            f"CloudEvents headers, in batches of {STORED} (compression {options.compression}) as a "
            f"broker answers with them, are read in memory, on one core, {TAKEN} at a time: what "
            "the thread of Kafka's client does with each, its network apart. Checksums are "
            "verified in both ways; the values are taken out as bytes."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("ratio, round by round", "CPU"),
                (
                    (
                        "aiokafka's records to columns",
                        spread(ratios(taken["aiokafka's records"], taken["columns"])).text(2, " ×"),
                    ),
                ),
            ),
            Table(
                ("way", "CPU µs a listing"),
                tuple((name, spread(times).text(2)) for name, times in taken.items()),
            ),
        ),
    )


def _stored(values: Sequence[bytes], offset: int, codec: int, now: int) -> bytes:
    """Return a batch as the broker stores it."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, 0, 0, batch_size=2**24)
    for number, value in enumerate(values):
        key = b"listing-%d" % number
        headers = cloud_event(key.decode(), "marketplace.listing.v1", now)
        builder.append(number, now, key, value, headers=list(headers))
    data = builder.build()
    data[:8] = offset.to_bytes(8, "big")
    return bytes(data)


def columns(answer: bytes) -> int:
    """Read an answer as the worker does; return how many values there are."""
    fetched = FetchedPartition(PARTITION, FetchedBytes(answer), (), 0, None, None, True, 1)
    values = 0
    while not fetched.exhausted:
        values += len(fetched.take(TAKEN).values)
    return values


def records(answer: bytes) -> int:
    """Read an answer as aiokafka does; return how many values there are."""
    fetched = fetcher.PartitionRecords(
        PARTITION, fetcher.MemoryRecords(answer), (), 0, None, None, True, 1
    )
    values = 0
    while taken := list(islice(fetched, TAKEN)):
        values += len([record.value for record in taken])
    return values


WAYS: Final[dict[str, Way]] = {"columns": columns, "aiokafka's records": records}


def measure(answers: Sequence[bytes], rounds: int) -> dict[str, list[float]]:
    """Return CPU microseconds a listing for each way and round."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, read in WAYS.items():
            started = time.process_time()
            count = sum(map(read, answers))
            taken[name].append((time.process_time() - started) / count * 1e6)
    return dict(taken)
